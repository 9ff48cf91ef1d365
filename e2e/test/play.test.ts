/** A link plays: picture, sound, seeking, quality, keyboard, captions, identity. */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { lock } from '../../player/test/locked';
import { TitleFolder } from '../harness/bucket';
import { openTitle } from '../harness/opened';
import { TITLE } from '../harness/setup';
import { Veilcast } from '../harness/veilcast';
import { Viewer, type Screen } from '../harness/viewer';

const house = Veilcast.at(inject('data'));
let viewer: Viewer;

beforeAll(async () => {
  viewer = await Viewer.start();
});
afterAll(() => viewer.close());

async function watch(test: (screen: Screen) => Promise<void>, ...share: string[]): Promise<void> {
  const { link } = await house.share(TITLE, ...share);
  await viewer.visit(link, async (screen) => {
    await screen.ready();
    await test(screen);
    expect(screen.errors).toEqual([]);
    expect(await screen.violations()).toEqual([]);
  });
}

describe('a link', () => {
  it('plays with picture and sound', () =>
    watch(async (screen) => {
      await screen.play();
      const picture = await screen.until(({ time }) => time > 3);
      expect(picture.frames).toBeGreaterThan(24);
      expect(picture.soundBytes).toBeGreaterThan(1000);
      expect(await screen.page.title()).toContain(TITLE);
    }));

  it('gives the decoder nothing but what was sealed', () =>
    watch(async (screen) => {
      const { link, grant } = await house.share(TITLE);
      const folder = new TitleFolder(join(house.data, 'bucket'), inject('title'));
      const { pieces } = await openTitle(folder, link, grant);
      await screen.play();
      await screen.seek(30);
      await screen.until(({ time }) => time > 31);
      const appended = await screen.appended();
      expect(appended.length).toBeGreaterThan(6);
      for (const { sha256 } of appended) expect(pieces).toContain(sha256);
    }));

  it('seeks forward beyond the buffer and back again', () =>
    watch(async (screen) => {
      await screen.play();
      for (const target of [45, 3, 25.5, 50, 0.5]) {
        expect(Math.abs((await screen.seek(target)) - target)).toBeLessThan(0.75);
      }
      await screen.until(({ time }) => time > 1.5);
    }));

  it('plays to its end', () =>
    watch(async (screen) => {
      await screen.play();
      await screen.seek(50);
      await screen.page.waitForFunction(() => {
        const { video } = document.querySelector('veil-player') as unknown as {
          video: HTMLVideoElement;
        };
        return video.ended;
      });
    }));

  it('switches quality from the menu', () =>
    watch(async (screen) => {
      const { page } = screen;
      await screen.play();
      for (const [name, width] of [
        ['480', 854],
        ['720', 1280],
      ] as const) {
        await page.getByRole('button', { name: /settings/i }).click();
        await page.getByRole('menuitem', { name: /quality/i }).click();
        await page.getByRole('menuitemradio', { name: new RegExp(`^${name}p`) }).click();
        await page.keyboard.press('Escape');
        await screen.seek(name === '480' ? 20 : 40);
        await screen.until((picture) => picture.width === width);
      }
    }));

  it('obeys the keyboard', () =>
    watch(async (screen) => {
      const { page } = screen;
      await page.locator('veil-player').focus();
      await page.keyboard.press('k');
      await screen.until(({ paused, time }) => !paused && time > 0.2);
      await page.keyboard.press('k');
      await screen.until(({ paused }) => paused);
      await page.keyboard.press('5');
      const middle = await screen.until(({ time }) => time > 20);
      await page.keyboard.press('l');
      await screen.until(({ time }) => time > middle.time + 5);
      await page.keyboard.press('j');
      await screen.until(({ time }) => time < middle.time + 5);
      await page.keyboard.press('m');
      const slider = page.getByRole('slider', { name: /seek|position|time/i }).first();
      await expect.poll(() => slider.getAttribute('aria-valuetext')).toMatch(/of/);
    }));

  it('shows storyboard pictures over the seek bar', () =>
    watch(async (screen) => {
      const slider = screen.page.getByRole('slider', { name: /seek|position|time/i }).first();
      const box = await slider.boundingBox();
      if (!box) throw new Error('the seek bar is not shown');
      await screen.page.mouse.move(box.x + box.width / 2, box.y + box.height / 2, { steps: 4 });
      await screen.page.waitForFunction(() => {
        const root = document.querySelector('veil-player')?.shadowRoot;
        const canvas = root?.querySelector<HTMLCanvasElement>('.preview canvas');
        if (!canvas?.width) return false;
        const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height);
        return data.some((value, at) => at % 4 < 3 && value > 16);
      });
    }));
});

/** The first case of a file of shared test vectors. */
function vector(name: string): Record<string, string> {
  const file = new URL(`../../vectors/${name}.json`, import.meta.url);
  const { cases } = JSON.parse(readFileSync(file, 'utf8')) as { cases: Record<string, string>[] };
  return cases[0] ?? {};
}

describe('a grant for a recipient', () => {
  const folder = mkdtempSync(join(tmpdir(), 'veilcast-identity-'));
  const { identity, recipient } = vector('envelope');
  const { identity: stranger } = vector('link');

  /** Brings a file as soon as one is asked for. */
  async function give(screen: Screen, name: string, content: string | Uint8Array): Promise<void> {
    writeFileSync(join(folder, name), content);
    const input = screen.page.locator('input[type=file]').first();
    await input.waitFor({ state: 'attached' });
    await input.setInputFiles(join(folder, name));
  }

  it('asks for an identity, refuses a stranger’s, and plays with the right one', async () => {
    const { link } = await house.share(TITLE, '--to', recipient ?? '');
    await viewer.visit(link, async (screen) => {
      await give(screen, 'letter.txt', 'Dear Sir or Madam');
      await screen.page
        .getByText(/not an identity/i)
        .first()
        .waitFor();
      await give(screen, 'stranger.txt', `${stranger}\n`);
      await screen.page
        .getByText(/doesn’t open/i)
        .first()
        .waitFor();
      await give(screen, 'identity.txt', `# mine\n${identity}\n`);
      await screen.ready();
      await screen.play();
    });
  });

  it('unlocks a locked identity with its passphrase, typed wrong before it is typed right', async () => {
    const { link } = await house.share(TITLE, '--to', recipient ?? '');
    await viewer.visit(link, async (screen) => {
      const { page } = screen;
      await give(screen, 'stranger.veil', lock(`${stranger}\n`, 'theirs'));
      const field = page.locator('#passphrase');
      const isFocused = () => field.evaluate((input) => document.activeElement === input);
      await field.waitFor();
      await expect.poll(isFocused).toBe(true);
      await give(screen, 'identity.veil', lock(`# mine\n${identity}\n`, 'correct horse – 電池'));
      await field.fill('correct horse');
      await field.press('Enter');
      await page.getByRole('alert').getByText('That passphrase is wrong').waitFor();
      await expect.poll(() => field.inputValue()).toBe('');
      await expect.poll(isFocused).toBe(true);
      await field.fill('correct horse – 電池');
      await field.press('Enter');
      await screen.ready();
      await screen.play();
      expect(await page.evaluate(() => [localStorage.length, sessionStorage.length])).toEqual([
        0, 0,
      ]);
      expect(screen.errors).toEqual([]);
      expect(await screen.violations()).toEqual([]);
    });
  });
});

describe('the player in a page without words of its own', () => {
  it('asks for an identity and its passphrase by itself', async () => {
    const { identity, recipient } = vector('envelope');
    const { link } = await house.share(TITLE, '--to', recipient ?? '');
    await viewer.visit(link, async (screen) => {
      await screen.page.evaluate(takeWordsAway);
      const panel = screen.page.locator('veil-player .message:visible');
      await panel.getByText('This video wants your identity').waitFor();
      const buffer = Buffer.from(lock(identity ?? '', 'correct horse'));
      const file = { name: 'identity.veil', mimeType: '', buffer };
      await panel.getByLabel('Identity file').setInputFiles(file);
      await panel.getByLabel('Passphrase').fill('wrong');
      await panel.getByLabel('Passphrase').press('Enter');
      await panel.getByRole('alert').getByText('That passphrase is wrong').waitFor();
      await panel.getByLabel('Passphrase').fill('correct horse');
      await panel.getByRole('button', { name: 'Unlock' }).click();
      await screen.ready();
      await screen.play();
    });
  });
});

/** Runs in the page: what it puts into the player's slot for identities goes nowhere. */
function takeWordsAway(): void {
  const take = () => document.querySelector('[slot=identity]')?.setAttribute('slot', 'nowhere');
  new MutationObserver(take).observe(document.body, { subtree: true, childList: true });
  take();
}

describe('a title with subtitles and two sounds', () => {
  it('offers captions by language and shows them', async () => {
    const film = join(mkdtempSync(join(tmpdir(), 'veilcast-film-')), 'film.mkv');
    makeFilm(film);
    await house.import(film, 'Two languages');
    const { link } = await house.share('Two languages');
    await viewer.visit(link, async (screen) => {
      const { page } = screen;
      await screen.ready();
      await screen.play();
      await page
        .getByRole('button', { name: /captions/i })
        .first()
        .click();
      const german = page.getByRole('menuitemradio', { name: /deutsch|german/i });
      if (await german.isVisible()) await german.click();
      await page.waitForFunction(() => {
        const { video } = document.querySelector('veil-player') as unknown as {
          video: HTMLVideoElement;
        };
        return [...video.textTracks].some((track) => {
          const cue = track.activeCues?.[0] as VTTCue | undefined;
          return track.mode !== 'disabled' && cue?.text.includes('Guten Tag');
        });
      });
    });
    await house.run('remove', 'Two languages', '--yes');
  });
});

/** Eight seconds with sound in two languages and German subtitles. */
function makeFilm(path: string): void {
  const subtitles = path.replace('.mkv', '.srt');
  writeFileSync(subtitles, '1\n00:00:00,200 --> 00:00:07,500\nGuten Tag\n');
  const tone = (hertz: number) => ['-f', 'lavfi', '-i', `sine=frequency=${hertz}:duration=8`];
  const picture = ['-f', 'lavfi', '-i', 'testsrc2=size=640x360:rate=25:duration=8'];
  const maps = ['0:v', '1:a', '2:a', '3:s'].flatMap((map) => ['-map', map]);
  const languages = ['s:a:0 language=eng', 's:a:1 language=deu', 's:s:0 language=deu'];
  const metadata = languages.flatMap((one) => {
    const [stream, value] = one.split(' ') as [string, string];
    return [`-metadata:${stream}`, value];
  });
  const codecs = ['-c:v', 'libx264', '-preset', 'ultrafast', '-c:a', 'aac', '-c:s', 'srt'];
  const inputs = [...picture, ...tone(330), ...tone(440), '-i', subtitles];
  execFileSync('ffmpeg', ['-v', 'error', '-y', ...inputs, ...maps, ...metadata, ...codecs, path]);
}
