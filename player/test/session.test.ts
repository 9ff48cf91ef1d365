/**
 * A viewing from its link to its playlists: `unlock` gives the title key, `Shelf` the objects.
 *
 * The gateway is answered by the test from the shared vectors. What the network
 * does is for `network.test.ts`, single formats for `documents.test.ts` and `keys.test.ts`.
 */

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { failureOf } from '../src/failure';
import { utf8, type Bytes } from '../src/vault/bytes';
import { Connection } from '../src/vault/connection';
import { Gateway } from '../src/vault/gateway';
import { identityFromSeed, parseLinkSecret } from '../src/vault/identity';
import { parseIdentityFile } from '../src/vault/identity-text';
import type { GrantKeys } from '../src/vault/grant';
import { Kind } from '../src/vault/role';
import { Shelf } from '../src/vault/shelf';
import { fetchGrant, unlock, type AskIdentity } from '../src/vault/unlock';
import { CACHE_LIFE_MS, MAX_CACHED, placeOf, UnwrapCache } from '../src/vault/unwrap-cache';
import { BASE, FakeServer, FILE, GRANT, MANIFEST, nameOf, role, sealAs } from './fake-server';
import { cases, hex, type GrantCase } from './vectors';

const [MARKED] = cases<GrantCase>('grant-marked') as [GrantCase];
const [LINK] = cases<{ identity: string }>('link') as [{ identity: string }];

let server: FakeServer;
const connection = new Connection(() => undefined);

beforeEach(() => {
  server = new FakeServer();
  vi.stubGlobal('fetch', server.fetch);
  vi.stubGlobal('navigator', { onLine: true });
  vi.useFakeTimers({ toFake: ['Date'], now: Date.parse('2026-11-21T00:00:00Z') });
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const neverAsked: AskIdentity = () => Promise.reject(new Error('nobody should be asked'));

async function openLink(ask: AskIdentity = neverAsked, cache: UnwrapCache | null = null) {
  const link = await parseLinkSecret(GRANT.fragment);
  if (link === null) throw new Error('the vector has no secret');
  const gateway = new Gateway(BASE, GRANT.grant, link.bearer);
  const grant = await fetchGrant(gateway, connection);
  return { gateway, grant, keys: await unlock(grant.record, link, ask, cache) };
}

async function openShelf(): Promise<Shelf> {
  const { gateway, grant, keys } = await openLink();
  return new Shelf(gateway, connection, grant, Promise.resolve(keys));
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'it succeeded',
    (error: unknown) => {
      const { code, part } = failureOf(error);
      return part === undefined ? code : `${code}: ${part}`;
    },
  );
}

describe('unlocking', () => {
  it('gives the title key of a link', async () => {
    const { keys } = await openLink();
    expect(await keys.title.name(role(Kind.poster))).toBe(nameOf(role(Kind.poster)));
  });

  it('is refused after the end by either clock', async () => {
    server.now = GRANT.expires;
    expect(await codeOf(openLink())).toBe('grant-expired');
    server.now = '2026-11-21T00:00:00Z';
    vi.setSystemTime(Date.parse(GRANT.expires));
    expect(await codeOf(openLink())).toBe('grant-expired');
  });

  it('is refused where the record names other objects than the key', async () => {
    const { index, preload } = server.record;
    server.record['index'] = `${'0'.repeat(32)}.m3u8`;
    expect(await codeOf(openLink())).toBe('tampered: the grant');
    Object.assign(server.record, { index, preload: ['0'.repeat(32)] });
    expect(await codeOf(openLink())).toBe('tampered: the grant');
    Object.assign(server.record, { preload });
    expect(await codeOf(openLink())).toBe('it succeeded');
  });

  it('of a marked title wants the variant list among the objects', async () => {
    const { preload } = server.record;
    server.record['envelope'] = MARKED.envelope;
    expect(await codeOf(openLink())).toBe('tampered: the grant');
    server.record['preload'] = [...(preload as string[]), MARKED.list_name];
    expect(await codeOf(openLink())).toBe('it succeeded');
  });

  it('is refused where the envelope was changed or made for another link', async () => {
    server.record['epoch'] = 2;
    expect(await codeOf(openLink())).toBe('tampered: the grant');
    server.record['recipient'] = '0'.repeat(32);
    expect(await codeOf(openLink())).toBe('secret-wrong');
  });

  it('for a recipient asks until the right identity is brought', async () => {
    server.record['kind'] = 'recipient';
    const seed = parseIdentityFile(LINK.identity) as Bytes;
    const seeds = [hex('77'.repeat(32)), seed];
    const ask = vi.fn<AskIdentity>(() => identityFromSeed(seeds.shift() as Bytes));
    expect(await codeOf(openLink(ask))).toBe('it succeeded');
    expect(ask.mock.calls).toEqual([
      [GRANT.recipient, false],
      [GRANT.recipient, true],
    ]);
  });
});

describe('keys that were unwrapped', () => {
  const seedOf = (): Bytes => parseIdentityFile(LINK.identity) as Bytes;
  const decapsulations = () => vi.spyOn(crypto.subtle, 'importKey');
  const opened = async (cache: UnwrapCache | null, ask = neverAsked) =>
    (await openLink(ask, cache)).keys.title;

  it('are remembered for who could unwrap them again, and no longer than five minutes', async () => {
    const cache = new UnwrapCache();
    const first = await opened(cache);
    expect(await opened(cache)).toBe(first);
    expect(await opened(null)).not.toBe(first);
    vi.setSystemTime(Date.now() + CACHE_LIFE_MS - 1);
    expect(await opened(cache)).toBe(first);
    vi.setSystemTime(Date.now() + 1);
    expect(await opened(cache)).not.toBe(first);
  });

  it('are not looked for where the grant is another, or has ended', async () => {
    const cache = new UnwrapCache();
    await opened(cache);
    server.record['epoch'] = 2;
    expect(await codeOf(opened(cache))).toBe('tampered: the grant');
    server.record['epoch'] = GRANT.epoch;
    server.record['index'] = `${'0'.repeat(32)}.m3u8`;
    expect(await codeOf(opened(cache))).toBe('tampered: the grant');
    server.now = GRANT.expires;
    expect(await codeOf(opened(cache))).toBe('grant-expired');
  });

  it('of a recipient are found only with the identity at hand', async () => {
    server.record['kind'] = 'recipient';
    const cache = new UnwrapCache();
    const ask = vi.fn<AskIdentity>(() => identityFromSeed(seedOf()));
    const first = await opened(cache, ask);
    expect(await opened(cache, ask)).toBe(first);
    expect(ask).toHaveBeenCalledTimes(2);
    expect(await codeOf(opened(cache))).toBe('playback-failed');
  });

  it('cost no identity of a link', async () => {
    const cache = new UnwrapCache();
    await opened(cache);
    const imports = decapsulations();
    await opened(cache);
    expect(imports.mock.calls.filter(([format]) => String(format) === 'raw-seed')).toEqual([]);
    expect(imports.mock.calls.length).toBeLessThan(8);
    imports.mockRestore();
  });

  it('are dropped when the clock was set back, and the oldest beyond a bound', async () => {
    const cache = new UnwrapCache();
    const keys = { title: await opened(null), variants: null };
    for (let at = 0; at <= MAX_CACHED; at++) cache.put(String(at), keys);
    expect(cache.size).toBe(MAX_CACHED);
    expect(cache.get('0')).toBeNull();
    expect(cache.get('1')).toBe(keys);
    vi.setSystemTime(Date.now() - 1);
    expect(cache.get('1')).toBeNull();
    expect(cache.size).toBe(0);
  });

  it('are dropped by themselves in time', async () => {
    vi.useFakeTimers({ toFake: ['Date', 'setTimeout'] });
    const cache = new UnwrapCache();
    cache.put('a', { title: {} as never, variants: null });
    vi.advanceTimersByTime(CACHE_LIFE_MS / 2);
    cache.put('b', { title: {} as never, variants: null });
    vi.advanceTimersByTime(CACHE_LIFE_MS / 2);
    expect(cache.size).toBe(1);
    vi.advanceTimersByTime(CACHE_LIFE_MS / 2);
    expect(cache.size).toBe(0);
  });

  it('have places that differ by holder and by every bound field', async () => {
    const { record } = (await openLink()).grant;
    const others = [{ id: 'b' }, { title: 'b' }, { epoch: 7 }, { recipient: 'b' }] as const;
    const more = [{ kind: 'recipient' }, { expiresMs: null }, { envelope: utf8('b') }] as const;
    const changed = [...others, ...more].map((other) => Object.assign({}, record, other));
    const records = [record, ...changed];
    const places = await Promise.all(records.map((one) => placeOf(one, 'holder')));
    expect(new Set([...places, await placeOf(record, 'other')]).size).toBe(records.length + 1);
  });
});

describe('the shelf', () => {
  it('fetches manifest and multivariant playlist while the grant is still being opened', async () => {
    const { gateway, grant, keys } = await openLink();
    const before = server.requests.length;
    let open: (keys: GrantKeys) => void = () => undefined;
    const opening = new Promise<GrantKeys>((resolve) => (open = resolve));
    const title = new Shelf(gateway, connection, grant, opening).title();
    await vi.waitFor(() => expect(server.requests.length).toBe(before + 2));
    const names = [Kind.manifest, Kind.multivariantPlaylist].map((kind) => nameOf(role(kind)));
    const asked = server.requests.slice(before).toSorted().join();
    for (const name of names) expect(asked).toContain(name);
    open(keys);
    expect((await title).title).toBe('A title');
    expect(server.requests.length).toBe(before + 2);
  });

  it('opens the manifest and writes its playlists', async () => {
    const shelf = await openShelf();
    expect((await shelf.title()).title).toBe('A title');
    expect((await shelf.playlist(null)).text).toContain('1/index.m3u8');
    expect((await shelf.playlist(1)).text).toContain('#EXTINF:2.000000,\n1\n#EXT-X-ENDLIST');
  });

  it('finds segments by their role, and asks for a fresh playlist once a URL was refused', async () => {
    const shelf = await openShelf();
    const of = role(Kind.segment, 1, 1);
    const first = await shelf.locate(of, null);
    expect(first).toMatchObject({ bytes: 12, part: 'the picture' });
    expect(first.url).toBe(`${BASE}/o/t/${GRANT.title}/${nameOf(of)}?generation=0`);
    server.generation = 1;
    const before = server.requests.length + 1;
    const [second] = await Promise.all([shelf.locate(of, first.url), shelf.locate(of, first.url)]);
    expect(second.url).toContain('generation=1');
    expect((await shelf.locate(role(Kind.init, 1), null)).bytes).toBe(10);
    expect((await shelf.locate(of, first.url)).url).toBe(second.url);
    expect(server.requests).toHaveLength(before);
  });

  it('finds the parts of a rendition file, and asks for one fresh URL for all of them', async () => {
    const manifest = structuredClone(MANIFEST) as object as { renditions: object[] };
    Object.assign(manifest.renditions[0] as object, { single_file: true });
    server.manifest = sealAs(role(Kind.manifest), utf8(JSON.stringify(manifest)));
    server.isFile = true;
    const shelf = await openShelf();
    const [init, one, two] = [role(Kind.init, 1), role(Kind.segment, 1), role(Kind.segment, 1, 1)];
    const first = await shelf.locate(two, null);
    expect(first).toEqual({
      url: `${BASE}/o/t/${GRANT.title}/${nameOf(FILE)}?generation=0`,
      place: { offset: 165, of: 249 },
      bytes: 12,
      part: 'the picture',
    });
    expect((await shelf.locate(init, null)).url).toBe(first.url);
    server.generation = 1;
    const before = server.requests.length;
    const again = await Promise.all([init, one, two].map((of) => shelf.locate(of, first.url)));
    expect(new Set(again.map(({ url }) => url))).toEqual(
      new Set([first.url.replace('generation=0', 'generation=1')]),
    );
    expect(again.map(({ place }) => place?.offset)).toEqual([0, 82, 165]);
    expect(server.requests.slice(before)).toEqual([`/v1/grants/${GRANT.grant}/sign`]);
  });

  it('finds nothing that the manifest does not have', async () => {
    const shelf = await openShelf();
    for (const of of [role(Kind.segment, 1, 2), role(Kind.segment, 9), role(Kind.poster)]) {
      expect(await codeOf(shelf.locate(of, null))).toBe('playback-failed');
    }
  });

  it('refuses a manifest that was changed or is none', async () => {
    server.manifest[100] = (server.manifest[100] as number) ^ 1;
    expect(await codeOf((await openShelf()).title())).toBe('tampered: the description');
    server.manifest = sealAs(role(Kind.manifest), utf8('{}'));
    expect(await codeOf((await openShelf()).title())).toBe('tampered: the description');
  });

  it('refuses playlists that disagree with the manifest', async () => {
    const longer = structuredClone(MANIFEST) as object as { renditions: { segments: unknown[] }[] };
    longer.renditions[0]?.segments.push([2_000_000, 13]);
    server.manifest = sealAs(role(Kind.manifest), utf8(JSON.stringify(longer)));
    const shelf = await openShelf();
    expect(await codeOf(shelf.playlist(1))).toBe('playlist-mismatch');
    expect(await codeOf(shelf.locate(role(Kind.segment, 1, 0), null))).toBe('playlist-mismatch');
  });
});
