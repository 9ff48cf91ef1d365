/** The trace screen at a real studio: a clip goes in, and a report comes out that reads well. */

import { execFileSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContext } from 'playwright-core';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { launch } from '../chromium.mjs';
import { violations } from '../harness/looks';
import type { Running } from '../harness/server';
import { Desk, startStudio } from '../harness/studio';

let studio: Running<{ readonly url: string }>;
let browser: Browser;
let closeBrowser: () => Promise<void>;
let context: BrowserContext;
let clip: string;

beforeAll(async () => {
  studio = await startStudio(inject('data'));
  const { context: first, close } = await launch();
  const found = first?.browser();
  if (!found) throw new Error('the browser cannot be reached');
  [browser, closeBrowser] = [found, close];
  context = await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: 'en' });
  clip = join(mkdtempSync(join(tmpdir(), 'veilcast-clip-')), 'leak.mp4');
  const picture = ['-f', 'lavfi', '-i', 'testsrc2=size=320x180:rate=10:duration=6'];
  execFileSync('ffmpeg', ['-v', 'error', '-y', ...picture, '-pix_fmt', 'yuv420p', clip]);
});
afterAll(async () => {
  await closeBrowser();
  await studio.end();
});

it('tells of a stranger’s clip that it was never marked here, and keeps the report', async () => {
  const desk = await Desk.open(context, studio.said.url);
  const { page } = desk;
  await desk.go('trace');
  await desk.heading('Trace').waitFor();
  await page.locator('input[type=file]').setInputFiles(clip);
  await desk.sees('No title that was marked here.');
  expect(await violations(page)).toEqual([]);
  const answer = await page.request.get(
    new URL((await page.getByRole('link', { name: 'Data' }).getAttribute('href')) ?? '', page.url())
      .href,
  );
  const report = (await answer.json()) as Record<string, unknown>;
  expect(report).toMatchObject({ v: 1, verdict: 'unknown_title', title: null, viewers: [] });
  expect(report).toMatchObject({ leak: { name: 'leak.mp4' } });

  await page.getByRole('link', { name: 'Back' }).click();
  await page.getByRole('heading', { name: 'Traces so far' }).waitFor();
  await page
    .getByRole('listitem')
    .getByRole('link', { name: /leak\.mp4/ })
    .click();
  await desk.sees('No title that was marked here.');
  desk.expectPeace();
  await page.close();
});
