/**
 * How a page looks, held against a picture that somebody has looked at.
 *
 * Pictures are compared small, so that what an eye doesn't see (how a browser smooths letters, a shadow's edge) is no
 * difference. With `VEILCAST_WRITE_LOOKS` set, the pictures are written anew; look at them before you keep them. They hold for
 * Debian's Chromium with the font that Debian's FFmpeg brings (`fonts-dejavu-core`).
 */

import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { expect } from 'vitest';
import type { Screen, Viewer } from './viewer';

const SIZES = {
  desktop: { width: 1280, height: 800 },
  phone: { width: 390, height: 844 },
} as const;

/** On what it is looked at. */
export type Size = keyof typeof SIZES;
export type Scheme = 'dark' | 'light';

/** Looks at the page, and has axe look at it. */
export type Look = (name: string) => Promise<void>;

const FOLDER = fileURLToPath(new URL('../looks', import.meta.url));
const QUALITY = 55;
/** Part of the small picture's pixels that may differ. */
const TOLERANCE = 0.015;

/** Runs in a page: the part of pixels that differ, both pictures made small. */
async function difference([a, b]: readonly string[]): Promise<number> {
  const SMALL_PX = 240;
  /** Of 255, in any channel: below it a difference is smoothing. */
  const NOTICED = 36;
  const pixels = async (base64 = ''): Promise<ImageData> => {
    const bytes = Uint8Array.from(atob(base64), (letter) => letter.codePointAt(0) ?? 0);
    const image = await createImageBitmap(new Blob([bytes], { type: 'image/jpeg' }));
    const height = Math.round((image.height / image.width) * SMALL_PX);
    const canvas = new OffscreenCanvas(SMALL_PX, height);
    const context = canvas.getContext('2d')!;
    context.imageSmoothingQuality = 'high';
    context.drawImage(image, 0, 0, SMALL_PX, height);
    return context.getImageData(0, 0, SMALL_PX, height);
  };
  const [before, now] = await Promise.all([pixels(a), pixels(b)]);
  if (before.height !== now.height) return 1;
  let differing = 0;
  for (let i = 0; i < now.data.length; i += 4) {
    const channels = [0, 1, 2].map((c) => Math.abs(before.data[i + c]! - now.data[i + c]!));
    if (Math.max(...channels) > NOTICED) differing++;
  }
  return differing / (now.data.length / 4);
}

/**
 * Returns what is wrong with how the page looks, `null` for nothing. `judge` is an empty page that compares.
 */
async function compareLook(page: Page, judge: Page, name: string): Promise<string | null> {
  const path = join(FOLDER, `${name}.jpg`);
  const now = await page.screenshot({ type: 'jpeg', quality: QUALITY, animations: 'disabled' });
  if (process.env['VEILCAST_WRITE_LOOKS']) {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, now);
    return null;
  }
  if (!existsSync(path)) return `nobody has looked at ${name} yet: set VEILCAST_WRITE_LOOKS=1`;
  const before = await readFile(path, 'base64');
  const part = await judge.evaluate(difference, [before, now.toString('base64')]);
  if (part <= TOLERANCE) return null;
  const seen = join(dirname(FOLDER), 'out', `${name}.jpg`);
  await mkdir(dirname(seen), { recursive: true });
  await writeFile(seen, now);
  return `${name} looks different in ${(part * 100).toFixed(1)} % of its points: see ${seen}`;
}

/** What axe finds in the page; the test's own pages have no `unsafe-inline`, so it is evaluated and not loaded. */
export async function violations(page: Page): Promise<string[]> {
  const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
  await page.evaluate(await readFile(axe, 'utf8'));
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
export async function visitAndLook(
  viewer: Viewer,
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
