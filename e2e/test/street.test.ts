/**
 * The whole way over an S3 store: published there, signed by a gateway, fetched from wherever the gateway says, watched.
 */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MODES, Street, type Mode } from '../harness/street';
import { trailer } from '../harness/veilcast';
import { Viewer, type Screen } from '../harness/viewer';

const TITLES = ['imported there', 'moved there', 'in single files'] as const;
/** A revocation reaches every gateway by then. */
const REVOKED_LIMIT_MS = 30_000;

let street: Street;
let viewer: Viewer;

beforeAll(async () => {
  [street, viewer] = await Promise.all([Street.create(), Viewer.start()]);
  const { house, bucket } = street;
  const [imported, moved, single] = TITLES;
  const file = await trailer();
  await house.import(file, imported, '480', '--to', bucket);
  await house.import(file, single, '480', '--single-file', '--to', bucket);
  await house.import(file, moved, '480');
  await house.run('move', moved, '--to', bucket);
});
afterAll(async () => {
  await viewer.close();
  await street.destroy();
});

async function watch(link: string, test: (screen: Screen) => Promise<void>): Promise<void> {
  await viewer.visit(link, async (screen) => {
    await screen.ready();
    await test(screen);
    expect(screen.errors).toEqual([]);
    expect(await screen.violations()).toEqual([]);
  });
}

/** The URLs of objects among those that were fetched. */
function objects(fetched: string[]): URL[] {
  const all = fetched.filter((url) => url.startsWith('http')).map((url) => new URL(url));
  return all.filter(({ pathname }) => /\/t\/[0-9a-f]{32}\/[0-9a-f]{32}$/.test(pathname));
}

/** What a URL of an object says besides its name. */
const QUERY: Record<Mode, RegExp> = {
  local: /X-Amz-Signature=[0-9a-f]{64}/,
  presigned: /X-Amz-Signature=[0-9a-f]{64}/,
  public: /^$/,
};

describe.each(MODES)('a gateway whose objects are %s', (mode) => {
  it.each(TITLES)('plays what was %s, and seeks', async (title) => {
    const { house, doors } = street;
    const { link } = await house.share(title, '--base-url', doors[mode].url);
    await watch(link, async (screen) => {
      await screen.play();
      for (const target of [45, 3, 25.5]) {
        expect(Math.abs((await screen.seek(target)) - target)).toBeLessThan(0.75);
      }
      const picture = await screen.until(({ time }) => time > 26.5);
      expect(picture.height).toBe(480);
      expect(picture.soundBytes).toBeGreaterThan(1000);
      const fetched = objects(screen.fetched);
      expect(fetched.length).toBeGreaterThan(6);
      for (const { origin, search } of fetched) {
        expect(origin).toBe(doors[mode].objects);
        expect(search).toMatch(QUERY[mode]);
      }
    });
  });
});

it('the gateway of `veilcast up` plays from the store as well', async () => {
  const { house, bucket } = street;
  const url = await house.start('--bucket', bucket);
  const { link } = await house.share(TITLES[2]);
  expect(new URL(link).origin).toBe(url);
  await watch(link, async (screen) => {
    await screen.play();
    expect(Math.abs((await screen.seek(40)) - 40)).toBeLessThan(0.75);
  });
});

/** What comes of opening a link: `ready`, or the code of the failure. */
async function outcome(link: string): Promise<string> {
  let seen = '';
  await viewer.visit(link, async ({ page }) => {
    const player = page.locator('veil-player[data-state="ready"]');
    const alert = page.locator('[role=alert][data-failure]');
    await player.or(alert).first().waitFor();
    seen = (await alert.count()) > 0 ? ((await alert.getAttribute('data-failure')) ?? '') : 'ready';
  });
  return seen;
}

it('a grant that is revoked opens at no gateway, soon after', async () => {
  const { house, doors } = street;
  const { link, grant } = await house.share(TITLES[0], '--base-url', doors.local.url);
  const links = MODES.map((mode) => link.replace(doors.local.url, doors[mode].url));
  const outcomes = () => Promise.all(links.map(outcome));
  expect(await outcomes()).toEqual(['ready', 'ready', 'ready']);
  await house.run('revoke', grant);
  const timeout = REVOKED_LIMIT_MS;
  await expect.poll(outcomes, { timeout }).toEqual(links.map(() => 'grant-revoked'));
});
