/**
 * A marked title: which variants a viewer is led to, and what opens them.
 *
 * The gateway is answered by the test; the list of slot keys is sealed here from the specification.
 */

import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { failureOf } from '../src/failure';
import { concat, u32, utf8, type Bytes } from '../src/vault/bytes';
import { Connection } from '../src/vault/connection';
import { Gateway } from '../src/vault/gateway';
import { parseLinkSecret } from '../src/vault/identity';
import { importPrk } from '../src/vault/hkdf';
import { openRole } from '../src/vault/object';
import { encodeRole, Kind, type TitleKey } from '../src/vault/role';
import { Shelf } from '../src/vault/shelf';
import { fetchGrant, unlock } from '../src/vault/unlock';
import { SlotKey } from '../src/vault/variants';
import { BASE, FakeServer, GRANT, MANIFEST, nameOf, role, sealAs } from './fake-server';
import { expandSha512, patterned, seal } from './sealer';
import { cases, hex, type GrantCase } from './vectors';

const [MARKED] = cases<GrantCase>('grant-marked') as [GrantCase];
const TITLE = hex(GRANT.title);
const LIST_ROLE = role(Kind.variantList);
const SALT = new Uint8Array(24);
/** The slot keys of this viewer: variant 2 of slot 0, variant 1 of slot 1. */
const CHOSEN = [2, 1] as const;

const slotSecret = (slot: number, variant: number): Bytes =>
  new Uint8Array(32).fill(16 * slot + variant);

const slotKey = async (slot: number, variant: 1 | 2): Promise<SlotKey> =>
  new SlotKey(TITLE, slot, variant, await importPrk(slotSecret(slot, variant), 'SHA-512'));

function listEntry(variant: number, slot: number): Bytes {
  return concat(u32(slot), Uint8Array.of(variant), slotSecret(slot, variant));
}

function objectKeyUnder(secret: Uint8Array, context: Bytes): Buffer {
  return expandSha512(secret, concat(utf8('veilcast/object-key/v1\0'), context), 32);
}

function sealList(entries: readonly Bytes[]): Bytes {
  const context = encodeRole(TITLE, LIST_ROLE);
  return seal(
    objectKeyUnder(hex(MARKED.list_key ?? ''), context),
    SALT,
    context,
    concat(...entries),
  );
}

function sealSegment(slot: number, variant: 1 | 2): Bytes {
  const context = encodeRole(TITLE, role(Kind.segment, 1, slot), variant);
  const key = objectKeyUnder(slotSecret(slot, variant), context);
  return seal(key, SALT, context, patterned(11 + slot));
}

/** What the gateway and the bucket say that the other tests' don't. */
const answers = new Map<string, string | Bytes>();
const connection = new Connection(() => undefined);

interface Opened {
  readonly shelf: Shelf;
  readonly server: FakeServer;
  readonly title: TitleKey;
}

async function openShelf(envelope = MARKED.envelope): Promise<Opened> {
  const server = new FakeServer();
  const manifest = structuredClone(MANIFEST) as object as { renditions: object[] };
  Object.assign(manifest.renditions[0] as object, { marked: true });
  server.manifest = sealAs(role(Kind.manifest), utf8(JSON.stringify(manifest)));
  const preload = [...(server.record['preload'] as string[]), MARKED.list_name];
  Object.assign(server.record, { envelope, preload });
  vi.stubGlobal('fetch', (url: string, init: RequestInit) => {
    const found = [...answers].find(([name]) => url.includes(name));
    return found ? Promise.resolve(new Response(found[1])) : server.fetch(url, init);
  });
  const link = await parseLinkSecret(GRANT.fragment);
  if (link === null) throw new Error('the vector has no secret');
  const gateway = new Gateway(BASE, GRANT.grant, link.bearer);
  const grant = await fetchGrant(gateway, connection);
  const keys = await unlock(grant.record, link, () => Promise.reject(new Error()), null);
  const shelf = new Shelf(gateway, connection, grant, Promise.resolve(keys));
  return { shelf, server, title: keys.title };
}

async function playlistOf(variants: readonly (1 | 2)[]): Promise<string> {
  const names = variants.map(async (variant, slot) => (await slotKey(slot, variant)).name(1));
  const lines = (await Promise.all(names)).map((name) => `#EXTINF:2.000000,\n/o/t/x/${name}\n`);
  const map = `#EXT-X-MAP:URI="/o/t/x/${nameOf(role(Kind.init, 1))}"\n`;
  return `#EXTM3U\n${map}${lines.join('')}#EXT-X-ENDLIST\n`;
}

const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'it succeeded',
    (error: unknown) => failureOf(error).code,
  );

beforeEach(async () => {
  vi.stubGlobal('navigator', { onLine: true });
  vi.useFakeTimers({ toFake: ['Date'], now: Date.parse('2026-11-21T00:00:00Z') });
  answers.clear();
  answers.set(MARKED.list_name ?? '', sealList(CHOSEN.map(listEntry)));
  answers.set(nameOf(role(Kind.mediaPlaylist, 1)), await playlistOf(CHOSEN));
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

it('leads a viewer to the variants of the grant, each with the key that opens it', async () => {
  const { shelf, title } = await openShelf();
  for (const [slot, variant] of CHOSEN.entries()) {
    const of = role(Kind.segment, 1, slot);
    const located = await shelf.locate(of, null);
    expect(located.url).toContain(await (await slotKey(slot, variant)).name(1));
    expect(located.variantKey?.variant).toBe(variant);
    expect(located.variantKey?.prk.extractable).toBe(false);
    answers.set(located.url, sealSegment(slot, variant));
    const opened = await openRole(title, of, () => Promise.resolve(located));
    expect(new Uint8Array(opened.plaintext)).toEqual(patterned(11 + slot));
    answers.set(located.url, sealSegment(slot, variant === 1 ? 2 : 1));
    const other = openRole(title, of, () => Promise.resolve(located));
    expect(await codeOf(other)).toBe('tampered');
  }
  expect((await shelf.locate(role(Kind.init, 1), null)).variantKey).toBeUndefined();
});

it('refuses a playlist with a variant that is not the viewer’s', async () => {
  answers.set(nameOf(role(Kind.mediaPlaylist, 1)), await playlistOf([2, 2]));
  const { shelf } = await openShelf();
  expect(await codeOf(shelf.playlist(1))).toBe('playlist-mismatch');
});

it('takes a segment whose slot is not in the list for one that exists once', async () => {
  answers.set(MARKED.list_name ?? '', sealList([listEntry(2, 0)]));
  const [first] = (await playlistOf(CHOSEN)).split('#EXTINF').slice(1);
  const map = `#EXT-X-MAP:URI="/o/t/x/${nameOf(role(Kind.init, 1))}"\n`;
  const once = nameOf(role(Kind.segment, 1, 1));
  const text = `#EXTM3U\n${map}#EXTINF${first}#EXTINF:2.000000,\n/o/t/x/${once}\n#EXT-X-ENDLIST\n`;
  answers.set(nameOf(role(Kind.mediaPlaylist, 1)), text);
  const { shelf } = await openShelf();
  const located = await shelf.locate(role(Kind.segment, 1, 1), null);
  expect(located.url).toContain(once);
  expect(located.variantKey).toBeUndefined();
});

it('refuses a list that was changed, and a grant without one', async () => {
  const list = answers.get(MARKED.list_name ?? '') as Bytes;
  list[60] = (list[60] as number) ^ 1;
  expect(await codeOf((await openShelf()).shelf.playlist(1))).toBe('tampered');
  expect(await codeOf((await openShelf(GRANT.envelope)).shelf.playlist(1))).toBe('tampered');
});

it('refuses a marked rendition that lies in one file', async () => {
  const { shelf, server } = await openShelf();
  const manifest = structuredClone(MANIFEST) as object as { renditions: object[] };
  Object.assign(manifest.renditions[0] as object, { marked: true, single_file: true });
  server.manifest = sealAs(role(Kind.manifest), utf8(JSON.stringify(manifest)));
  expect(await codeOf(shelf.playlist(1))).toBe('tampered');
});
