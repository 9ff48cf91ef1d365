/**
 * How the page looks where it tells or asks something: every failure, trouble with the network, questions for an identity,
 * what is remembered and kept, figures.
 *
 * What differs in its words alone is looked at in one size and one scheme. A fault that can't be had cheaply is what the
 * vault says, in its Worker's place; that each fault is found is for other tests.
 */

import { readFileSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { visitAndLook, type Look, type Scheme, type Size } from '../harness/looks';
import { TITLE } from '../harness/setup';
import { Veilcast } from '../harness/veilcast';
import { Viewer, type Screen } from '../harness/viewer';

const house = Veilcast.at(inject('data'));
const file = new URL('../../vectors/envelope.json', import.meta.url);
const { cases } = JSON.parse(readFileSync(file, 'utf8')) as {
  cases: { identity: string; recipient: string; key_id: string }[];
};
const [{ identity, recipient, key_id: keyId }] = cases as [(typeof cases)[number]];
const [PHONE, DESKTOP] = [['phone', 'dark'] as const, ['desktop', 'light'] as const];
let viewer: Viewer;

beforeAll(async () => {
  viewer = await Viewer.start();
});
afterAll(() => viewer.close());

async function visit(
  of: readonly [Size, Scheme],
  test: (screen: Screen, look: Look) => Promise<void>,
  ...flags: string[]
): Promise<void> {
  const { link } = await house.share(TITLE, ...flags);
  await visitAndLook(viewer, link, of, test);
}

/** Runs in the page first: whatever link the vault is told of, it says this. */
function sayInstead(reports: object): void {
  globalThis.Worker = class extends globalThis.Worker {
    override postMessage(message: { op: string; playback: number }, ...more: never[]): void {
      const report = (reports as Record<string, object>)[message.op];
      if (report === undefined) return super.postMessage(message, ...more);
      const data = { ...report, playback: message.playback };
      setTimeout(() => this.dispatchEvent(new MessageEvent('message', { data })), 50);
    }
  };
}

/** Opens a link of which the vault says `reports`, each in answer to what it is asked. */
const told = (
  reports: object,
  of: readonly [Size, Scheme],
  test: (screen: Screen, look: Look) => Promise<void>,
): Promise<void> =>
  visit(of, async (screen, look) => {
    await screen.page.addInitScript(sayInstead, reports);
    await screen.page.reload();
    await test(screen, look);
    expect(screen.errors).toEqual([]);
  });

/** Figures and days are never the same twice. */
async function hide(page: Page, ...selectors: string[]): Promise<void> {
  for (const selector of selectors) {
    await page.locator(selector).evaluateAll((all) => {
      for (const one of all) (one as HTMLElement).style.visibility = 'hidden';
    });
  }
}

describe('a failure', () => {
  it.each([
    ['grant-expired'],
    ['tampered', 'the picture'],
    ['playlist-mismatch'],
    ['object-missing', 'the sound'],
    ['ranges-unsupported'],
    ['codec-unsupported'],
    ['insecure-context'],
    ['playback-failed'],
  ])('%s', (code, part?: string) =>
    told({ start: { event: 'stopped', failure: { code, part } } }, PHONE, async (screen, look) => {
      expect((await screen.failure()).code).toBe(code);
      await look(code);
    }),
  );
});

describe('trouble that may pass', () => {
  it.each(['offline', 'gateway-unreachable', 'gateway-broken', 'store-unavailable'])('%s', (code) =>
    told({ start: { event: 'trouble', failure: { code } } }, PHONE, async ({ page }, look) => {
      await page.locator('.notice:not([hidden])').waitFor();
      await page.locator('.spinner:not([hidden])').waitFor();
      await look(code);
    }),
  );
});

describe('a question for an identity', () => {
  const asks = (wants: string, code?: string) => {
    const question = { wants, refused: code === undefined ? null : { code } };
    return { event: 'identity-needed', recipient: keyId, question };
  };

  it.each([PHONE, DESKTOP])('that wants a file, on a %s in %s', (...of) =>
    told({ start: asks('file') }, of, async ({ page }, look) => {
      await page.getByText('This video is for one recipient').waitFor();
      await look('identity');
    }),
  );

  it.each([
    ['file', 'identity-wrong'],
    ['file', 'identity-unreadable'],
    ['file', 'identity-damaged'],
    ['file', 'identity-newer'],
    ['file', 'identity-without-passphrase'],
    ['passphrase', 'passphrase-wrong'],
    ['passphrase', 'memory-short'],
    ['passphrase', 'page-incomplete'],
  ])('that refused a %s: %s', (wants, code) =>
    told({ start: asks(wants, code) }, PHONE, async ({ page }, look) => {
      await page.locator('.refused').waitFor();
      await look(code);
    }),
  );

  it('that wants a passkey', () =>
    told({ start: asks('passkey') }, PHONE, async ({ page }, look) => {
      await page.getByText('Your identity is locked').waitFor();
      await look('passkey');
    }));

  it('that wants a passphrase, and takes it', () => {
    const reports = { start: asks('passphrase'), passphrase: { event: 'unlocking', done: 0.4 } };
    return told(reports, DESKTOP, async ({ page }, look) => {
      await page.locator('#passphrase').fill('correct horse');
      await look('passphrase');
      await page.getByRole('button', { name: 'Unlock' }).click();
      await page.locator('.card progress[value="0.4"]').waitFor();
      await look('unlocking');
    });
  });
});

describe('below the video', () => {
  it('an identity may be remembered', () =>
    visit(
      PHONE,
      async (screen, look) => {
        const { page } = screen;
        const input = page.locator('input[type=file]').first();
        const buffer = Buffer.from(`${identity}\n`);
        await input.setInputFiles({ name: 'identity.txt', mimeType: '', buffer });
        await screen.ready();
        await page.locator('.poster:not([hidden])').waitFor();
        await page.getByText('Remember your identity on this device?').waitFor();
        await page.getByRole('button', { name: 'Keep offline' }).waitFor();
        await look('remember');
        await page.getByRole('button', { name: 'Remember', exact: true }).click();
        await page.getByText('Your identity is remembered on this device.').waitFor();
        await look('remembered');
      },
      '--to',
      recipient,
    ));

  it.each([PHONE, DESKTOP])('it may be kept, on a %s in %s', (...of) =>
    visit(of, async (screen, look) => {
      const { page } = screen;
      await screen.ready();
      await page.locator('.poster:not([hidden])').waitFor();
      await page.getByRole('button', { name: 'Keep offline' }).click();
      await page.getByRole('dialog').waitFor();
      await hide(page, 'dialog form > p');
      await look('keep');
      await page.getByRole('button', { name: 'Keep', exact: true }).click();
      await page.locator('[data-copy=whole]').waitFor();
      await look('kept');
      await page.goto(`${inject('url')}/w/`);
      await page.getByText(/^Video, /).waitFor();
      await page.getByLabel('Open a link').fill('no link');
      await page.getByRole('button', { name: 'Open', exact: true }).click();
      await hide(page, 'li span', 'li code');
      await look('home');
    }),
  );
});

describe('for who asks', () => {
  it('the page without a link', () =>
    visit(PHONE, async ({ page }, look) => {
      await page.goto(`${inject('url')}/w/`);
      await page.getByText('Nothing is kept here yet').waitFor();
      await look('home-empty');
    }));

  it.each([PHONE, DESKTOP])('what sealed means, and what the page is, on a %s in %s', (...of) =>
    visit(of, async (screen, look) => {
      const { page } = screen;
      await screen.ready();
      await page.locator('.poster:not([hidden])').waitFor();
      await page.getByRole('button', { name: 'Sealed' }).click();
      await page.getByRole('dialog').waitFor();
      await look('sealed');
      await page.keyboard.press('Escape');
      await page.getByRole('button', { name: 'About this page' }).click();
      await page.locator('[data-hash]').waitFor();
      await hide(page, 'dd');
      await look('about');
    }),
  );

  it.each([PHONE, DESKTOP])('figures, on a %s in %s', (...of) =>
    visit(of, async (screen, look) => {
      const { page } = screen;
      await screen.ready();
      await page.locator('.poster:not([hidden])').waitFor();
      await page.locator('veil-player').focus();
      await page.keyboard.press('i');
      await page.locator('.statistics dd').first().waitFor();
      await hide(page, '.statistics dd');
      await look('statistics');
    }),
  );
});

describe('in German', () => {
  it('the page, and what is kept of it', () =>
    visit(PHONE, async (screen, look) => {
      const { page } = screen;
      await page.addInitScript(() => {
        Object.defineProperty(navigator, 'languages', { value: ['de-CH', 'en'] });
      });
      await page.reload();
      await screen.ready();
      await page.locator('.poster:not([hidden])').waitFor();
      await page.getByRole('button', { name: 'Offline behalten' }).waitFor();
      expect(await page.evaluate(() => document.documentElement.lang)).toBe('de');
      await look('ready-de');
      await page.getByRole('button', { name: 'Offline behalten' }).click();
      await page.getByRole('dialog').waitFor();
      await hide(page, 'dialog form > p');
      await look('keep-de');
    }));
});
