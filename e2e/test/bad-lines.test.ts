/**
 * Playback over lines that are slow, cut, or lead to a gateway that forgets and restarts: it goes on, or goes on by itself when
 * the line is back, and what the player believes of the line is true.
 */

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { OwnGateway } from '../harness/gateway';
import { Line } from '../harness/link';
import { Veilcast } from '../harness/veilcast';
import { Viewer, type Screen } from '../harness/viewer';
import { watchOver } from '../harness/watch';

const house = Veilcast.at(inject('data'));
let viewer: Viewer;
let line: Line;

beforeAll(async () => {
  viewer = await Viewer.start();
});
afterAll(() => viewer.close());
beforeEach(async () => {
  line = await Line.to(inject('url'));
});
afterEach(() => line.close());

const watch = (test: (screen: Screen) => Promise<void>) => watchOver(line, house, viewer, test);

/** What the player tells of itself. */
async function stats(screen: Screen): Promise<{ bandwidthBps: number; decodedFrames: number }> {
  return screen.page.evaluate(() => {
    const player = document.querySelector('veil-player') as unknown as { stats: never };
    return player.stats;
  });
}

/** Notes from now on the least that was ever buffered ahead, the last seconds of the video aside. */
async function watchBuffer(screen: Screen): Promise<() => Promise<number>> {
  await screen.page.evaluate(() => {
    const { video } = document.querySelector('veil-player') as unknown as {
      video: HTMLVideoElement;
    };
    video.addEventListener('timeupdate', () => {
      if (video.currentTime > video.duration - 4) return;
      const { buffered } = video;
      const ends = Array.from({ length: buffered.length }, (_, at) => buffered.end(at));
      const ahead = Math.max(...ends) - video.currentTime;
      const least = Number(document.body.dataset['least'] ?? ahead);
      document.body.dataset['least'] = String(Math.min(least, ahead));
    });
  });
  return () => screen.page.evaluate(() => Number(document.body.dataset['least']));
}

const setRate = (screen: Screen, rate: number): Promise<void> =>
  screen.page.evaluate((speed) => {
    const { video } = document.querySelector('veil-player') as unknown as {
      video: HTMLVideoElement;
    };
    video.playbackRate = speed;
  }, rate);

describe('a line that becomes as slow as a telephone’s', () => {
  it('is measured truly, plays smaller pictures, and larger ones when it is quick again', () => {
    line.bitsPerSecond = 8_000_000;
    return watch(async (screen) => {
      await screen.play();
      await screen.until(({ width }) => width === 1280);
      line.bitsPerSecond = 750_000;
      line.latencyMs = 100;
      await screen.seek(38);
      await screen.until(({ width }) => width === 854, 60_000);
      // An estimate takes some segments to forget a quicker line.
      await expect
        .poll(async () => (await stats(screen)).bandwidthBps / 750_000, { timeout: 30_000 })
        .toSatisfy((ratio: number) => ratio > 0.5 && ratio < 1.5);
      line.bitsPerSecond = null;
      line.latencyMs = 0;
      await screen.seek(5);
      await screen.until(({ width }) => width === 1280, 60_000);
    });
  });
});

describe('URLs that run out while they are used', () => {
  it('are exchanged without a wait', async () => {
    const gateway = await OwnGateway.start(house.data, '[urls]\nwindow_s = 0\n');
    try {
      line.target = gateway.url;
      // Slow enough that what is fetched ahead is fetched for longer than a URL lives.
      line.bitsPerSecond = 5_000_000;
      const lifeMs = 2000;
      line.refuse = (url) => {
        const dated = url.searchParams.get('X-Amz-Date');
        if (dated === null) return null;
        const iso = dated.replace(/^(\d{4})(\d\d)(\d\dT\d\d)(\d\d)(\d\dZ)$/, '$1-$2-$3:$4:$5');
        return Date.now() - Date.parse(iso) > lifeMs ? 403 : null;
      };
      await watch(async (screen) => {
        await screen.play();
        const least = await watchBuffer(screen);
        await setRate(screen, 2);
        await screen.until(({ time }) => time > 48);
        expect(line.refused).toBeGreaterThan(1);
        expect(await least()).toBeGreaterThan(1);
      });
    } finally {
      await gateway.destroy();
    }
  });
});

describe('a gateway that ends and comes back elsewhere', () => {
  it('is waited for, and playback goes on', async () => {
    const first = await OwnGateway.start(house.data);
    line.target = first.url;
    await watch(async (screen) => {
      await screen.play();
      await first.kill();
      await screen.page.evaluate(() => {
        const { video } = document.querySelector('veil-player') as unknown as {
          video: HTMLVideoElement;
        };
        video.currentTime = 45;
      });
      await screen.page
        .getByText(/doesn’t answer/i)
        .first()
        .waitFor();
      const second = await OwnGateway.start(house.data);
      try {
        line.target = second.url;
        await screen.until(({ time, paused }) => time > 46 && !paused);
      } finally {
        await second.destroy();
        await first.destroy();
      }
    });
  });
});

describe('a line that is cut', () => {
  it('is waited for while the device is offline, and playback goes on where it was', () =>
    watch(async (screen) => {
      await screen.play();
      const context = screen.page.context();
      await context.setOffline(true);
      await screen.page.evaluate(() => {
        const { video } = document.querySelector('veil-player') as unknown as {
          video: HTMLVideoElement;
        };
        video.currentTime = 44;
      });
      await screen.page
        .getByText(/you are offline/i)
        .first()
        .waitFor();
      const before = await screen.picture();
      expect(before.time).toBe(44);
      await context.setOffline(false);
      await screen.until(({ time, paused }) => time > 45 && !paused);
    }));

  it('in the midst of a segment costs that segment alone', () =>
    watch(async (screen) => {
      await screen.play();
      line.bitsPerSecond = 3_000_000;
      await screen.seek(20);
      line.isCut = true;
      await screen.page.waitForTimeout(300);
      line.isCut = false;
      line.bitsPerSecond = null;
      await screen.seek(40);
      await screen.until(({ time, paused }) => time > 41 && !paused);
    }));
});
