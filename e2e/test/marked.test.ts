/**
 * A marked title: each viewer's player feeds the decoder that viewer's variants, and nothing of another's.
 */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { Kind } from '../../player/src/vault/role';
import { TitleFolder } from '../harness/bucket';
import { openTitle, piecesOf, type OpenedTitle } from '../harness/opened';
import { trailer, Veilcast } from '../harness/veilcast';
import { Viewer, type Screen } from '../harness/viewer';

const TITLE = 'Sintel, marked';

interface Watcher {
  readonly link: string;
  readonly opened: OpenedTitle;
}

const house = Veilcast.at(inject('data'));
let viewer: Viewer;
let folder: TitleFolder;
let watchers: Watcher[];

async function share(): Promise<Watcher> {
  const { link, grant } = await house.share(TITLE);
  return { link, opened: await openTitle(folder, link, grant) };
}

beforeAll(async () => {
  viewer = await Viewer.start();
  const { id } = await house.import(await trailer(), TITLE, '240,360', '--mark');
  folder = new TitleFolder(join(house.data, 'bucket'), id);
  watchers = [await share(), await share()];
});
afterAll(async () => {
  await viewer.close();
  await house.run('remove', TITLE, '--yes');
});

async function watch({ link }: Watcher, test: (screen: Screen) => Promise<void>): Promise<void> {
  await viewer.visit(link, async (screen) => {
    await screen.ready();
    await test(screen);
    expect(screen.errors).toEqual([]);
    expect(await screen.violations()).toEqual([]);
  });
}

/** The names of a viewer's objects of the picture, by segment and rendition. */
async function names({ opened }: Watcher): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, role } of piecesOf(folder, opened)) {
    if (role.kind === Kind.segment && role.rendition < 256) found.push(name);
  }
  return found;
}

describe('a marked title', () => {
  it('plays and seeks, from the variants of the viewer alone', async () => {
    for (const [at, watcher] of watchers.entries()) {
      const { pieces } = watcher.opened;
      const other = (watchers[1 - at] as Watcher).opened.pieces;
      await watch(watcher, async (screen) => {
        await screen.play();
        for (const target of [40, 3.5, 25, 0.5]) {
          expect(Math.abs((await screen.seek(target)) - target)).toBeLessThan(0.75);
        }
        await screen.until(({ time }) => time > 1.5);
        const fed = (await screen.appended()).map(({ sha256 }) => sha256);
        expect(fed.length).toBeGreaterThan(6);
        for (const sha256 of fed) expect(pieces).toContain(sha256);
        expect(fed.some((sha256) => !other.has(sha256))).toBe(true);
      });
    }
  });

  it('has two variants of each second, which differ in nothing that a bucket sees', async () => {
    const [mine, theirs] = (await Promise.all(watchers.map(names))) as [string[], string[]];
    expect(mine).toHaveLength(theirs.length);
    const size = async (name: string) => (await readFile(folder.path(name))).length;
    let differing = 0;
    for (const [at, name] of mine.entries()) {
      const other = theirs[at] as string;
      expect(await size(name)).toBe(await size(other));
      if (name !== other) differing += 1;
    }
    // Two codewords differ in a third of the slots.
    expect(differing).toBeGreaterThan(mine.length / 8);
    expect(differing).toBeLessThan((mine.length * 5) / 8);
  });
});
