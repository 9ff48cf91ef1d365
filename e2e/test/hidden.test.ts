/**
 * A page that nobody looks at: the film goes on, is fetched further ahead, and is as before once it is seen again.
 *
 * Chromium without a window shows every page, whichever tab is in front. So the page is told that it is hidden, and its timers
 * tick as those of a hidden page with sound do: once a second. What a browser does beyond that is not shown here.
 */

import { execFileSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { Veilcast } from '../harness/veilcast';
import { Viewer } from '../harness/viewer';

const house = Veilcast.at(inject('data'));
const FILM = 'A long film';
/** More is fetched ahead by a hidden page alone. */
const SEEN_AHEAD_S = 65;
let viewer: Viewer;

/** Four minutes, small. */
function makeLongFilm(): string {
  const path = join(mkdtempSync(join(tmpdir(), 'veilcast-long-')), 'film.mp4');
  const picture = ['-f', 'lavfi', '-i', 'testsrc2=size=320x180:rate=10:duration=240'];
  const sound = ['-f', 'lavfi', '-i', 'sine=frequency=330:duration=240'];
  const codecs = ['-c:v', 'libx264', '-preset', 'ultrafast', '-c:a', 'aac', '-b:a', '32k'];
  execFileSync('ffmpeg', ['-v', 'error', '-y', ...picture, ...sound, ...codecs, path]);
  return path;
}

beforeAll(async () => {
  viewer = await Viewer.start();
  await house.import(makeLongFilm(), FILM);
});
afterAll(async () => {
  await house.run('remove', FILM, '--yes');
  await viewer.close();
});

/** Seconds buffered from the playhead on. */
const ahead = (page: Page): Promise<number> =>
  page.evaluate(() => {
    const { video } = document.querySelector('veil-player') as unknown as {
      video: HTMLVideoElement;
    };
    const { buffered, currentTime } = video;
    return buffered.length > 0 ? buffered.end(buffered.length - 1) - currentTime : 0;
  });

/** Runs in the page first: timers tick once a second at most while it is hidden. */
function slowDown(): void {
  const { setTimeout: wait, setInterval: repeat } = globalThis;
  const TICK_MS = 1000;
  const slowly = (work: () => void, ms = 0, ...more: []) =>
    wait(work, document.hidden ? Math.max(ms, TICK_MS) : ms, ...more);
  const seldom = (work: () => void, ms?: number) => {
    let before = 0;
    const tick = (): void => {
      if (document.hidden && performance.now() - before < TICK_MS) return;
      before = performance.now();
      work();
    };
    return repeat(tick, ms);
  };
  Object.assign(globalThis, { setTimeout: slowly, setInterval: seldom });
}

/** Tells the page whether it is seen. */
const turn = (page: Page, hidden: boolean): Promise<void> =>
  page.evaluate((isHidden) => {
    Object.defineProperty(document, 'hidden', { configurable: true, value: isHidden });
    document.dispatchEvent(new Event('visibilitychange'));
  }, hidden);

it('playback goes on unseen, with more in hand, and comes back as it was', async () => {
  const { link } = await house.share(FILM);
  await viewer.visit(
    link,
    async (screen) => {
      const { page } = screen;
      await screen.ready();
      await screen.play();
      await turn(page, true);
      const { time: hiddenAt } = await screen.picture();
      await expect.poll(() => ahead(page), { timeout: 60_000 }).toBeGreaterThan(SEEN_AHEAD_S);
      const { time: later } = await screen.until(({ time }) => time > hiddenAt + 12);
      await turn(page, false);
      await screen.until(({ time, paused }) => time > later + 1 && !paused);
      expect(screen.errors).toEqual([]);
      expect(await screen.violations()).toEqual([]);
    },
    undefined,
    slowDown,
  );
});
