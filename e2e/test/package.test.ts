/** The player's package on a page that knows nothing of us: plain files, another origin, a strict policy. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { install, Street } from '../harness/package';
import { TITLE } from '../harness/setup';
import { Veilcast } from '../harness/veilcast';
import { Viewer } from '../harness/viewer';

const house = Veilcast.at(inject('data'));
let viewer: Viewer;
let street: Street;
let packed: Awaited<ReturnType<typeof install>>;

beforeAll(async () => {
  viewer = await Viewer.start();
  packed = await install();
  street = await Street.open(packed.folder, house.data);
});
afterAll(async () => {
  await street.close();
  await viewer.close();
});

it('holds what is built, its types, words about it and the licences of others', async () => {
  for (const file of ['dist/index.js', 'dist/index.d.ts', 'dist/LICENSE', 'README.md']) {
    expect(packed.files).toContain(file);
  }
  expect(packed.files.filter((file) => /^(src|test|build)\/|\.ts$/.test(file))).toEqual([
    'dist/index.d.ts',
  ]);
  const folder = join(packed.folder, 'node_modules/@veilcast/player');
  const notices = await readFile(join(folder, 'dist/NOTICES.txt'), 'utf8');
  for (const name of ['hls.js', '@noble/post-quantum', '@noble/hashes', 'eventemitter3']) {
    expect(notices).toContain(`${name} `);
  }
  const manifest = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as object;
  expect(manifest).not.toHaveProperty('dependencies');
  expect(manifest).not.toHaveProperty('private');
});

it('plays a title on a static page of another origin', async () => {
  const { grant, link } = await house.share(TITLE);
  await viewer.visit(street.address(grant, link), async (screen) => {
    const { page } = screen;
    await screen.ready();
    await page.getByRole('button', { name: 'Reproducir' }).first().click();
    await screen.until(({ time, paused }) => time > 2 && !paused);
    await screen.seek(30);
    await page.getByRole('button', { name: 'Ajustes' }).click();
    await page.getByRole('menuitem', { name: /^Velocidad/ }).waitFor();
    expect(screen.errors).toEqual([]);
    expect(await screen.violations()).toEqual([]);
  });
});

it('shows its own words where a link can’t be opened', async () => {
  const { link } = await house.share(TITLE);
  await viewer.visit(street.address('0'.repeat(32), link), async ({ page }) => {
    await page.getByRole('alert').getByText('Este enlace no lleva a ninguna parte').waitFor();
  });
});
