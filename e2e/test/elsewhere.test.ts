/** The watch page from a host that is no gateway: it plays, tells that host nothing, and shows its hash. */

import { createHash } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { headersOf, WebHost } from '../harness/elsewhere';
import { OwnGateway } from '../harness/gateway';
import { TITLE } from '../harness/setup';
import { Veilcast, type Shared } from '../harness/veilcast';
import { Viewer, type Screen } from '../harness/viewer';

interface Exported {
  readonly files: number;
  readonly removed: number;
  readonly hash: string;
}

const house = Veilcast.at(inject('data'));
let viewer: Viewer;

beforeAll(async () => {
  viewer = await Viewer.start();
});
afterAll(() => viewer.close());

describe.each(['with the headers that were written for it', 'that sets no header'])(
  'a page on a host %s',
  (kind) => {
    let host: WebHost;
    let gateway: OwnGateway;
    let exported: Exported;

    beforeAll(async () => {
      const hasHeaders = !kind.includes('no header');
      host = await WebHost.start(async (path) => (hasHeaders ? headersOf(host.folder, path) : {}));
      gateway = await OwnGateway.start(house.data, `[cors]\norigins = ["${host.origin}"]\n`);
      const from = ['--gateway', gateway.url];
      exported = await house.run<Exported>('watch', 'export', host.folder, ...from);
    });
    afterAll(async () => {
      await host.destroy();
      await gateway.destroy();
    });

    async function watch(test: (screen: Screen, shared: Shared) => Promise<void>): Promise<void> {
      const shared = await house.run<Shared>('share', TITLE, '--page', host.page);
      await viewer.visit(shared.link, async (screen) => {
        await screen.ready();
        await test(screen, shared);
        expect(screen.errors).toEqual([]);
        expect(await screen.violations()).toEqual([]);
      });
    }

    it('plays and seeks, and its host learns nothing of what is watched', () =>
      watch(async (screen, { link, grant }) => {
        expect(link).toContain(`${host.page}/w/#${grant}.`);
        await screen.play();
        expect(Math.abs((await screen.seek(45)) - 45)).toBeLessThan(0.75);
        const asked = host.asked.join('\n');
        expect(asked).not.toContain(grant);
        expect(asked).not.toContain(new URL(link).hash.slice(34));
        expect(
          host.asked.every((path) => path.startsWith('/ours/') || path === '/favicon.ico'),
        ).toBe(true);
      }));

    it('shows the hash that was printed', () =>
      watch(async ({ page }) => {
        await page.getByRole('button', { name: 'About this page' }).click();
        const shown = page.locator('[data-hash]');
        await shown.waitFor();
        expect(await shown.innerText()).toBe(exported.hash);
        const dialog = page.getByRole('dialog');
        await dialog.getByText(/All \d+ are as the list says/).waitFor();
        expect(await dialog.innerText()).toContain(new URL(gateway.url).host);
        const { hash } = await house.run<Exported>('watch', 'hash', '--gateway', gateway.url);
        expect(hash).toBe(exported.hash);
      }));
  },
);

describe('the gateway’s own page', () => {
  it('shows the hash that `veilcast watch hash` prints', async () => {
    const { hash } = await house.run<Exported>('watch', 'hash');
    const { link } = await house.share(TITLE);
    await viewer.visit(link, async ({ page }) => {
      await page.getByRole('button', { name: 'About this page' }).click();
      const shown = page.locator('[data-hash]');
      await shown.waitFor();
      expect(await shown.innerText()).toBe(hash);
    });
    const list = await (await fetch(`${inject('url')}/app.sha256`)).text();
    expect(createHash('sha256').update(list).digest('hex')).toBe(hash);
  });
});

describe('veilcast watch export', () => {
  let folder: string;
  const run = (gateway: string) =>
    house.run<Exported>('watch', 'export', folder, '--gateway', gateway);

  beforeAll(async () => {
    folder = join(await mkdtemp(join(tmpdir(), 'veilcast-export-')), 'site');
  });
  afterAll(() => rm(join(folder, '..'), { recursive: true, force: true }));

  it('writes what sha256sum finds to be as listed', async () => {
    const { hash, files } = await run('https://video.example');
    const checked = execFileSync('sha256sum', ['-c', 'app.sha256'], {
      cwd: folder,
      encoding: 'utf8',
    });
    // The list itself and the two header files are not in it.
    expect(checked.trim().split('\n')).toHaveLength(files - 3);
    const list = await readFile(join(folder, 'app.sha256'));
    expect(createHash('sha256').update(list).digest('hex')).toBe(hash);
    expect(await readFile(join(folder, 'w/index.html'), 'utf8')).not.toMatch(
      /<script(?![^>]*src=)/,
    );
  });

  it('brings its own files up to date, leaves others alone, and overwrites none', async () => {
    await writeFile(join(folder, 'CNAME'), 'films.example\n');
    const before = await readFile(join(folder, 'w/index.html'), 'utf8');
    await run('https://other.example');
    expect(await readFile(join(folder, 'w/index.html'), 'utf8')).not.toBe(before);
    expect(await readFile(join(folder, 'CNAME'), 'utf8')).toBe('films.example\n');
    await writeFile(join(folder, 'w/index.html'), '<h1>My films</h1>');
    await expect(run('https://other.example')).rejects.toThrow(/is no file of an exported page/);
    expect(await readFile(join(folder, 'w/index.html'), 'utf8')).toBe('<h1>My films</h1>');
    await rm(join(folder, 'w/index.html'));
    await mkdir(join(folder, 'assets/mine'), { recursive: true });
    expect((await run('https://other.example')).files).toBeGreaterThan(10);
  });

  it('removes what an older page had', async () => {
    const list = join(folder, 'app.sha256');
    const old = createHash('sha256').update('old').digest('hex');
    await writeFile(join(folder, 'assets/old-1.js'), 'old');
    await writeFile(join(folder, 'assets/mine.js'), 'mine');
    const lines = `${await readFile(list, 'utf8')}${old}  assets/old-1.js\n${old}  ../outside\n${old}  assets/mine.js\n`;
    await writeFile(list, lines);
    await writeFile(join(folder, '../outside'), 'old');
    expect((await run('https://other.example')).removed).toBe(1);
    await expect(readFile(join(folder, 'assets/old-1.js'))).rejects.toThrow(/ENOENT/);
    expect(await readFile(join(folder, 'assets/mine.js'), 'utf8')).toBe('mine');
    expect(await readFile(join(folder, '../outside'), 'utf8')).toBe('old');
  });
});
