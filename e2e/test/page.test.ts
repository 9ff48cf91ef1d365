/** The page around the player: readable by everybody, on every screen. */

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { TITLE } from '../harness/setup';
import { Veilcast } from '../harness/veilcast';
import { Viewer, type Screen } from '../harness/viewer';
import { lock } from '../../player/test/locked';
import { cases } from '../../player/test/vectors';

const house = Veilcast.at(inject('data'));
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const SCREENS = [
  { name: 'desktop', width: 1280, height: 800 },
  { name: 'phone', width: 390, height: 844 },
];
let viewer: Viewer;

beforeAll(async () => {
  viewer = await Viewer.start();
});
afterAll(() => viewer.close());

describe.each(SCREENS)('on a $name', ({ width, height }) => {
  it.each(['dark', 'light'] as const)('passes the accessibility checks in %s', async (scheme) => {
    const { link } = await house.share(TITLE);
    const check = async (screen: Screen): Promise<void> => {
      await screen.ready();
      await checkPage(screen, scheme);
    };
    await viewer.visit(link, check, { width, height });
  });

  it.each(['dark', 'light'] as const)(
    'passes them with a locked identity in %s',
    async (scheme) => {
      const [{ recipient }] = cases<{ recipient: string }>('envelope') as [{ recipient: string }];
      const { link } = await house.share(TITLE, '--to', recipient);
      const check = async (screen: Screen): Promise<void> => {
        const field = screen.page.locator('#passphrase');
        const files = screen.page.locator('input[type=file]').first();
        await screen.page.getByText('This video is for one recipient').waitFor();
        await checkPage(screen, scheme);
        const buffer = Buffer.from(lock('', 'correct horse'));
        await files.setInputFiles({ name: 'identity.veil', mimeType: '', buffer });
        await field.waitFor();
        await checkPage(screen, scheme);
        await field.fill('wrong');
        await field.press('Enter');
        await screen.page.getByText('That passphrase is wrong.').waitFor();
        await checkPage(screen, scheme);
      };
      await viewer.visit(link, check, { width, height });
    },
  );

  it.each(['dark', 'light'] as const)('passes them where videos are kept in %s', async (scheme) => {
    const { link } = await house.share(TITLE);
    const check = async (screen: Screen): Promise<void> => {
      const { page } = screen;
      const button = (name: string) => page.getByRole('button', { name, exact: true });
      await screen.ready();
      await button('Keep offline').click();
      await checkPage(screen, scheme);
      await button('Keep').click();
      await page.locator('[data-copy=whole]').waitFor();
      await checkPage(screen, scheme);
      await button('About this page').click();
      await page.locator('[data-hash]').waitFor();
      await checkPage(screen, scheme);
      await page.goto(`${inject('url')}/w/`);
      await page.getByText(/^Video, /).waitFor();
      await page.getByLabel('Open a link').fill('no link');
      await button('Open').click();
      await page.getByText('That is not a whole link.').waitFor();
      await checkPage(screen, scheme);
    };
    await viewer.visit(link, check, { width, height });
  });

  it('stands still while it opens', async () => {
    const { link } = await house.share(TITLE);
    const check = async (screen: Screen): Promise<void> => {
      await screen.ready();
      await screen.until(({ width: picture }) => picture > 0);
      expect(await layoutShift(screen)).toBeLessThan(0.05);
    };
    await viewer.visit(link, check, { width, height });
  });
});

/** The sum of all layout shifts so far (W3C draft Layout Instability): at least the cumulative layout shift. */
function layoutShift({ page }: Screen): Promise<number> {
  return page.evaluate(
    () =>
      new Promise<number>((resolve) => {
        let sum = 0;
        new PerformanceObserver((list) => {
          for (const entry of list.getEntries())
            sum += (entry as unknown as { value: number }).value;
        }).observe({ type: 'layout-shift', buffered: true });
        // What was buffered is told in a task of its own.
        setTimeout(() => resolve(sum), 100);
      }),
  );
}

async function checkPage(screen: Screen, colorScheme: 'dark' | 'light'): Promise<void> {
  await screen.page.emulateMedia({ colorScheme });
  await screen.page.evaluate(axe);
  const found = await screen.page.evaluate(async () => {
    const { axe } = globalThis as unknown as {
      axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };
    };
    const { violations } = await axe.run();
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
  });
  expect(found).toEqual([]);
  const overflow = await screen.page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  );
  expect(overflow).toBe(0);
}

describe('the gateway', () => {
  it('serves a page that may run its own scripts alone', async () => {
    const answer = await fetch(`${inject('url')}/w/${'0'.repeat(32)}`);
    const policy = answer.headers.get('content-security-policy') ?? '';
    for (const rule of [
      "default-src 'none'",
      "script-src 'self'",
      "require-trusted-types-for 'script'",
    ]) {
      expect(policy).toContain(rule);
    }
    expect(policy).not.toMatch(/unsafe/);
    const page = await answer.text();
    expect(page).toMatch(/integrity="sha384-/);
    expect(page).not.toMatch(/<script(?![^>]*src=)/);
  });
});
