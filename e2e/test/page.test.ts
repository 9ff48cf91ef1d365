/** The page around the player: readable by everybody, on every screen. */

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { TITLE } from '../harness/setup';
import { Veilcast } from '../harness/veilcast';
import { Viewer, type Screen } from '../harness/viewer';

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
    await viewer.visit(link, (screen) => checkPage(screen, scheme), { width, height });
  });
});

async function checkPage(screen: Screen, colorScheme: 'dark' | 'light'): Promise<void> {
  await screen.page.emulateMedia({ colorScheme });
  await screen.ready();
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
