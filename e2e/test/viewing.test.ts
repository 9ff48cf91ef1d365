/** What a viewer sees and chooses: chapters, captions' looks, figures, keys, language, position, media keys. */

import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { makeFilm, type ChapterAt } from '../harness/film';
import { TITLE } from '../harness/setup';
import { Veilcast } from '../harness/veilcast';
import { Viewer, type Screen } from '../harness/viewer';

const house = Veilcast.at(inject('data'));
const FILM = 'Everything to choose';
const CHAPTERS: readonly ChapterAt[] = [
  [0, 'Snow'],
  [3, 'The dragon'],
  [7, ''],
];
let viewer: Viewer;
let film: string;

beforeAll(async () => {
  viewer = await Viewer.start();
  film = makeFilm(mkdtempSync(join(tmpdir(), 'veilcast-film-')), CHAPTERS);
  await house.import(film, FILM, '360,720');
});
afterAll(async () => {
  await house.run('remove', FILM, '--yes');
  await viewer.close();
});

/** Opens the film in a new page. */
async function watch(test: (screen: Screen) => Promise<void>, title = FILM): Promise<void> {
  const { link } = await house.share(title);
  await viewer.visit(link, async (screen) => {
    await screen.ready();
    await test(screen);
    expect(screen.errors).toEqual([]);
    expect(await screen.violations()).toEqual([]);
  });
}

async function openMenu({ page }: Screen, ...names: readonly (string | RegExp)[]): Promise<void> {
  await page.getByRole('button', { name: 'Settings' }).click();
  for (const name of names) await page.getByRole('menuitem', { name }).click();
}

const cueRules = ({ page }: Screen) =>
  page.evaluate(() => {
    const { shadowRoot } = document.querySelector('veil-player') as HTMLElement;
    const rules = shadowRoot!.adoptedStyleSheets.flatMap((sheet) => Array.from(sheet.cssRules));
    return rules.findLast(({ cssText }) => cssText.includes('::cue'))?.cssText ?? '';
  });

describe('chapters', () => {
  it('come from the source, through the seal, onto the seek bar', () =>
    watch(async (screen) => {
      const { page } = screen;
      const chapters = await page.evaluate(() => {
        const player = document.querySelector('veil-player') as unknown as {
          openedTitle: { chapters: object[] };
        };
        return player.openedTitle.chapters;
      });
      expect(chapters).toEqual(CHAPTERS.map(([s, title]) => ({ startUs: s * 1e6, title })));
      await page.locator('.marks i').nth(1).waitFor({ state: 'attached' });
      await expect.poll(() => page.locator('.marks i').count()).toBe(2);
      const slider = page.getByRole('slider', { name: 'Seek' });
      const box = await slider.boundingBox();
      if (!box) throw new Error('the seek bar is not shown');
      await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2, { steps: 3 });
      await page.locator('.preview-chapter', { hasText: 'The dragon' }).waitFor();
    }));

  it('are gone to by key and by menu, and said by the slider', () =>
    watch(async (screen) => {
      const { page } = screen;
      await page.locator('veil-player').focus();
      await page.keyboard.press('Shift+ArrowRight');
      await screen.until(({ time }) => Math.abs(time - 3) < 0.2);
      await page.getByRole('status').getByText('The dragon').waitFor();
      await page.keyboard.press('Control+ArrowRight');
      await screen.until(({ time }) => Math.abs(time - 7) < 0.2);
      await page.getByRole('status').getByText('Chapter 3').waitFor();
      const cues = await page.evaluate(() => {
        const { video } = document.querySelector('veil-player') as unknown as {
          video: HTMLVideoElement;
        };
        const track = [...video.textTracks].find(({ kind }) => kind === 'chapters');
        return Array.from(track?.cues ?? []).map((cue) => [
          cue.startTime,
          cue.endTime,
          (cue as VTTCue).text,
        ]);
      });
      expect(cues.map(([start]) => start)).toEqual([0, 3, 7]);
      expect(cues[1]).toEqual([3, 7, 'The dragon']);
      await page.keyboard.press('Shift+ArrowLeft');
      await screen.until(({ time }) => Math.abs(time - 3) < 0.2);
      const slider = page.getByRole('slider', { name: 'Seek' });
      // The time is set at once, the words follow with the event.
      await expect
        .poll(() => slider.getAttribute('aria-valuetext'))
        .toMatch(/3 seconds of .*, The dragon$/);
      await openMenu(screen, /^Chapters/);
      const item = page.getByRole('menuitemradio', { name: /^Snow/ });
      await expect
        .poll(() => page.getByRole('menuitemradio').allInnerTexts())
        .toEqual(['Snow\n0:00', 'The dragon\n0:03', 'Chapter 3\n0:07']);
      await item.click();
      await screen.until(({ time }) => time < 0.2);
      await expect.poll(() => page.getByRole('menu').count()).toBe(0);
    }));
});

describe('captions', () => {
  it('look as the viewer chooses, and do so on the next visit', () =>
    watch(async (screen) => {
      const { page } = screen;
      await screen.play();
      await openMenu(screen, /^Captions/, 'Caption style', /^Size/);
      await page.getByRole('menuitemradio', { name: 'Very large' }).click();
      await page.getByRole('menuitem', { name: /^Colour/ }).click();
      await page.getByRole('menuitemradio', { name: 'Yellow' }).click();
      await expect
        .poll(() => cueRules(screen))
        .toMatch(/font-size: 190%.*color: rgb\(255, 233, 74\)/);
      await page.reload();
      await screen.ready();
      await screen.play();
      await openMenu(screen);
      await expect.poll(() => cueRules(screen)).toContain('font-size: 190%');
      await page.getByRole('menuitem', { name: /^Captions/ }).click();
      await page.getByRole('menuitem', { name: 'Caption style' }).click();
      await page.getByRole('menuitemradio', { name: 'Reset' }).click();
      await expect.poll(() => cueRules(screen)).toContain('font-size: 100%');
    }));
});

describe('a viewer who wants to know', () => {
  it('sees figures, and the list of keys', () =>
    watch(async (screen) => {
      const { page } = screen;
      await screen.play();
      await page.keyboard.press('i');
      const figures = page.getByRole('group', { name: 'Statistics' });
      await figures.getByText('of the browser').waitFor();
      const text = await figures.innerText();
      expect(text).toMatch(/1280×720 · 25 fps|640×360 · 25 fps/);
      expect(text).toMatch(/Buffer\s+\d+\.\d sec/);
      expect(text).toMatch(/Opening a segment\s+\d+\.\d ms/);
      expect(text).toMatch(/Dropped frames\s+\d+ of \d+/);
      await page.keyboard.press('i');
      await figures.waitFor({ state: 'hidden' });
      await page.keyboard.press('?');
      const help = page.getByRole('dialog', { name: 'Keyboard' });
      await help.getByText('Chapter back or forward').waitFor();
      await page.keyboard.press('Escape');
      await help.waitFor({ state: 'hidden' });
    }));

  it('is told why a sealed video is not cast', () =>
    watch(async (screen) => {
      await openMenu(screen, 'More', /^AirPlay and Cast/);
      await screen.page.getByText(/AirPlay and Cast would hand the opened video/).waitFor();
    }));
});

describe('the language', () => {
  it('is changed from the menu, at once and for the next visit', () =>
    watch(async (screen) => {
      const { page } = screen;
      await openMenu(screen, 'More', /^Language/);
      await page.getByRole('menuitemradio', { name: 'Deutsch' }).click();
      await page.getByRole('menuitem', { name: /^Sprache/ }).waitFor();
      await page.keyboard.press('Escape');
      await page.keyboard.press('Escape');
      await page.getByRole('button', { name: 'Einstellungen' }).waitFor();
      await page.reload();
      await page.getByRole('button', { name: 'Einstellungen' }).waitFor();
    }));

  it.each([
    ['zh', '播放'],
    ['es', 'Reproducir'],
    ['fr', 'Play'],
  ])('is the page’s (%s), as soon as the page says so', (language, word) =>
    watch(async ({ page }) => {
      await page.evaluate((tag) => (document.documentElement.lang = tag), language);
      await page.getByRole('button', { name: word, exact: true }).first().waitFor();
    }),
  );
});

describe('the position', () => {
  it('is offered on the next visit, and not where the viewer switched it off', () =>
    watch(async (screen) => {
      const { page } = screen;
      await screen.play();
      await screen.seek(25);
      await screen.until(({ time }) => time > 25.5);
      await page.keyboard.press('k');
      await screen.until(({ paused }) => paused);
      await page.reload();
      await screen.ready();
      const offer = page.getByRole('button', { name: /^Continue at 0:2\d$/ });
      await offer.click();
      await screen.until(({ time, paused }) => time > 25.6 && !paused);
      await offer.waitFor({ state: 'hidden' });
      const kept = await page.evaluate(() => JSON.stringify(localStorage));
      expect(kept).not.toContain(new URL(page.url()).pathname.split('/').at(-1));
      await openMenu(screen, 'More');
      await page.getByRole('menuitemcheckbox', { name: /^Remember position/ }).click();
      await page.reload();
      await screen.ready();
      expect(await offer.isVisible()).toBe(false);
      expect(await page.evaluate(() => localStorage.getItem('veilcast.positions'))).toBe('"off"');
    }, TITLE));
});

describe('the system', () => {
  it('is told what plays and where, and its keys work', () =>
    watch(async (screen) => {
      const { page } = screen;
      await page.evaluate(() => {
        const handlers = new Map<string, MediaSessionActionHandler | null>();
        Object.assign(globalThis, { handlers });
        navigator.mediaSession.setActionHandler = (action, handler) =>
          void handlers.set(action, handler);
      });
      await screen.play();
      await page.waitForFunction(() => navigator.mediaSession.playbackState === 'playing');
      const said = () =>
        page.evaluate(() => {
          const { metadata } = navigator.mediaSession;
          return [metadata?.title, metadata?.artwork[0]?.src.startsWith('blob:')];
        });
      await expect.poll(said).toEqual([FILM, true]);
      const press = (action: string, details = {}) =>
        page.evaluate(
          ([name, more]) => {
            const { handlers } = globalThis as unknown as {
              handlers: Map<string, (details: object) => void>;
            };
            handlers.get(name)?.({ action: name, ...more });
          },
          [action, details] as const,
        );
      await press('nexttrack');
      await screen.until(({ time }) => time >= 3 && time < 6);
      await press('pause');
      await screen.until(({ paused }) => paused);
      await press('seekto', { seekTime: 8 });
      await screen.until(({ time }) => Math.abs(time - 8) < 0.2);
      await page.evaluate(() => {
        (document.querySelector('veil-player') as unknown as { close(): void }).close();
      });
      await expect.poll(() => page.evaluate(() => navigator.mediaSession.metadata)).toBeNull();
    }));
});
