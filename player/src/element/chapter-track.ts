/**
 * Chapters as a text track of the video, where browsers and assistive technology look for them.
 *
 * A track can't be taken away from a video again: there is one, whose cues are exchanged.
 */

import type { Chapter } from '../title';

/** The track of one video. */
export class ChapterTrack {
  #track: TextTrack | null = null;

  constructor(private readonly video: HTMLVideoElement) {}

  /** Shows other chapters of a title that lasts `durationUs`; an empty list takes them away. */
  show(chapters: readonly Chapter[], durationUs: number, language: string): void {
    if (chapters.length === 0 && this.#track === null) return;
    this.#track ??= this.video.addTextTrack('chapters', '', language);
    const track = this.#track;
    track.mode = 'hidden';
    for (const cue of Array.from(track.cues ?? [])) track.removeCue(cue);
    chapters.forEach(({ startUs, title }, index) => {
      const endUs = chapters[index + 1]?.startUs ?? durationUs;
      track.addCue(new VTTCue(startUs / 1e6, endUs / 1e6, title));
    });
  }
}
