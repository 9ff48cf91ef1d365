/** Kept videos: they play without a network, are sealed where they lie, and end with their grant. */

import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { damaged, TitleFolder } from '../harness/bucket';
import { OwnGateway } from '../harness/gateway';
import { fileOf, role, unlockTitle } from '../harness/opened';
import { TITLE } from '../harness/setup';
import { trailer, Veilcast, type Shared } from '../harness/veilcast';
import { Viewer, type Screen } from '../harness/viewer';
import { Kind } from '../../player/src/vault/role';

const FILES = 'Sintel to keep, in single files';

const house = Veilcast.at(inject('data'));
let viewer: Viewer;
let gateway: OwnGateway;

beforeAll(async () => {
  viewer = await Viewer.start();
  gateway = await OwnGateway.start(house.data);
});
afterAll(async () => {
  await viewer.close();
  await gateway.destroy();
});

function share(title: string, ...flags: string[]): Promise<Shared> {
  return house.share(title, '--base-url', gateway.url, ...flags);
}

/** Chooses a size and waits for the copy to be as far as it gets. */
async function keep({ page }: Screen, size: RegExp, state: string): Promise<void> {
  await page.getByRole('button', { name: 'Keep offline' }).click();
  await page.getByRole('radio', { name: size }).check();
  await page
    .getByRole('dialog')
    .getByText(/Room for this page on the device: \d/)
    .waitFor();
  await page.getByRole('button', { name: 'Keep', exact: true }).click();
  await page.locator(`[data-copy=${state}]`).waitFor();
}

/** Without the gateway, whatever happens. */
async function alone(test: () => Promise<void>): Promise<void> {
  await gateway.kill();
  try {
    await test();
  } finally {
    await gateway.start();
  }
}

/** What the page's origin has put away, but for the page itself. */
function stored({ page }: Screen): Promise<{ address: string; text: string; sha256: string }[]> {
  return page.evaluate(async () => {
    const all = [];
    for (const name of await caches.keys()) {
      if (name.startsWith('veilcast-app-')) continue;
      const cache = await caches.open(name);
      for (const { url: address } of await cache.keys()) {
        const body = await (await cache.match(address))!.arrayBuffer();
        const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', body));
        const sha256 = [...hash].map((byte) => byte.toString(16).padStart(2, '0')).join('');
        all.push({ address, text: new TextDecoder('latin1').decode(body), sha256 });
      }
    }
    return all;
  });
}

async function inBucket(title: string): Promise<Set<string>> {
  const folder = join(house.data, 'bucket/t', title);
  const hashes = new Set<string>();
  for (const name of await readdir(folder)) {
    hashes.add(
      createHash('sha256')
        .update(await readFile(join(folder, name)))
        .digest('hex'),
    );
  }
  return hashes;
}

describe('a kept video', () => {
  it('plays and seeks without its gateway, in the size that was chosen', async () => {
    const { link } = await share(TITLE);
    await viewer.visit(link, async (screen) => {
      await screen.ready();
      await keep(screen, /^480p/, 'whole');
      await alone(async () => {
        await screen.page.reload();
        await screen.ready();
        await screen.play();
        for (const target of [45, 3, 50]) {
          expect(Math.abs((await screen.seek(target)) - target)).toBeLessThan(0.75);
        }
        expect((await screen.picture()).width).toBe(854);
        expect((await screen.picture()).soundBytes).toBeGreaterThan(1000);
        expect(await screen.violations()).toEqual([]);
        expect(screen.errors).toEqual([]);
      });
    });
  });

  it('lies there as it lies in the bucket, with no key and no name', async () => {
    const { link, grant } = await share(TITLE);
    await viewer.visit(link, async (screen) => {
      await screen.ready();
      await keep(screen, /^720p/, 'whole');
      const sealed = await inBucket(inject('title'));
      const secret = new URL(link).hash.slice(1);
      const entries = await stored(screen);
      expect(entries.length).toBeGreaterThan(50);
      for (const { address, text, sha256 } of entries) {
        const isText = /\/(record|grant\/[0-9a-f]{32}|[0-9a-f]{32}\.m3u8)$/.test(address);
        if (!isText) expect(sealed, address).toContain(sha256);
        for (const never of [secret, TITLE, 'ftyp', 'moof']) expect(text).not.toContain(never);
      }
      const kept = await screen.page.evaluate(async () => [
        localStorage.length,
        sessionStorage.length,
        (await indexedDB.databases()).length,
      ]);
      expect(kept).toEqual([0, 0, 0]);
      expect(entries.some(({ address }) => address.endsWith(`/grant/${grant}`))).toBe(true);
    });
  });

  it('stays a part where something can’t be had, and goes on from there', async () => {
    const { link, grant } = await share(TITLE);
    const folder = new TitleFolder(join(house.data, 'bucket'), inject('title'));
    const { key, title } = await unlockTitle(folder, link, grant);
    const video = title.renditions.find(({ type }) => type === 'video');
    const file = await fileOf(folder, key, role(Kind.segment, video?.id ?? 0, 20));
    await viewer.visit(link, async (screen) => {
      await screen.ready();
      await damaged(
        [file],
        () => [undefined],
        () => keep(screen, /^480p/, 'part'),
      );
      await screen.page
        .getByText(/missing/i)
        .first()
        .waitFor();
      const before = (await stored(screen)).length;
      await screen.page.getByRole('button', { name: 'Go on' }).click();
      await screen.page.locator('[data-copy=whole]').waitFor();
      expect((await stored(screen)).length).toBeGreaterThan(before);
    });
  });

  it('is listed where the page has no link, and can be removed there', async () => {
    const { link, grant } = await share(TITLE);
    await viewer.visit(link, async (screen) => {
      const { page } = screen;
      await screen.ready();
      await keep(screen, /^480p/, 'whole');
      await alone(async () => {
        await page.goto(`${gateway.url}/w/`);
        await page.getByText(`Video, 480p`).waitFor();
        await page.getByLabel('Open a link').fill(link.slice(0, -4));
        await page.getByRole('button', { name: 'Open', exact: true }).click();
        await page.locator('[data-failure=link-incomplete]').waitFor();
        await page.goto(`${gateway.url}/w/`);
        await page.getByLabel('Open a link').fill(link);
        await page.getByRole('button', { name: 'Open', exact: true }).click();
        await screen.ready();
        await page.goto(`${gateway.url}/w/`);
        await page.getByRole('button', { name: `Remove the copy ${grant.slice(0, 8)}` }).click();
        await page.getByText('Nothing is kept here yet').waitFor();
        await expect.poll(() => stored(screen)).toEqual([]);
      });
    });
  });

  it('ends with its grant, by the clock of the device', async () => {
    const { link } = await share(TITLE, '--expires', '20s');
    await viewer.visit(link, async (screen) => {
      await screen.ready();
      await keep(screen, /^480p/, 'whole');
      await alone(async () => {
        await expect
          .poll(
            async () => {
              await screen.page.reload();
              await screen.page
                .locator('veil-player:is([data-state=ready], [data-state=failed])')
                .waitFor();
              return screen.page
                .locator('[data-failure]')
                .getAttribute('data-failure', { timeout: 500 })
                .catch(() => null);
            },
            { timeout: 40_000, interval: 1000 },
          )
          .toBe('grant-expired');
        await expect.poll(() => stored(screen)).toEqual([]);
      });
    });
  });

  it('is removed when the gateway says that the grant was taken back', async () => {
    const { link, grant } = await share(TITLE);
    await viewer.visit(link, async (screen) => {
      await screen.ready();
      await keep(screen, /^480p/, 'whole');
      await house.run('revoke', grant);
      await gateway.kill();
      await gateway.start();
      await screen.page.reload();
      expect((await screen.failure()).code).toBe('grant-revoked');
      await expect.poll(() => stored(screen)).toEqual([]);
    });
  });
});

describe('a title in single files', () => {
  it('is kept in its parts, and plays from them', async () => {
    await house.import(await trailer(), FILES, '480', '--single-file');
    const { link } = await share(FILES);
    await viewer.visit(link, async (screen) => {
      await screen.ready();
      await keep(screen, /^480p/, 'whole');
      await alone(async () => {
        await screen.page.reload();
        await screen.ready();
        await screen.play();
        expect(Math.abs((await screen.seek(45)) - 45)).toBeLessThan(0.75);
      });
    });
    await house.run('remove', FILES, '--yes');
  });
});

describe('the page itself', () => {
  it('can be installed', async () => {
    await viewer.visit(`${gateway.url}/w/`, async ({ page }) => {
      await page.evaluate(() => navigator.serviceWorker.ready);
      const session = await page.context().newCDPSession(page);
      const manifest = await session.send('Page.getAppManifest');
      expect(manifest.errors).toEqual([]);
      expect(manifest.url).toBe(`${gateway.url}/app.webmanifest`);
      const { installabilityErrors } = await session.send('Page.getInstallabilityErrors');
      // Windows of tests are private ones, in which nothing is installed.
      const errors = installabilityErrors.map(({ errorId }) => errorId);
      expect(errors.filter((error) => error !== 'in-incognito')).toEqual([]);
    });
  });

  it('opens without a network, and says that the video can’t be had', async () => {
    const { link } = await share(TITLE);
    await viewer.visit(link, async (screen) => {
      await screen.ready();
      await screen.page.evaluate(() => navigator.serviceWorker.ready);
      await alone(async () => {
        await screen.page.reload();
        await screen.page
          .getByText(/reach|network|connection/i)
          .first()
          .waitFor();
      });
      // It goes on by itself once the gateway is back.
      await screen.ready();
    });
  });

  it('is today’s where there is a network', async () => {
    await viewer.visit(`${gateway.url}/w/`, async ({ page }) => {
      await page.evaluate(() => navigator.serviceWorker.ready);
      const answer = await page.reload();
      expect(answer?.fromServiceWorker()).toBe(true);
      await page.evaluate(async () => {
        for (const name of await caches.keys()) await caches.delete(name);
      });
      await page.reload();
      await page.getByText('Videos on this device').waitFor();
    });
  });
});
