/**
 * A viewing from its link to its playlists: `unlock` gives the title key, `Shelf` the objects.
 *
 * The gateway is answered by the test from the shared vectors. What the network
 * does is for `network.test.ts`, single formats for `documents.test.ts` and `keys.test.ts`.
 */

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { failureOf } from '../src/failure';
import { toHex, utf8, type Bytes } from '../src/vault/bytes';
import { Connection } from '../src/vault/connection';
import { Gateway } from '../src/vault/gateway';
import { identityFromSeed, parseIdentityFile, parseLinkSecret } from '../src/vault/identity';
import { encodeRole, Kind, type Role } from '../src/vault/role';
import { Shelf } from '../src/vault/shelf';
import { unlock, type AskIdentity } from '../src/vault/unlock';
import { expandSha512, seal } from './sealer';
import { cases, hex, type GrantCase } from './vectors';

const [GRANT] = cases<GrantCase>('grant') as [GrantCase];
const [MARKED] = cases<GrantCase>('grant-marked') as [GrantCase];
const [LINK] = cases<{ identity: string }>('link') as [{ identity: string }];
const BASE = 'https://veil.example';
const SEGMENTS = [
  [2_000_000, 11],
  [2_000_000, 12],
] as const;
const MANIFEST = {
  v: 1,
  title: 'A title',
  duration_us: 4_000_000,
  renditions: [
    {
      id: 1,
      type: 'video',
      codecs: 'avc1.64001f',
      width: 640,
      height: 360,
      frame_rate: 25,
      bandwidth_bps: 1000,
      average_bandwidth_bps: 900,
      init_length: 10,
      segments: SEGMENTS,
    },
  ],
};

function derive(label: string, role: Role, length: number): Bytes {
  const info = Buffer.concat([utf8(`${label}\0`), encodeRole(hex(GRANT.title), role)]);
  return new Uint8Array(expandSha512(hex(GRANT.title_key), info, length));
}

const role = (kind: Role['kind'], rendition = 0, index = 0): Role => ({ kind, rendition, index });
const nameOf = (of: Role): string => toHex(derive('veilcast/object-name/v1', of, 16));

function sealAs(of: Role, plaintext: Bytes): Bytes {
  const key = derive('veilcast/object-key/v1', of, 32);
  return seal(key, new Uint8Array(24), encodeRole(hex(GRANT.title), of), plaintext);
}

/** A gateway and a store in memory, which a test may change. */
class FakeServer {
  generation = 0;
  /** Whether the rendition lies in one file. */
  isFile = false;
  requests: string[] = [];
  manifest = sealAs(role(Kind.manifest), utf8(JSON.stringify(MANIFEST)));
  now = '2026-11-21T00:00:00Z';
  record: Record<string, unknown> = {
    v: 1,
    id: GRANT.grant,
    title: GRANT.title,
    epoch: GRANT.epoch,
    state: 'active',
    kind: 'link',
    recipient: GRANT.recipient,
    created: '2026-11-20T12:00:00Z',
    expires: GRANT.expires,
    index: `${nameOf(role(Kind.multivariantPlaylist))}.m3u8`,
    preload: [nameOf(role(Kind.manifest))],
    envelope: GRANT.envelope,
  };

  readonly fetch = async (url: string, init: RequestInit): Promise<Response> => {
    const path = url.replace(BASE, '');
    this.requests.push(path);
    const rest = path.replace(`/v1/grants/${GRANT.grant}`, '');
    if (rest === path) return new Response(this.manifest);
    if (rest === '') return Response.json(this.#grant());
    if (rest === '/sign') return Response.json(this.#sign(String(init.body)));
    if (rest.includes(nameOf(role(Kind.multivariantPlaylist)))) return new Response(this.#index());
    return new Response(this.#media());
  };

  #url(name: string): string {
    return `/o/t/${GRANT.title}/${name}?generation=${this.generation}`;
  }

  #grant(): object {
    const name = nameOf(role(Kind.manifest));
    return {
      grant: this.record,
      now: this.now,
      index_url: '/x',
      urls: { [name]: this.#url(name) },
    };
  }

  #sign(body: string): object {
    const [name] = (JSON.parse(body) as { names: string[] }).names as [string];
    return { urls: { [name]: this.#url(name) } };
  }

  #index(): string {
    const uri = `/v1/grants/${GRANT.grant}/${nameOf(role(Kind.mediaPlaylist, 1))}.m3u8`;
    return `#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n${uri}\n`;
  }

  #media(): string {
    if (this.isFile) return this.#file();
    const lines = SEGMENTS.map(
      (_, i) => `#EXTINF:2.000000,\n${this.#url(nameOf(role(Kind.segment, 1, i)))}\n`,
    );
    const map = `#EXT-X-MAP:URI="${this.#url(nameOf(role(Kind.init, 1)))}"\n`;
    return `#EXTM3U\n${map}${lines.join('')}#EXT-X-ENDLIST\n`;
  }

  #file(): string {
    const url = this.#url(nameOf(FILE));
    const lines = ['83@82', '84@165'].map(
      (range) => `#EXTINF:2.000000,\n#EXT-X-BYTERANGE:${range}\n${url}\n`,
    );
    const map = `#EXT-X-MAP:URI="${url}",BYTERANGE="82@0"\n`;
    return `#EXTM3U\n${map}${lines.join('')}#EXT-X-ENDLIST\n`;
  }
}

const FILE = role(Kind.renditionFile, 1);

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

async function openLink(ask: AskIdentity = neverAsked) {
  const link = await parseLinkSecret(GRANT.fragment);
  if (link === null) throw new Error('the vector has no secret');
  const gateway = new Gateway(BASE, GRANT.grant, link.bearer);
  return { gateway, unlocked: await unlock(gateway, link, connection, ask) };
}

async function openShelf(): Promise<Shelf> {
  const { gateway, unlocked } = await openLink();
  return new Shelf(gateway, connection, unlocked);
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
    const { unlocked } = await openLink();
    expect(await unlocked.key.name(role(Kind.poster))).toBe(nameOf(role(Kind.poster)));
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

describe('the shelf', () => {
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
