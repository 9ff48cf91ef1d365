/**
 * What a viewer is told where a title doesn't play, and what must not have happened by then.
 */

import { expect } from 'vitest';
import type { OpenedTitle } from './opened';
import type { Screen, Viewer } from './viewer';

/** The failure that is expected: its code, and some of its words. */
export interface Expected {
  readonly code: string;
  readonly words: RegExp;
}

/** Opens a link and expects to be told; what failed its seal must not have reached the decoder. */
export async function told(
  viewer: Viewer,
  opened: OpenedTitle,
  link: string,
  { code, words }: Expected,
  before: (screen: Screen) => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  await viewer.visit(link, async (screen) => {
    await before(screen);
    const failure = await screen.failure();
    expect(failure.code).toBe(code);
    expect(failure.text).toMatch(words);
    for (const { sha256 } of await screen.appended()) expect(opened.pieces).toContain(sha256);
  });
}

/** Begins to play: the player reads ahead, and meets a damage by itself. */
export async function pressPlay(screen: Screen): Promise<void> {
  await screen.ready();
  await screen.pressPlay();
}
