/** Every answer that makes up the page: no inline script, no third party, a strict policy, what the list says. */

import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { TITLE } from '../harness/setup';
import { Veilcast } from '../harness/veilcast';
import { Viewer } from '../harness/viewer';

const house = Veilcast.at(inject('data'));
const base = inject('url');
let viewer: Viewer;

beforeAll(async () => {
  viewer = await Viewer.start();
});
afterAll(() => viewer.close());

async function listed(): Promise<{ name: string; hash: string }[]> {
  const lines = (await (await fetch(`${base}/app.sha256`)).text()).trim().split('\n');
  return lines.map((line) => ({ hash: line.slice(0, 64), name: line.slice(66) }));
}

describe('the page', () => {
  it('consists of what its list says, each with the strict policy', async () => {
    const files = await listed();
    expect(files.length).toBeGreaterThan(10);
    for (const { name, hash } of files) {
      const answer = await fetch(`${base}/${name}`);
      expect(answer.status, name).toBe(200);
      const bytes = Buffer.from(await answer.arrayBuffer());
      expect(createHash('sha256').update(bytes).digest('hex'), name).toBe(hash);
      const policy = answer.headers.get('content-security-policy') ?? '';
      for (const rule of [
        "default-src 'none'",
        "script-src 'self'",
        "require-trusted-types-for 'script'",
      ]) {
        expect(policy, name).toContain(rule);
      }
      expect(policy, name).not.toMatch(/unsafe|\*|data:|https?:/);
    }
  });

  it('has no inline script, style or handler, and names no other host', async () => {
    for (const { name } of await listed()) {
      if (!name.endsWith('.html')) continue;
      const html = await (await fetch(`${base}/${name}`)).text();
      expect(html).not.toMatch(/<script(?![^>]*\bsrc=)/);
      expect(html).not.toMatch(/<style|\sstyle=|\son\w+=|javascript:/i);
      for (const [tag] of html.matchAll(/<(?:script|link)\b[^>]*assets\/[^>]*>/g)) {
        expect(tag).toMatch(/integrity="sha384-/);
      }
      expect(html).not.toMatch(/https?:\/\//);
    }
  });

  it('asks nobody but its gateway, from the first byte to the installed page', async () => {
    const { link } = await house.share(TITLE);
    await viewer.visit(link, async (screen) => {
      const { page } = screen;
      const asked: string[] = [];
      page.context().on('request', (request) => asked.push(request.url()));
      await page.reload();
      await screen.ready();
      await screen.play();
      await page.evaluate(() => navigator.serviceWorker.ready);
      await page.reload();
      await screen.ready();
      const hosts = new Set(
        asked
          .map((url) => new URL(url))
          .filter(({ protocol }) => protocol !== 'blob:')
          .map(({ origin }) => origin),
      );
      expect([...hosts]).toEqual([base]);
      expect(await screen.violations()).toEqual([]);
      expect(screen.errors).toEqual([]);
    });
  });
});
