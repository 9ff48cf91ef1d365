/**
 * Much at once: players on one page, tabs beside each other, seeks upon seeks. Nothing is mixed up, nothing is left behind.
 */

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { Line } from '../harness/link';
import { TITLE } from '../harness/setup';
import { Veilcast } from '../harness/veilcast';
import { Screen, Viewer } from '../harness/viewer';
import { watchOver } from '../harness/watch';

const SEEKS = 200;
const MEMORY_SEEKS = 60;
const MIB = 1024 * 1024;

const house = Veilcast.at(inject('data'));
let viewer: Viewer;
let line: Line;

beforeAll(async () => {
  // Else memory is told only after a while.
  viewer = await Viewer.start('--enable-blink-features=ForceEagerMeasureMemory');
});
afterAll(() => viewer.close());
beforeEach(async () => {
  line = await Line.to(inject('url'));
});
afterEach(() => line.close());

const watch = (test: (screen: Screen) => Promise<void>) => watchOver(line, house, viewer, test);

/** Runs in the page: seeks `count` times without waiting for any of them, `gapMs` at most apart. */
async function storm([count, gapMs]: readonly [number, number]): Promise<void> {
  const { video } = document.querySelector('veil-player') as unknown as { video: HTMLVideoElement };
  for (let at = 0; at < count; at++) {
    video.currentTime = Math.random() * (video.duration - 4);
    await new Promise((resolve) => setTimeout(resolve, Math.random() * gapMs));
  }
}

describe('two hundred seeks', () => {
  it('end with the right picture playing and with no request left behind', () =>
    watch(async (screen) => {
      await screen.play();
      line.latencyMs = 20;
      line.bitsPerSecond = 20_000_000;
      await screen.page.evaluate(storm, [SEEKS, 40] as const);
      expect(Math.abs((await screen.seek(21)) - 21)).toBeLessThan(0.75);
      await screen.until(({ time, paused }) => time > 22 && !paused);
      line.bitsPerSecond = null;
      const end = Date.now() + 20_000;
      while (line.open > 0 && Date.now() < end) await screen.page.waitForTimeout(50);
      expect(line.open).toBe(0);
    }));

  it('leave memory as it was', () =>
    watch(async (screen) => {
      const used = () =>
        screen.page.evaluate(async () => {
          const measured = performance as unknown as {
            measureUserAgentSpecificMemory(): Promise<{ bytes: number }>;
          };
          return (await measured.measureUserAgentSpecificMemory()).bytes;
        });
      await screen.play();
      await screen.page.evaluate(storm, [MEMORY_SEEKS, 100] as const);
      await screen.seek(10);
      const before = await used();
      await screen.page.evaluate(storm, [MEMORY_SEEKS, 100] as const);
      await screen.page.evaluate(storm, [MEMORY_SEEKS, 100] as const);
      await screen.seek(10);
      expect((await used()) - before).toBeLessThan(2 * MIB);
    }));
});

/** Runs in the page: puts one more player into it and opens a link there. */
function addPlayer([name, link]: readonly [string, string]): void {
  const player = document.createElement('veil-player') as HTMLElement & {
    open(link: { gateway: string; grantId: string; secret: string }): void;
    play(): Promise<void>;
  };
  player.id = name;
  document.body.append(player);
  const { pathname, hash } = new URL(link);
  const grantId = pathname.split('/').pop() ?? '';
  player.open({ gateway: '/', grantId, secret: hash.slice(1) });
  // Asked for before there is anything to play: it is played all the same, and the first promise is kept.
  const play = (): void =>
    void player.play().then(
      () => player.setAttribute('data-kept', ''),
      (error: unknown) => player.setAttribute('data-broken', String(error)),
    );
  if (name === 'second') play();
  else player.addEventListener('veil-title', play);
}

/** Waits until the player `name` has played for two seconds from now. */
async function plays(screen: Screen, name: string): Promise<void> {
  const timeOf = (id: string): number =>
    (document.getElementById(id) as unknown as { video: HTMLVideoElement }).video.currentTime;
  const before = await screen.page.evaluate(timeOf, name);
  await screen.page.waitForFunction(
    ([id, from]) => {
      const { video } = document.getElementById(id) as unknown as { video: HTMLVideoElement };
      return video.currentTime > from + 2;
    },
    [name, before] as const,
  );
}

describe('players on one page', () => {
  it('share two or three Workers, and one goes on when another is closed', () =>
    watch(async (screen) => {
      await screen.play();
      const workersOf = () =>
        screen.page.workers().filter((worker) => /pool\.worker/.test(worker.url()));
      const count = workersOf().length;
      expect([2, 3]).toContain(count);
      for (const name of ['second', 'third']) {
        const { link } = await house.share(TITLE);
        await screen.page.evaluate(addPlayer, [name, link] as const);
        await plays(screen, name);
        const player = screen.page.locator(`#${name}`);
        expect(await player.getAttribute('data-broken')).toBeNull();
        expect(await player.getAttribute('data-kept')).toBe('');
      }
      expect(workersOf()).toHaveLength(count);
      await screen.page.evaluate(() => document.getElementById('second')?.remove());
      await plays(screen, 'third');
      const before = (await screen.picture()).time;
      await screen.until(({ time }) => time > before + 1);
    }));

  it('that open the same link again unwrap nothing and still ask the gateway', () =>
    watch(async (screen) => {
      await screen.play();
      const link = screen.page.url();
      await screen.page.evaluate(addPlayer, ['second', link] as const);
      await plays(screen, 'second');
      const grant = new URL(link).pathname.split('/').pop() ?? '';
      await house.run('revoke', grant);
      await house.forgetAll();
      await screen.page.evaluate(addPlayer, ['third', link] as const);
      const third = screen.page.locator('veil-player#third[data-state=failed]');
      await third.waitFor();
    }));
});

describe('two tabs', () => {
  it('play side by side', () =>
    watch(async (screen) => {
      await screen.play();
      const other = await screen.page.context().newPage();
      const beside = new Screen(other);
      const { link } = await house.share(TITLE);
      await other.goto(line.link(link));
      await beside.ready();
      await beside.play();
      await beside.until(({ time }) => time > 2);
      await screen.page.bringToFront();
      const before = (await screen.picture()).time;
      await screen.until(({ time }) => time > before + 1);
    }));
});

describe('a browser that manages its media sources', () => {
  /** Runs in the page first: what Safari has on an iPhone, over what is here. */
  function manage(): void {
    const made: EventTarget[] = [];
    class Managed extends MediaSource {
      streaming = true;
      constructor() {
        super();
        made.push(this);
      }
    }
    Object.assign(globalThis, { ManagedMediaSource: Managed, managedSources: made });
  }

  const isRemoteDisabled = (): boolean =>
    (document.querySelector('veil-player') as unknown as { video: HTMLVideoElement }).video
      .disableRemotePlayback;

  it('is asked for one, and heeded when it wants no more', async () => {
    const { link } = await house.share(TITLE);
    line.bitsPerSecond = 3_000_000;
    await viewer.visit(
      line.link(link),
      async (screen) => {
        await screen.ready();
        await screen.play();
        const tell = (name: string) =>
          screen.page.evaluate((event) => {
            const { managedSources: all } = globalThis as unknown as {
              managedSources: (EventTarget & { streaming: boolean })[];
            };
            for (const source of all) {
              source.streaming = event === 'startstreaming';
              source.dispatchEvent(new Event(event));
            }
            return all.length;
          }, name);
        expect(await tell('endstreaming')).toBe(1);
        // What was under way has arrived; nothing follows it, though half of the video is missing.
        let before = -1;
        const isStill = () => before === (before = line.objects);
        await expect.poll(isStill, { interval: 2000, timeout: 20_000 }).toBe(true);
        const { time } = await screen.picture();
        await screen.until((picture) => picture.time > time + 2);
        expect(line.objects).toBe(before);
        expect(await screen.page.evaluate(isRemoteDisabled)).toBe(true);
        await tell('startstreaming');
        line.bitsPerSecond = null;
        await screen.seek(46);
        await screen.until((picture) => picture.time > 46.5);
      },
      undefined,
      manage,
    );
  });
});
