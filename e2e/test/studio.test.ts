/** The studio's page at a real studio: from an upload to a link that plays, two who edit one production, and no network. */

import { execFileSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContext } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { launch } from '../chromium.mjs';
import { violations } from '../harness/looks';
import type { Running } from '../harness/server';
import { Desk, startStudio } from '../harness/studio';
import { Viewer } from '../harness/viewer';

const STORY = `# A letter

Last night the keeper wrote a letter.

And threw it into the sea.

A child found it.`;

let studio: Running<{ readonly url: string }>;
let browser: Browser;
let closeBrowser: () => Promise<void>;
let context: BrowserContext;
let picture: string;

beforeAll(async () => {
  studio = await startStudio(inject('data'));
  const { context: first, close } = await launch();
  const found = first?.browser();
  if (!found) throw new Error('the browser cannot be reached');
  [browser, closeBrowser] = [found, close];
  context = await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: 'en' });
  picture = join(mkdtempSync(join(tmpdir(), 'veilcast-picture-')), 'sea.png');
  const made = ['-f', 'lavfi', '-i', 'testsrc2=size=640x360', '-frames:v', '1', picture];
  execFileSync('ffmpeg', ['-v', 'error', '-y', ...made]);
});
afterAll(async () => {
  await closeBrowser();
  await studio.end();
});

const open = (): Promise<Desk> => Desk.open(context, studio.said.url);

describe('from an upload to a link that plays', () => {
  it('uploads, makes, publishes, shares, and the link plays until it is revoked', async () => {
    const desk = await open();
    const { page } = desk;
    expect(page.url()).not.toContain('token');

    await desk.upload(picture);
    await desk.sees('sea.png');

    await desk.produce('A letter', STORY);
    expect(await desk.scenes()).toHaveLength(3);
    await page.getByRole('tab', { name: 'Background' }).click();
    await desk.button('Picture or video').click();
    await page.getByRole('dialog').getByRole('button', { name: 'sea.png' }).click();
    await page.getByRole('tab', { name: 'Voice' }).click();
    await page.getByLabel('Who speaks').selectOption('none');
    await page.getByRole('tab', { name: 'Render' }).click();
    await page.getByLabel('Height').selectOption('640');
    await desk.saved();
    await page.getByRole('img', { name: /as a draft renders it/ }).waitFor({ timeout: 60_000 });

    await desk.button('Render the video').click();
    const video = page.locator('article video');
    await video.waitFor({ timeout: 120_000 });
    await page.locator('article').getByRole('button', { name: 'Publish' }).click();

    await desk.go('queue');
    const done = page.getByRole('listitem').filter({ hasText: 'Publishing' });
    await done.getByText('Done').waitFor({ timeout: 120_000 });

    await desk.go('published');
    await page.getByRole('listitem').filter({ hasText: 'A letter' }).first().click();
    await page.getByLabel('For whom').fill('Ana');
    await desk.button('Make a link').click();
    const link = await page.getByLabel('Link', { exact: true }).inputValue();
    const viewer = await Viewer.start();
    try {
      await viewer.visit(link, async (screen) => {
        await screen.ready();
        await screen.play();
        expect(screen.errors).toEqual([]);
      });
      await page
        .getByRole('listitem')
        .filter({ hasText: 'Ana' })
        .last()
        .getByText('Revoke')
        .click();
      await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
      await page.getByText('Revoked').waitFor();
      await viewer.visit(link, async (screen) => {
        expect((await screen.failure()).code).toBe('grant-revoked');
      });
    } finally {
      await viewer.close();
    }
    desk.expectPeace();
    await page.close();
  }, 400_000);
});

describe('a production', () => {
  it('is edited by keyboard and undone, and saves itself', async () => {
    const desk = await open();
    const { page } = desk;
    await desk.produce('Moves', STORY);
    const before = await desk.scenes();
    await page.getByRole('option').first().focus();
    await page.keyboard.press('Alt+ArrowRight');
    const [first, second, third] = before;
    expect(await desk.scenes()).toEqual([second, first, third]);
    await desk.saved();
    await page.keyboard.press('Control+z');
    expect(await desk.scenes()).toEqual(before);
    await page.getByLabel('Text, spoken and shown').fill('Other words.');
    await desk.saved();
    await page.reload();
    await page.getByText('Other words.').first().waitFor();
    desk.expectPeace();
    await page.close();
  });

  it('that two edit asks one of them, and loses nothing', async () => {
    const elsewhere = await browser.newContext({ locale: 'en' });
    const [one, other] = [await open(), await Desk.open(elsewhere, studio.said.url)];
    const id = await one.produce('Both', STORY);
    await other.go(`production/${id}/story`);
    await other.page.getByRole('option').first().waitFor();
    await elsewhere.setOffline(true);
    await other.page.getByLabel('Heading').fill('From the other');
    await other.sees('Kept here, sent later');
    await one.page.getByLabel('Heading').fill('From the one');
    await one.saved();
    await elsewhere.setOffline(false);
    await other.sees('Somebody else changed this too', 20_000);
    await other.button('Keep mine').click();
    await other.saved();
    await expect
      .poll(() => one.page.getByLabel('Heading').inputValue(), { timeout: 10_000 })
      .toBe('From the other');
    one.expectPeace();
    other.expectPeace();
    await one.page.close();
    await elsewhere.close();
  });

  it('is kept while the studio is away, even if the page is closed', async () => {
    const desk = await open();
    const id = await desk.produce('Away', STORY);
    await desk.saved();
    await context.setOffline(true);
    await desk.page.getByLabel('Heading').fill('Written offline');
    await desk.sees('Kept here, sent later');
    await desk.page.close();
    await context.setOffline(false);
    const again = await open();
    await again.go(`production/${id}`);
    await again.saved();
    await expect.poll(() => again.page.getByLabel('Heading').inputValue()).toBe('Written offline');
    again.expectPeace();
    await again.page.close();
  });
});

describe('the page', () => {
  it('needs the printed address, and says so', async () => {
    const stranger = await browser.newContext({ locale: 'en' });
    const page = await stranger.newPage();
    await page.goto(new URL('/', studio.said.url).href);
    await page.getByRole('heading', { name: 'This studio is locked' }).waitFor();
    await page.getByLabel('Address or password').fill(studio.said.url);
    await page.getByRole('button', { name: 'Unlock' }).click();
    await page.getByRole('heading', { name: 'Library' }).waitFor();
    await stranger.close();
  });

  it.each(['light', 'dark'] as const)('reads well on every screen in %s', async (colorScheme) => {
    const desk = await open();
    await desk.page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    const id = await desk.produce('Reads', STORY);
    const parts = ['story', 'background', 'voice', 'captions', 'render'];
    const places = parts.map((part) => `production/${id}/${part}`);
    const screens = ['library', 'library/media', 'production', 'queue', 'published'];
    const wrong: string[] = [];
    for (const place of [...screens, 'trace', 'performance', 'settings', ...places]) {
      await desk.go(place);
      const loading = desk.page.locator('[aria-busy=true][role=status]');
      await loading.first().waitFor({ state: 'detached' });
      const found = await violations(desk.page);
      wrong.push(...found.map((what) => `${place}: ${what}`));
    }
    expect(wrong).toEqual([]);
    desk.expectPeace();
    await desk.page.close();
  });

  it('asks for nothing while nothing happens, and one tab listens for all', async () => {
    const desks = [await open(), await open()];
    for (const desk of desks) await desk.go('library/media');
    await desks[0]!.page.waitForTimeout(1500);
    for (const desk of desks) desk.asked.length = 0;
    await desks[0]!.page.waitForTimeout(3000);
    expect(desks.flatMap(({ asked }) => asked)).toEqual([]);
    for (const { page } of desks) await page.close();
  });

  it('opens without its studio, once it was open', async () => {
    const desk = await open();
    await desk.page.evaluate(async () => {
      const { active } = await navigator.serviceWorker.ready;
      if (active?.state === 'activated') return;
      await new Promise((done) => active?.addEventListener('statechange', done, { once: true }));
    });
    await context.setOffline(true);
    await desk.page.reload();
    await desk.page.getByRole('heading', { name: 'The studio doesn’t answer' }).waitFor();
    await context.setOffline(false);
    await desk.button('Try again').click();
    await desk.heading('Library').waitFor();
    await desk.page.close();
  });
});
