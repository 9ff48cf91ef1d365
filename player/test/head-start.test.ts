/**
 * A link that is opened before there is a player for it: nothing is told twice, lost, or told to another.
 */

import { beforeEach, expect, it, vi } from 'vitest';
import type { ClientEvents } from '../src/engine/client';
import { beginLink, openAhead } from '../src/engine/head-start';
import { Pool, type WorkerLike } from '../src/engine/pool';
import type { Link, OfPlayback, VaultReport, VaultRequest } from '../src/protocol';

const made = vi.hoisted(() => ({ pool: null as unknown, obstacle: null as unknown }));
vi.mock('../src/engine/page-pool', () => ({ pagePool: () => made.pool }));
vi.mock('../src/engine/obstacle', () => ({ findObstacle: () => made.obstacle }));

const LINK: Link = {
  gateway: 'https://veil.example/films/',
  grantId: '0a'.repeat(16),
  secret: 's',
};
const WHOLE: Link = { ...LINK, gateway: 'https://veil.example/films' };

let asked: VaultRequest[];
let say: (report: VaultReport & OfPlayback) => void;

beforeEach(() => {
  asked = [];
  made.obstacle = null;
  vi.stubGlobal('document', { baseURI: 'https://veil.example/films/w/' });
  const vault = (): WorkerLike => ({
    postMessage: (message) => void asked.push(message as VaultRequest),
    addEventListener: (type, listener) => {
      if (type === 'message') say = (data) => listener({ data } as never);
    },
    terminate: () => undefined,
  });
  made.pool = new Pool({ vault, opener: vault }, 0);
  return () => vi.unstubAllGlobals();
});

function events() {
  const heard: string[] = [];
  const note =
    (name: string) =>
    (...told: unknown[]): void =>
      void heard.push(`${name} ${JSON.stringify(told[0])}`);
  const all: ClientEvents = {
    onTitle: note('title'),
    onIdentityNeeded: note('identity'),
    onUnlocking: note('unlocking'),
    onStopped: note('stopped'),
    onTrouble: note('trouble'),
  };
  return { heard, all };
}

const starts = () => asked.filter(({ op }) => op === 'start').map(({ playback }) => playback);
const ends = () => asked.filter(({ op }) => op === 'end').map(({ playback }) => playback);

it('what the vault told meanwhile is told to the player, in order, and then what follows', async () => {
  openAhead({ ...LINK, gateway: '/films/' });
  say({ event: 'trouble', failure: { code: 'offline' }, playback: 0 });
  say({ event: 'trouble', failure: null, playback: 0 });
  const { heard, all } = events();
  beginLink(WHOLE, all);
  expect(heard).toEqual([]);
  await Promise.resolve();
  await Promise.resolve();
  say({ event: 'stopped', failure: { code: 'link-unknown' }, playback: 0 });
  expect(heard).toEqual([
    'trouble {"code":"offline"}',
    'trouble null',
    'stopped {"code":"link-unknown"}',
  ]);
  expect([starts(), ends()]).toEqual([[0], []]);
});

it('serves one player; the next begins anew', () => {
  openAhead(LINK);
  const first = beginLink(WHOLE, events().all);
  const second = beginLink(WHOLE, events().all);
  expect(second.client).not.toBe(first.client);
  expect([starts(), ends()]).toEqual([[0, 1], []]);
});

it('is ended where another link is opened instead', () => {
  for (const other of [
    { ...WHOLE, secret: 't' },
    { ...WHOLE, cacheKey: false },
    { ...WHOLE, gateway: 'https://else.example' },
  ]) {
    asked = [];
    openAhead(LINK);
    const [early] = starts();
    beginLink(other, events().all);
    expect(starts()).toHaveLength(2);
    expect(ends()).toEqual([early]);
  }
});

it('asks nothing of a browser that can’t play', () => {
  made.obstacle = { code: 'insecure-context' };
  openAhead(LINK);
  expect(asked).toEqual([]);
});
