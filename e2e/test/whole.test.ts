/** The second way to play, for browsers without Media Source Extensions: one movie, fed through the service worker. */

import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { join } from 'node:path';
import { damaged, flip, TitleFolder } from '../harness/bucket';
import { fileOf, role, unlockTitle } from '../harness/opened';
import { TITLE } from '../harness/setup';
import { Veilcast } from '../harness/veilcast';
import { Viewer, type Screen } from '../harness/viewer';
import { Kind } from '../../player/src/vault/role';

const house = Veilcast.at(inject('data'));
let viewer: Viewer;

beforeAll(async () => {
  viewer = await Viewer.start();
});
afterAll(() => viewer.close());

/** Opens a link as a browser does that was made before Media Source Extensions. */
async function watch(link: string, test: (screen: Screen) => Promise<void>): Promise<void> {
  await viewer.visit('about:blank', async (screen) => {
    await screen.page.addInitScript(() => {
      for (const name of ['MediaSource', 'ManagedMediaSource'])
        Reflect.deleteProperty(globalThis, name);
    });
    await screen.page.goto(link);
    await test(screen);
    expect(screen.errors).toEqual([]);
    expect(await screen.violations()).toEqual([]);
  });
}

function sourceOf({ page }: Screen): Promise<string> {
  return page.evaluate(() => {
    const { video } = document.querySelector('veil-player') as unknown as {
      video: HTMLVideoElement;
    };
    return video.currentSrc;
  });
}

describe('a browser without Media Source Extensions', () => {
  it('plays with picture and sound, on its first visit too, and knows how long it is', async () => {
    const { link } = await house.share(TITLE);
    await watch(link, async (screen) => {
      await screen.ready();
      await screen.play();
      const picture = await screen.until(({ time }) => time > 3);
      expect(picture.frames).toBeGreaterThan(24);
      expect(picture.soundBytes).toBeGreaterThan(1000);
      expect(await sourceOf(screen)).toMatch(/\/w\/feed\/[0-9a-f-]{36}\.mp4$/);
      const duration = await screen.page.evaluate(() => {
        const { video } = document.querySelector('veil-player') as unknown as {
          video: HTMLVideoElement;
        };
        return video.duration;
      });
      expect(Math.abs(duration - 52.2)).toBeLessThan(0.5);
    });
  });

  it('seeks forward and back', async () => {
    const { link } = await house.share(TITLE);
    await watch(link, async (screen) => {
      await screen.ready();
      await screen.play();
      for (const target of [45, 3, 25.5, 50, 0.5]) {
        expect(Math.abs((await screen.seek(target)) - target)).toBeLessThan(0.75);
      }
      await screen.until(({ time }) => time > 1.5);
    });
  });

  it('goes on after its service worker was stopped', async () => {
    const { link } = await house.share(TITLE);
    await watch(link, async (screen) => {
      await screen.ready();
      await screen.play();
      const session = await screen.page.context().newCDPSession(screen.page);
      await session.send('ServiceWorker.enable');
      await session.send('ServiceWorker.stopAllWorkers');
      for (const target of [40, 10]) {
        expect(Math.abs((await screen.seek(target)) - target)).toBeLessThan(0.75);
      }
    });
  });

  it('is told of a broken seal, and shows nothing of what it closed', async () => {
    const { link, grant } = await house.share(TITLE);
    const folder = new TitleFolder(join(house.data, 'bucket'), inject('title'));
    const { key, title } = await unlockTitle(folder, link, grant);
    const videos = title.renditions.filter(({ type }) => type === 'video');
    const roles = videos.map(({ id }) => role(Kind.segment, id, 10));
    const files = await Promise.all(roles.map((of) => fileOf(folder, key, of)));
    const change = (all: Buffer[]) => all.map((bytes) => flip(bytes, bytes.length >> 1));
    await damaged(files, change, () =>
      watch(link, async (screen) => {
        await screen.ready();
        await screen.pressPlay();
        expect((await screen.failure()).code).toBe('tampered');
      }),
    );
  });
});
