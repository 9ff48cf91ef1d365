/** How everything looks: on a desktop and a phone, dark and light, with menus, sheets and failures, and to a screen reader. */

import { mkdtempSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { makeFilm } from '../harness/film';
import { compareLook } from '../harness/looks';
import { Veilcast } from '../harness/veilcast';
import { Viewer, type Screen } from '../harness/viewer';

const house = Veilcast.at(inject('data'));
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const FILM = 'A quiet film';
const SIZES = {
  desktop: { width: 1280, height: 800 },
  phone: { width: 390, height: 844 },
} as const;
type Size = keyof typeof SIZES;
type Scheme = 'dark' | 'light';
let viewer: Viewer;

beforeAll(async () => {
  viewer = await Viewer.start();
  const folder = mkdtempSync(join(tmpdir(), 'veilcast-film-'));
  const chapters = [
    [0, 'Snow'],
    [3, 'The dragon'],
    [7, ''],
  ] as const;
  await house.import(makeFilm(folder, chapters, 'color=c=0x27466b'), FILM, '360,720');
});
afterAll(async () => {
  await house.run('remove', FILM, '--yes');
  await viewer.close();
});

/** Looks at the page, and has axe look at it. */
type Look = (name: string) => Promise<void>;

/** What axe finds in the page; the test's own pages have no `unsafe-inline`, so it is evaluated and not loaded. */
async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  return page.evaluate(async () => {
    const { axe: runner } = globalThis as unknown as {
      axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };
    };
    const found = await runner.run();
    return found.violations.map(
      ({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join()}`,
    );
  });
}

/** Opens `link` and looks; everything that is wrong is told at the end. */
async function visit(
  link: string,
  [size, scheme]: readonly [Size, Scheme],
  test: (screen: Screen, look: Look) => Promise<void>,
): Promise<void> {
  const wrong: string[] = [];
  await viewer.visit(
    link,
    async (screen) => {
      const { page } = screen;
      await page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' });
      const judge = await page.context().newPage();
      await page.bringToFront();
      await test(screen, async (name) => {
        await page.evaluate(() => document.fonts.ready);
        await page.waitForTimeout(150);
        const different = await compareLook(page, judge, `${size}-${scheme}-${name}`);
        if (different !== null) wrong.push(different);
        wrong.push(...(await violations(page)).map((found) => `${name}: ${found}`));
      });
    },
    SIZES[size],
  );
  expect(wrong).toEqual([]);
}

const link = async (...more: string[]): Promise<string> => (await house.share(FILM, ...more)).link;

/** Plays a moment, stops on a still picture and takes the pointer away. */
async function standStill({ page, ...screen }: Screen, until: Screen['until']): Promise<void> {
  await page.locator('.controls .play').evaluate((button: HTMLElement) => button.click());
  await until(({ time }) => time > 0.2);
  await page.evaluate(() => {
    const { video } = document.querySelector('veil-player') as unknown as {
      video: HTMLVideoElement;
    };
    video.pause();
    video.currentTime = 1;
  });
  await until(({ time, paused }) => time === 1 && paused);
  await page.mouse.move(5, 5);
  expect(screen.errors).toEqual([]);
}

describe.each([
  ['desktop', 'dark'],
  ['desktop', 'light'],
  ['phone', 'dark'],
  ['phone', 'light'],
] as const)('on a %s in %s', (size, scheme) => {
  it('the page before the first play', async () => {
    await visit(await link(), [size, scheme], async (screen, look) => {
      await screen.ready();
      await screen.page.locator('.poster:not([hidden])').waitFor();
      await look('ready');
    });
  });

  it('menus and sheets', async () => {
    await visit(await link(), [size, scheme], async (screen, look) => {
      const { page } = screen;
      await screen.ready();
      await standStill(screen, screen.until.bind(screen));
      await page.getByRole('button', { name: 'Settings' }).click();
      await look('menu');
      await page.getByRole('menuitem', { name: /^Chapters/ }).click();
      await look('chapters');
      await page.keyboard.press('Escape');
      await page.getByRole('menuitem', { name: /^Captions/ }).click();
      await page.getByRole('menuitem', { name: 'Caption style' }).click();
      await look('caption-style');
      await page.keyboard.press('Escape');
      await page.keyboard.press('Escape');
      await page.getByRole('menuitem', { name: 'More' }).click();
      await page.getByRole('menuitem', { name: /^AirPlay/ }).click();
      await look('cast');
      for (let i = 0; i < 3; i++) await page.keyboard.press('Escape');
      await page.keyboard.press('?');
      await look('keys');
      await page.keyboard.press('Escape');
      await page.keyboard.press('i');
      await page.locator('.statistics dd').first().waitFor();
      // Figures are never the same twice.
      await page.locator('.statistics dd').evaluateAll((all) => {
        for (const one of all) (one as HTMLElement).style.visibility = 'hidden';
      });
      expect(await violations(page)).toEqual([]);
    });
  });
});

describe('in other languages', () => {
  it.each([
    ['de', 'Einstellungen', 'Mehr'],
    ['es', 'Ajustes', 'Más'],
  ])('the menu (%s)', async (language, settings, more) => {
    await visit(await link(), ['desktop', 'dark'], async (screen, look) => {
      const { page } = screen;
      await screen.ready();
      await page.evaluate((tag) => (document.documentElement.lang = tag), language);
      await standStill(screen, screen.until.bind(screen));
      await page.getByRole('button', { name: settings }).click();
      await look(`menu-${language}`);
      await page.getByRole('menuitem', { name: more }).click();
      await look(`more-${language}`);
    });
  });
});

describe('a failure', () => {
  const without = (name: string): void => {
    Reflect.deleteProperty(globalThis, name);
  };
  const failures: readonly [string, (whole: string) => Promise<string> | string, boolean?][] = [
    ['link-incomplete', (whole) => whole.split('#')[0] ?? ''],
    ['link-unknown', (whole) => whole.replace(/[0-9a-f]{32}/, '0'.repeat(32))],
    ['secret-wrong', (whole) => `${whole.split('#')[0]}#${'A'.repeat(43)}`],
    ['browser-unsupported', (whole) => whole, true],
  ];

  it.each(failures)('%s', async (code, change, isOld = false) => {
    const address = await change(await link());
    for (const of of [['desktop', 'light'] as const, ['phone', 'dark'] as const]) {
      await visit(address, of, async (screen, look) => {
        if (isOld) {
          await screen.page.addInitScript(without, 'Worker');
          await screen.page.reload();
        }
        expect((await screen.failure()).code).toBe(code);
        await look(code);
      });
    }
  });

  it('grant-revoked', async () => {
    const { grant, link: address } = await house.share(FILM);
    await house.run('revoke', grant);
    await visit(address, ['desktop', 'dark'], async (screen, look) => {
      expect((await screen.failure()).code).toBe('grant-revoked');
      await look('grant-revoked');
    });
  });
});
