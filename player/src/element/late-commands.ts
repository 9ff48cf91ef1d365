/**
 * Commands that are loaded later: chapters, frames, speed, captions.
 */

import type { Playback } from '../engine/playback';
import type { Title } from '../title';
import type { Words } from '../words/words';
import { stepChapter } from './chapters';
import { seekTo } from './commands';
import { stepSpeed, type LateCommand } from './keyboard';
import { preferredSubtitles, speedName, trackName } from './names';
import { clock } from './time';

/** Assumed where the manifest tells no rate: the cinema's. */
const FRAME_RATE = 24;

/** What they work on. */
export interface LateContext {
  readonly video: HTMLVideoElement;
  readonly words: Words;
  playback(): Playback | null;
  title(): Title | null;
  /** Tells the viewer briefly what has been done. */
  say(text: string): void;
}

/** Goes to the next chapter or back, and says its name. */
function goToChapter({ video, title, say, words }: LateContext, by: number): void {
  const chapters = title()?.chapters ?? [];
  if (chapters.length === 0) return say(words.t('noChapters'));
  const index = stepChapter(chapters, video.currentTime, by);
  const chapter = index === null ? undefined : chapters[index];
  if (chapter === undefined) return;
  seekTo(video, chapter.startUs / 1e6);
  say(chapter.title || words.t('chapterNumber', { n: Number(index) + 1 }));
}

/** Moves by one frame; a playing video is paused first. */
function stepFrame({ video, title, say, words }: LateContext, by: number): void {
  video.pause();
  const rates = title()?.renditions.map((one) => (one.type === 'video' ? one.frameRate : 0)) ?? [];
  seekTo(video, video.currentTime + by / (Math.max(...rates, 0) || FRAME_RATE));
  say(words.t('frame', { time: clock(video.currentTime) }));
}

/** Turns captions off, or on in the language that fits the viewer best. */
function toggleCaptions({ playback, say, words }: LateContext): void {
  const current = playback();
  if (current === null || current.tracks.subtitles.length === 0) {
    return say(words.t('noCaptions'));
  }
  if (current.tracks.subtitlesId !== null) {
    current.selectSubtitles(null);
    return say(words.t('captionsOff'));
  }
  const id = preferredSubtitles(current.tracks, navigator.languages);
  current.selectSubtitles(id);
  const chosen = current.tracks.subtitles.find((track) => track.id === id);
  say(chosen ? words.t('captionsIn', { name: trackName(chosen, words) }) : words.t('captionsOn'));
}

function stepSpeedBy({ video, say, words }: LateContext, by: number): void {
  video.playbackRate = stepSpeed(video.playbackRate, by);
  say(words.t('speedAt', { speed: speedName(video.playbackRate, words) }));
}

/** Runs one command. */
export function runLate(command: LateCommand, context: LateContext): void {
  switch (command.do) {
    case 'frame':
      return stepFrame(context, command.by);
    case 'chapter':
      return goToChapter(context, command.by);
    case 'speed':
      return stepSpeedBy(context, command.by);
    case 'toggle-captions':
      return toggleCaptions(context);
  }
}
