/**
 * An identity that stays on a device: under each lock it opens the next link without its file, and it can be forgotten.
 *
 * The passkey is the browser's own virtual authenticator, whose secrets follow WebAuthn's PRF extension.
 */

import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { Line } from '../harness/link';
import { TITLE } from '../harness/setup';
import { Veilcast } from '../harness/veilcast';
import { Viewer, type Screen } from '../harness/viewer';

/** The part of the element that is used here; functions in the page know nothing of its types. */
interface Player {
  readonly state: string;
  readonly identities: {
    list(): Promise<readonly { keyId: string; lock: string }[] | null>;
    forget(keyId: string): Promise<readonly { keyId: string }[] | null>;
    remember(how: object): Promise<readonly { keyId: string }[] | null>;
    unlockWithPasskey(): Promise<boolean>;
  };
  providePassphrase(text: string): void;
}

const house = Veilcast.at(inject('data'));
const file = new URL('../../vectors/envelope.json', import.meta.url);
const { cases } = JSON.parse(readFileSync(file, 'utf8')) as {
  cases: { identity: string; recipient: string; key_id: string }[];
};
const [{ identity, recipient, key_id: keyId }] = cases as [(typeof cases)[number]];
let viewer: Viewer;
let line: Line;

beforeAll(async () => {
  viewer = await Viewer.start();
  line = await Line.to(inject('url'));
});
afterAll(async () => {
  line.close();
  await viewer.close();
});

async function wanted(screen: Screen): Promise<void> {
  await screen.page.locator('veil-player[data-state="identity-needed"]').waitFor();
}

async function bringFile(screen: Screen): Promise<void> {
  await wanted(screen);
  const buffer = Buffer.from(`${identity}\n`);
  const input = screen.page.locator('input[type=file]').first();
  await input.setInputFiles({ name: 'identity.txt', mimeType: '', buffer });
  await screen.ready();
}

const remember = (screen: Screen, how: object) =>
  screen.page.evaluate(async (wish) => {
    const player = document.querySelector('veil-player') as unknown as Player;
    return player.identities.remember(wish);
  }, how);

/** Brings the identity by its file, remembers it, and opens another link for it in the same browser. */
async function remembered(how: object, test: (screen: Screen) => Promise<void>): Promise<void> {
  const [first, second] = await Promise.all([
    house.share(TITLE, '--to', recipient),
    house.share(TITLE, '--to', recipient),
  ]);
  await viewer.visit(line.link(first.link), async (screen) => {
    await addAuthenticator(screen);
    await bringFile(screen);
    expect(await remember(screen, how)).toMatchObject([{ keyId }]);
    await screen.page.goto(line.link(second.link));
    await test(screen);
    await screen.play();
    expect(screen.errors).toEqual([]);
    expect(await screen.violations()).toEqual([]);
  });
}

async function addAuthenticator({ page }: Screen): Promise<void> {
  const protocol = await page.context().newCDPSession(page);
  await protocol.send('WebAuthn.enable');
  const options = {
    protocol: 'ctap2',
    ctap2Version: 'ctap2_1',
    transport: 'internal',
    hasResidentKey: true,
    hasUserVerification: true,
    hasPrf: true,
    isUserVerified: true,
    automaticPresenceSimulation: true,
  } as const;
  await protocol.send('WebAuthn.addVirtualAuthenticator', { options });
}

describe('an identity that is remembered', () => {
  it('by the device opens the next link without a question', () =>
    remembered({ lock: 'device' }, (screen) => screen.ready()));

  it('by a passkey opens the next link with it', () =>
    remembered({ lock: 'passkey', name: 'My films' }, async (screen) => {
      await wanted(screen);
      const given = await screen.page.evaluate(() => {
        const player = document.querySelector('veil-player') as unknown as Player;
        return player.identities.unlockWithPasskey();
      });
      expect(given).toBe(true);
      await screen.ready();
    }));

  it('by a passphrase opens the next link with it, typed wrong before it is typed right', () =>
    remembered({ lock: 'passphrase', passphrase: 'correct horse' }, async (screen) => {
      await wanted(screen);
      const type = (text: string) =>
        screen.page.evaluate((passphrase) => {
          const player = document.querySelector('veil-player') as unknown as Player;
          player.providePassphrase(passphrase);
        }, text);
      await type('correct hors');
      await screen.page.getByText('That passphrase is wrong').first().waitFor();
      await wanted(screen);
      await type('correct horse');
      await screen.ready();
    }));

  it('lies in the database without its seed, and is asked for again once it was forgotten', async () => {
    await remembered({ lock: 'device' }, async (screen) => {
      await screen.ready();
      const stored = await screen.page.evaluate(readDatabase);
      expect(stored).toMatchObject([{ keyId, extractable: false, sealedBytes: 48 }]);
      const left = await screen.page.evaluate(async (id) => {
        const player = document.querySelector('veil-player') as unknown as Player;
        return player.identities.forget(id);
      }, keyId);
      expect(left).toEqual([]);
      await screen.page.reload();
      await bringFile(screen);
    });
  });
});

describe('the watch page', () => {
  it('offers to remember, locks with a passkey, and forgets', async () => {
    const { link } = await house.share(TITLE, '--to', recipient);
    await viewer.visit(line.link(link), async (screen) => {
      const { page } = screen;
      await addAuthenticator(screen);
      await bringFile(screen);
      await page.getByRole('button', { name: 'Remember, locked with a passkey' }).click();
      await page.getByText('Your identity is remembered on this device.').waitFor();
      await page.reload();
      await page.getByRole('button', { name: 'Use passkey' }).click();
      await screen.ready();
      await page.getByRole('button', { name: 'Forget it' }).click();
      await page.getByText('Your identity is no longer on this device.').waitFor();
      await page.reload();
      await bringFile(screen);
      await page.getByRole('button', { name: 'Remember', exact: true }).click();
      await page.getByText('Your identity is remembered on this device.').waitFor();
      await page.reload();
      await screen.ready();
      expect(screen.errors).toEqual([]);
      expect(await screen.violations()).toEqual([]);
    });
  });
});

describe('an identity that did not open a link', () => {
  it('is not remembered', async () => {
    const { link } = await house.share(TITLE);
    await viewer.visit(line.link(link), async (screen) => {
      await screen.ready();
      expect(await remember(screen, { lock: 'device' })).toBeNull();
      const known = await screen.page.evaluate(() => {
        const player = document.querySelector('veil-player') as unknown as Player;
        return player.identities.list();
      });
      expect(known).toEqual([]);
    });
  });
});

/** Runs in the page: what the database holds, as far as a page can see. */
async function readDatabase(): Promise<object[]> {
  interface Stored {
    readonly keyId: string;
    readonly sealed: Uint8Array;
    readonly lock: { readonly key: CryptoKey };
  }
  const request = indexedDB.open('veilcast-identities');
  await new Promise((done, fail) => {
    request.addEventListener('success', done);
    request.addEventListener('error', fail);
  });
  const all = request.result.transaction('identities').objectStore('identities').getAll();
  await new Promise((done) => all.addEventListener('success', done));
  request.result.close();
  return (all.result as Stored[]).map((stored) => ({
    keyId: stored.keyId,
    extractable: stored.lock.key.extractable,
    sealedBytes: stored.sealed.length,
  }));
}
