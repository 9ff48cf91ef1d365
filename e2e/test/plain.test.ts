/** Plain HLS trees in the browser: hls.js on a page of another origin, the media from the gateway or from the store. */

import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PlainHouse } from '../harness/plain';
import { Viewer } from '../harness/viewer';

declare global {
  var play: (url: string, token: string | undefined) => Promise<void>;
  var faults: string[];
  var fetched: string[];
}

let house: PlainHouse;
let viewer: Viewer;

beforeAll(async () => {
  [house, viewer] = await Promise.all([PlainHouse.create(), Viewer.start()]);
});
afterAll(async () => {
  await viewer.close();
  await house.destroy();
});

/** Plays until three seconds have passed and pictures were shown; returns every URL that hls.js asked for. */
async function played(page: Page, url: string, token: string | undefined): Promise<string[]> {
  await page.evaluate(([url, token]) => play(url as string, token), [url, token] as const);
  await page.waitForFunction(
    () => {
      const video = document.querySelector('video');
      const frames = video?.getVideoPlaybackQuality().totalVideoFrames ?? 0;
      return globalThis.faults.length > 0 || (video && video.currentTime > 3 && frames > 25);
    },
    undefined,
    { timeout: 60_000 },
  );
  expect(await page.evaluate(() => globalThis.faults)).toEqual([]);
  return page.evaluate(() => globalThis.fetched);
}

describe.each(['passed', 'signed'])('a tree that is %s', (tree) => {
  it.each(['index.m3u8', 'ts.m3u8'])('plays %s by hls.js with a bearer', async (name) => {
    const token = await house.token(`${tree}/clip`);
    const url = `${house.gateway}/hls/${tree}/clip/${name}`;
    await viewer.visit(house.pageUrl, async ({ page }) => {
      const fetched = await played(page, url, token);
      const isMedia = (one: string) => /\.(m4s|mp4|ts|key)(\?|$)/.test(one);
      const media = fetched.filter(isMedia);
      const from = tree === 'passed' ? house.gateway : house.store;
      expect(media.length).toBeGreaterThan(1);
      expect(media.filter((one) => !one.startsWith(from))).toEqual([]);
    });
  });
});

it('a session makes a cookie of the bearer, and the page plays with it', async () => {
  const token = await house.token('signed/clip');
  const session = `${house.gateway}/hls/signed/session`;
  const url = `${house.gateway}/hls/signed/clip/index.m3u8`;
  await viewer.visit(house.pageUrl, async ({ page }) => {
    const status = await page.evaluate(
      async ([session, token]) => {
        const headers = { authorization: `Bearer ${token}` };
        return (await fetch(session, { method: 'POST', headers, credentials: 'include' })).status;
      },
      [session, token] as const,
    );
    expect(status).toBe(204);
    expect(await page.evaluate(() => document.cookie)).toBe('');
    await played(page, url, undefined);
  });
});

it('without a token nothing plays', async () => {
  await viewer.visit(house.pageUrl, async ({ page }) => {
    const url = `${house.gateway}/hls/signed/clip/index.m3u8`;
    await page.evaluate((url) => void play(url, undefined).catch(() => undefined), url);
    await page.waitForFunction(() => globalThis.faults.length > 0);
    expect(await page.evaluate(() => globalThis.faults[0])).toBe('manifestLoadError 401');
  });
});
