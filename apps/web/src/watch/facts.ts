/**
 * What the page says about a title in a line.
 *
 * Pure functions over the opened manifest.
 */

import type { Title } from '@veilcast/player';

/** Returns `1 h 32 min`, `12 min 5 s` or `52 s`. */
export function durationText(durationUs: number): string {
  const seconds = Math.round(durationUs / 1e6);
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  if (h > 0) return m > 0 ? `${h} h ${m} min` : `${h} h`;
  if (m > 0) return s > 0 ? `${m} min ${s} s` : `${m} min`;
  return `${s} s`;
}

function countText(count: number, one: string, many: string): string {
  return count === 1 ? one : `${count} ${many}`;
}

/** Returns the facts of a title that a viewer may want to know, in order of weight. */
export function factsOf(title: Title): string[] {
  const facts = [durationText(title.durationUs)];
  const sizes = title.renditions.flatMap((rendition) =>
    rendition.type === 'video' ? [Math.min(rendition.width, rendition.height)] : [],
  );
  const audio = title.renditions.filter((rendition) => rendition.type === 'audio');
  const captions = title.renditions.filter((rendition) => rendition.type === 'subtitles');
  if (sizes.length > 1) facts.push(`Up to ${Math.max(...sizes)}p`);
  else if (sizes.length === 1) facts.push(`${sizes[0]}p`);
  else facts.push('Sound only');
  if (audio.length === 0) facts.push('Silent');
  if (audio.length > 1) facts.push(`${audio.length} sound tracks`);
  if (captions.length > 0) facts.push(countText(captions.length, 'Captions', 'captions'));
  return facts;
}
