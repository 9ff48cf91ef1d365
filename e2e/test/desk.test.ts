/** What comes into a studio and goes out of it: productions as files, watched folders, and what the page edits of a document. */

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BrowserContext } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { launch } from '../chromium.mjs';
import { violations } from '../harness/looks';
import type { Running } from '../harness/server';
import { Desk, startStudio } from '../harness/studio';

const STORY = `# A letter

Last night the keeper wrote a letter.

And threw it into the sea.`;

const root = mkdtempSync(join(tmpdir(), 'veilcast-desk-'));
const folder = join(root, 'watched');
let studio: Running<{ readonly url: string }>;
let closeBrowser: () => Promise<void>;
let context: BrowserContext;

function picture(path: string): void {
  const made = ['-f', 'lavfi', '-i', 'testsrc2=size=320x180', '-frames:v', '1', path];
  execFileSync('ffmpeg', ['-v', 'error', '-y', ...made]);
}

beforeAll(async () => {
  mkdirSync(folder);
  picture(join(folder, 'lighthouse.png'));
  writeFileSync(join(folder, 'notes.txt'), 'no media');
  studio = await startStudio(join(root, 'data'), '--watch', folder);
  const { context: first, close } = await launch();
  const found = first?.browser();
  if (!found) throw new Error('the browser cannot be reached');
  closeBrowser = close;
  context = await found.newContext({ locale: 'en', acceptDownloads: true });
});
afterAll(async () => {
  await closeBrowser();
  await studio.end();
});

const open = (): Promise<Desk> => Desk.open(context, studio.said.url);

it('what lies in a watched folder comes into the library, once, and stays as it is', async () => {
  const before = statSync(join(folder, 'lighthouse.png'));
  const desk = await open();
  await desk.go('library/media');
  await desk.sees('lighthouse.png');
  await desk.go('settings');
  await desk.sees('In the library: 1 · no media: 1 · waiting: 0');
  // The same content under another name is the same medium; a new one comes by itself.
  writeFileSync(join(folder, 'again.png'), readFileSync(join(folder, 'lighthouse.png')));
  mkdirSync(join(folder, 'deeper'));
  picture(join(folder, 'deeper/sea.png'));
  const sound = ['-f', 'lavfi', '-i', 'sine=duration=1', join(folder, 'deeper/horn.wav')];
  execFileSync('ffmpeg', ['-v', 'error', '-y', ...sound]);
  await desk.sees('In the library: 4 · no media: 1 · waiting: 0');
  await desk.go('library/media');
  await desk.sees('horn.wav');
  expect(await desk.page.getByRole('listitem').count()).toBe(2);
  const after = statSync(join(folder, 'lighthouse.png'));
  expect([after.ino, after.size, after.mtimeMs]).toEqual([before.ino, before.size, before.mtimeMs]);
  desk.expectPeace();
  await desk.page.close();
});

it('a production goes out as a file and comes in again, by a button or dropped, and that is undone', async () => {
  const desk = await open();
  const { page } = desk;
  await desk.produce('Goes out', STORY);
  const scenes = await desk.scenes();
  const saved = page.waitForEvent('download');
  // Of a browser that others started, no file comes over the line; what is in it is read where it is made.
  const written = page.evaluate(
    () =>
      new Promise<string>((resolve) => {
        const make = URL.createObjectURL.bind(URL);
        URL.createObjectURL = (blob) => {
          // Previews are pictures.
          if (blob instanceof Blob && blob.type === 'application/json') resolve(blob.text());
          return make(blob);
        };
      }),
  );
  await desk.button('Export as a file').click();
  expect((await saved).suggestedFilename()).toBe('Goes out.json');
  const path = join(root, 'out.json');
  const document = JSON.parse(await written);
  expect(document).toMatchObject({ version: 1, scenes: [{}, {}] });

  document.title = 'Came in';
  document.scenes = [{ text: 'Only this.' }];
  writeFileSync(path, JSON.stringify(document));
  await page.locator('header input[type=file]').setInputFiles(path);
  await expect.poll(() => desk.scenes()).toEqual(['Only this.']);
  await desk.saved();
  await page.getByRole('button', { name: 'Undo' }).first().click();
  expect(await desk.scenes()).toEqual(scenes);

  await page.evaluate(
    (text) => {
      const dataTransfer = new DataTransfer();
      dataTransfer.items.add(new File([text], 'dropped.json'));
      dispatchEvent(new DragEvent('drop', { dataTransfer, cancelable: true }));
    },
    readFileSync(path, 'utf8'),
  );
  await expect.poll(() => desk.scenes()).toEqual(['Only this.']);

  const none = join(root, 'none.json');
  writeFileSync(none, '{"scenes": [7]}');
  await page.locator('header input[type=file]').setInputFiles(none);
  await desk.sees(/No production in none.json/);
  expect(await desk.scenes()).toEqual(['Only this.']);

  await desk.go('production');
  await page.locator('header input[type=file]').setInputFiles(path);
  await desk.sees('Came in');
  desk.expectPeace();
  await page.close();
});

it('intro, outro, a picture in a corner and captions of one scene are edited and undone', async () => {
  const desk = await open();
  const { page } = desk;
  const id = await desk.produce('Whole', STORY);
  await desk.button('Add an intro').click();
  await page.getByLabel('Heading').nth(1).fill('Welcome');
  await desk.button('Add an outro').click();
  await desk.saved();
  await page.getByRole('tab', { name: 'Background' }).click();
  await desk.button('Choose a picture').click();
  await page.getByRole('dialog').getByRole('button', { name: 'lighthouse.png' }).click();
  await page.getByLabel('Corner').selectOption('bottom-left');
  await page.getByRole('tab', { name: 'Captions' }).click();
  await desk.button('Its own look').click();
  await page.getByLabel('Pop').nth(1).check();
  await desk.saved();
  const base = new URL(studio.said.url).origin;
  const read = async () => (await page.request.get(`${base}/v1/productions/${id}`)).json();
  const { document } = await read();
  expect(document).toMatchObject({
    intro: { heading: 'Welcome' },
    outro: { heading: 'Whole' },
    watermark: { position: 'bottom-left' },
    scenes: [{ captions: { style: 'pop' } }, {}],
  });
  for (const part of ['story', 'background', 'captions', 'voice']) {
    await desk.go(`production/${id}/${part}`);
    await page.getByRole('tabpanel').locator('section, .fields').first().waitFor();
    expect(await violations(page)).toEqual([]);
  }
  const undo = page.getByRole('button', { name: 'Undo' }).first();
  while (await undo.isEnabled()) await undo.click();
  await desk.saved();
  const undone = (await read()).document;
  expect([undone.intro, undone.outro, undone.watermark]).toEqual([undefined, undefined, undefined]);
  expect(undone.scenes[0].captions).toBeUndefined();
  desk.expectPeace();
  await page.close();
});
