/**
 * What tracks, qualities and speeds are called, and which captions a viewer most likely wants.
 *
 * Pure functions over the tracks and the words.
 */

import type { Tracks } from '../engine/tracks';
import type { AudioRendition, SubtitleRendition, VideoRendition } from '../title';
import type { Words } from '../words/words';

/** `1080p` for a picture, by its shorter side, so that portrait pictures read the same. */
export function qualityName({ width, height }: VideoRendition): string {
  return `${Math.min(width, height)}p`;
}

/**
 * What a person reads for a sound or captions: its name, else its language in their own words. A
 * name that only repeats the tag of the language is none.
 */
export function trackName(track: AudioRendition | SubtitleRendition, words: Words): string {
  if (track.name !== '' && track.name !== track.language) return track.name;
  if (track.language === undefined) return words.t('track', { n: track.id });
  return words.languageName(track.language);
}

/** `Normal` or `1.5×`. */
export function speedName(factor: number, words: Words): string {
  return factor === 1 ? words.t('normal') : `${words.number(factor)}×`;
}

/** Returns the captions that a viewer who turns them on most likely wants. */
export function preferredSubtitles(tracks: Tracks, languages: readonly string[]): number | null {
  const [first] = tracks.subtitles;
  const primary = (tag: string | undefined) => tag?.toLowerCase().split('-')[0];
  const byLanguage = languages
    .map((wanted) => tracks.subtitles.find((track) => primary(track.language) === primary(wanted)))
    .find((track) => track !== undefined);
  const standard = tracks.subtitles.find((track) => track.isDefault);
  return (byLanguage ?? standard ?? first)?.id ?? null;
}
