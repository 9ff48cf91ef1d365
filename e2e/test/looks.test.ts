/** How everything looks: on a desktop and a phone, dark and light, with menus, sheets and failures, and to a screen reader. */

import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { makeFilm } from '../harness/film';
import { violations, visitAndLook, type Look, type Scheme, type Size } from '../harness/looks';
import { Veilcast } from '../harness/veilcast';
import { Viewer, type Screen } from '../harness/viewer';

const house = Veilcast.at(inject('data'));
const FILM = 'A quiet film';
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

const visit = (
  address: string,
  of: readonly [Size, Scheme],
  test: (screen: Screen, look: Look) => Promise<void>,
): Promise<void> => visitAndLook(viewer, address, of, test);

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
