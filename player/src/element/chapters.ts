/**
 * Where a title's chapters lie, and which one a moment is in.
 *
 * Pure functions; moments are in seconds. A title without chapters has an empty list.
 */

import type { Chapter } from '../title';

/** After so many seconds of a chapter, "back" leads to its own beginning. */
const RESTART_S = 3;

/** Returns the index of the chapter that `seconds` is in, -1 before the first. */
export function chapterAt(chapters: readonly Chapter[], seconds: number): number {
  return chapters.findLastIndex(({ startUs }) => startUs / 1e6 <= seconds);
}

/**
 * Returns the index of the chapter that a step leads to, `null` where there is none. A step back
 * leads to the beginning of the present chapter first, as on a disc player.
 */
export function stepChapter(
  chapters: readonly Chapter[],
  seconds: number,
  by: number,
): number | null {
  const at = chapterAt(chapters, seconds);
  const begun = seconds - (chapters[at]?.startUs ?? 0) / 1e6;
  const to = by < 0 && begun > RESTART_S ? at : at + by;
  if (chapters.length === 0 || to >= chapters.length) return null;
  return Math.max(to, 0);
}

/** Returns where on a bar from 0 to 1 a chapter begins, for all that don't begin with the title. */
export function chapterMarks(chapters: readonly Chapter[], duration: number): number[] {
  if (!(duration > 0)) return [];
  const places = chapters.map(({ startUs }) => startUs / 1e6 / duration);
  return places.filter((place) => place > 0 && place < 1);
}
