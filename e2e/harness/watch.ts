/** A new link to the usual title, watched over a line, with nothing wrong on the page when the test is over. */

import { expect } from 'vitest';
import type { Line } from './link';
import { TITLE } from './setup';
import type { Veilcast } from './veilcast';
import type { Screen, Viewer } from './viewer';

/** Shares, opens the link, waits until it can play, and runs `test`. */
export async function watchOver(
  line: Line,
  house: Veilcast,
  viewer: Viewer,
  test: (screen: Screen) => Promise<void>,
): Promise<void> {
  const { link } = await house.share(TITLE);
  await viewer.visit(line.link(link), async (screen) => {
    await screen.ready();
    await test(screen);
    expect(screen.errors).toEqual([]);
    expect(await screen.violations()).toEqual([]);
  });
}
