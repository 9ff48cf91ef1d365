/**
 * Renditions that lie in one file: places, playlists with byte ranges and variables, and parts on their way.
 *
 * The shared vectors hold names and places to the Rust code's. What a playlist says of places must agree with them, and
 * what a store sends for a part must be that part.
 */

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { failureOf } from '../src/failure';
import type { VideoRendition } from '../src/title';
import { toHex } from '../src/vault/bytes';
import { openObject, sealedLength } from '../src/vault/cobblestone';
import { openRole, type Locate } from '../src/vault/object';
import { checkMediaPlaylist, type FileUrl } from '../src/vault/playlist';
import { PlaylistMismatch, readMediaPlaylist } from '../src/vault/playlist-reader';
import { RenditionFile } from '../src/vault/rendition-file';
import { encodeRole, Kind, TitleKey, type Role } from '../src/vault/role';
import { expandSha512, patterned, seal } from './sealer';
import { cases, hex } from './vectors';

interface FileCase {
  name: string;
  title: string;
  title_key: string;
  rendition: number;
  plaintext_lengths: number[];
  places: [number, number][];
  object_name: string;
  file_sha256: string;
  file: string | null;
}

const VECTORS = cases<FileCase>('rendition-file');
const [SMALL] = VECTORS as [FileCase];

const keyOf = (vector: FileCase): Promise<TitleKey> =>
  TitleKey.import(hex(vector.title), hex(vector.title_key));

function renditionOf({ rendition, plaintext_lengths }: FileCase): VideoRendition {
  const [initBytes, ...segments] = plaintext_lengths as [number, ...number[]];
  return {
    type: 'video',
    id: rendition,
    codecs: 'avc1.64001f',
    width: 640,
    height: 360,
    frameRate: 25,
    bandwidthBps: 1,
    averageBandwidthBps: 1,
    initBytes,
    isSingleFile: true,
    isMarked: false,
    segments: segments.map((bytes) => ({ durationUs: 2_000_000, bytes })),
  };
}

const roleAt = (rendition: number, place: number): Role =>
  place === 0
    ? { kind: Kind.init, rendition, index: 0 }
    : { kind: Kind.segment, rendition, index: place - 1 };

/** The vector's file, sealed here from the specification. */
function sealFile({ title, title_key, rendition, plaintext_lengths }: FileCase): Buffer {
  const objects = plaintext_lengths.map((length, place) => {
    const context = encodeRole(hex(title), roleAt(rendition, place));
    const label = Buffer.from('veilcast/object-key/v1\0');
    const key = expandSha512(hex(title_key), Buffer.concat([label, context]), 32);
    return seal(key, new Uint8Array(24).fill(place + 1), context, patterned(length));
  });
  return Buffer.concat(objects);
}

async function sha256(bytes: Buffer): Promise<string> {
  return toHex(new Uint8Array(await crypto.subtle.digest('SHA-256', new Uint8Array(bytes))));
}

describe.each(VECTORS)('the rendition file of the vectors: $name', (vector) => {
  const file = new RenditionFile(renditionOf(vector));

  it('has its name and places', async () => {
    expect(await (await keyOf(vector)).name(file.role)).toBe(vector.object_name);
    const [init, ...segments] = vector.places;
    expect([file.init.offset, file.init.bytes]).toEqual(init);
    segments.forEach(([offset, bytes], index) => {
      expect(file.segment(index)).toEqual({ offset, bytes });
    });
    expect([file.segment(-1), file.segment(segments.length)]).toEqual([null, null]);
    expect(file.bytes).toBe(vector.places.reduce((sum, [, bytes]) => sum + bytes, 0));
  });

  it('is what the specification makes of it, and opens place by place', async () => {
    const sealed = sealFile(vector);
    expect(await sha256(sealed)).toBe(vector.file_sha256);
    if (vector.file !== null) expect(sealed.toString('hex')).toBe(vector.file);
    const key = await keyOf(vector);
    for (const [place, [offset, bytes]] of vector.places.entries()) {
      const role = roleAt(vector.rendition, place);
      const object = new Uint8Array(sealed.subarray(offset, offset + bytes));
      const context = encodeRole(key.titleId, role);
      const opened = await openObject(await key.objectKey(role), context, object);
      expect(opened.byteLength).toBe(vector.plaintext_lengths[place]);
    }
  });
});

describe('a playlist with byte ranges', () => {
  const BASE = 'https://veil.example/v1/grants/44444444444444444444444444444444/index.m3u8';
  const URI = `/o/t/${SMALL.title}/${SMALL.object_name}?X-Amz-Signature=00`;
  const [INIT, ...SEGMENTS] = SMALL.places.map(([offset, bytes]) => `${bytes}@${offset}`);

  function playlist(): string {
    const segments = SEGMENTS.map((range) => {
      return `#EXTINF:2.000000,\n#EXT-X-BYTERANGE:${range}\n${URI}\n`;
    });
    return (
      '#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:0\n' +
      '#EXT-X-PLAYLIST-TYPE:VOD\n#EXT-X-INDEPENDENT-SEGMENTS\n' +
      `#EXT-X-MAP:URI="${URI}",BYTERANGE="${INIT}"\n${segments.join('')}#EXT-X-ENDLIST\n`
    );
  }

  /** The same as a gateway writes it in the compact form. */
  function compact(): string {
    const [before, query] = URI.split(SMALL.object_name) as [string, string];
    const variables =
      `#EXT-X-DEFINE:NAME="veil-base",VALUE="https://store.example${before}"\n` +
      `#EXT-X-DEFINE:NAME="veil-query",VALUE="${query}"\n`;
    return playlist()
      .replace('VERSION:7\n', `VERSION:8\n${variables}`)
      .replaceAll(URI, `{$veil-base}${SMALL.object_name}{$veil-query}`);
  }

  const check = async (text: string, rendition = renditionOf(SMALL)) =>
    checkMediaPlaylist(text, BASE, rendition, await keyOf(SMALL));

  it('gives the one URL of its file', async () => {
    const { url, file } = (await check(playlist())) as FileUrl;
    expect(url).toBe(`https://veil.example${URI}`);
    expect(file.segment(2)).toEqual({ offset: 224, bytes: 73 });
  });

  it('may leave offsets out where a range follows the one before it', async () => {
    const [first, ...rest] = SEGMENTS;
    const short = rest.reduce((text, range) => {
      return text.replace(`:${range}`, `:${range.split('@')[0]}`);
    }, playlist());
    expect(short).not.toBe(playlist());
    await check(short);
    const bare = playlist().replace(`:${first}`, `:${first?.split('@')[0]}`);
    await expect(check(bare)).rejects.toThrow('follows none');
    const after = `#EXT-X-BYTERANGE:9@0\nx\n#EXTINF:2,\n#EXT-X-BYTERANGE:9\ny\n`;
    const other = `#EXTM3U\n#EXTINF:2,\n${after}#EXT-X-ENDLIST`;
    expect(() => readMediaPlaylist(other)).toThrow('follows none');
  });

  it('may have variables, which stand for the same URL', async () => {
    const { url } = (await check(compact())) as FileUrl;
    expect(url).toBe(`https://store.example${URI}`);
  });

  it.each<[string, (text: string) => string]>([
    ['with two ranges exchanged', (text) => exchange(text, SEGMENTS[0]!, SEGMENTS[1]!)],
    ['with a range that is moved', (text) => text.replace('@75', '@76')],
    ['with a range that is cut', (text) => text.replace(':77@', ':76@')],
    ['with a range twice', (text) => text.replace(SEGMENTS[1]!, SEGMENTS[0]!)],
    ['without a range', (text) => text.replace(/#EXT-X-BYTERANGE.*\n/, '')],
    ['with a range for nothing', (text) => text.replace(/#EXT-X-BYTERANGE.*\n/, '$&$&')],
    ['with a range at its end', (text) => text.replace('#EXT-X-END', '#EXT-X-BYTERANGE:1@0\n$&')],
    ['with a range beyond numbers', (text) => text.replace('@75', `@${'9'.repeat(16)}`)],
    ['without the range of its map', (text) => text.replace(/,BYTERANGE="[^"]*"/, '')],
    ['with another range of its map', (text) => text.replace('"75@0"', '"74@0"')],
    ['without its map', (text) => text.replace(/#EXT-X-MAP.*\n/, '')],
    ['with a segment in another file', (text) => text.replace(`\n${URI}`, `\n${URI}&x`)],
    ['of another file', (text) => text.replaceAll(SMALL.object_name, '0'.repeat(32))],
    ['with a URI of any length', (text) => text.replaceAll(URI, `${URI}&${'x'.repeat(9000)}`)],
    ['that lacks a segment', (text) => text.replace(/#EXTINF[^]*?sig.*\n/i, '')],
  ])('%s is refused', async (_, change) => {
    const changed = change(playlist());
    expect(changed).not.toBe(playlist());
    await expect(check(changed)).rejects.toThrow(PlaylistMismatch);
  });

  it.each<[string, (text: string) => string]>([
    ['in an old version', (text) => text.replace('VERSION:8', 'VERSION:7')],
    ['in no version', (text) => text.replace('#EXT-X-VERSION:8\n', '')],
    ['in two versions', (text) => text.replace('#EXT-X-VERSION:8\n', '$&$&')],
    [
      'defined after their use',
      (text) => text.replace(/(.*DEFINE.*\n)([^]*?)(.*MAP.*\n)/, '$3$1$2'),
    ],
    ['defined twice', (text) => text.replace(/#EXT-X-DEFINE.*\n/, '$&$&')],
    ['not defined', (text) => text.replace(/#EXT-X-DEFINE.*\n/, '')],
    ['imported', (text) => text.replace(/NAME="(veil-query)",VALUE=".*"/, 'IMPORT="$1"')],
    [
      'taken from a query',
      (text) => text.replace(/NAME="(veil-query)",VALUE=".*"/, 'QUERYPARAM="$1"'),
    ],
    ['with a strange name', (text) => text.replaceAll('veil-base', 'veil base')],
    ['in a value', (text) => text.replace('VALUE="?', 'VALUE="?{$veil-base}')],
    [
      'that grow',
      (text) => text.replaceAll('{$veil-query}', `{$veil-query}${'{$veil-base}'.repeat(200)}`),
    ],
    ['by the hundred', (text) => text.replace('#EXT-X-DEFINE', `${many()}$&`)],
  ])('with variables %s is refused', async (_, change) => {
    const changed = change(compact());
    expect(changed).not.toBe(compact());
    await expect(check(changed)).rejects.toThrow(PlaylistMismatch);
  });

  it('is refused for a rendition of many objects, and the other way round', async () => {
    await expect(check(playlist(), { ...renditionOf(SMALL), isSingleFile: false })).rejects.toThrow(
      'a byte range of an object',
    );
    const bare = playlist().replaceAll(/#EXT-X-BYTERANGE.*\n|,BYTERANGE="[^"]*"/g, '');
    await expect(check(bare)).rejects.toThrow('without its byte range');
  });

  function many(): string {
    const lines = Array.from({ length: 100 }, (_, n) => `#EXT-X-DEFINE:NAME="n${n}",VALUE=""\n`);
    return lines.join('');
  }

  function exchange(text: string, one: string, other: string): string {
    return text.replace(one, '\0').replace(other, one).replace('\0', other);
  }
});

describe('a part of a file', () => {
  const sealed = sealFile(SMALL);
  const [, [OFFSET, BYTES]] = SMALL.places as [unknown, [number, number]];
  const ROLE = roleAt(SMALL.rendition, 1);
  const fetches = vi.fn<(url: string, init: RequestInit) => Promise<Response>>();
  const locate: Locate = async () => ({
    url: 'https://store.example/file',
    place: { offset: OFFSET, of: sealed.length },
    bytes: SMALL.plaintext_lengths[1] as number,
    part: 'the picture',
  });

  beforeEach(() => {
    vi.stubGlobal('fetch', fetches);
    vi.stubGlobal('navigator', { onLine: true });
  });
  afterEach(() => {
    vi.unstubAllGlobals();
    fetches.mockReset();
  });

  /** What a store that holds `file` answers to a request for bytes from `from` to before `to`. */
  function answer(file: Buffer, from = OFFSET, to = OFFSET + BYTES): Response {
    const end = Math.min(to, file.length);
    const headers = { 'content-range': `bytes ${from}-${end - 1}/${file.length}` };
    return new Response(new Uint8Array(file.subarray(from, end)), { status: 206, headers });
  }

  async function openAs(response: Response, role: Role = ROLE): Promise<string> {
    fetches.mockResolvedValue(response);
    return openRole(await keyOf(SMALL), role, locate).then(
      ({ plaintext }) => `opened ${plaintext.byteLength}`,
      (error: unknown) => failureOf(error).code,
    );
  }

  it('is asked for and opened', async () => {
    expect(await openAs(answer(sealed))).toBe(`opened ${SMALL.plaintext_lengths[1]}`);
    expect(fetches.mock.calls[0]?.[1]).toMatchObject({
      headers: { Range: 'bytes=75-151' },
      cache: 'no-store',
    });
  });

  it('is tampered with where it was changed, cut, moved or exchanged', async () => {
    const flipped = Buffer.from(sealed);
    flipped[OFFSET + 60] = (flipped[OFFSET + 60] as number) ^ 1;
    const swapped = Buffer.concat([sealed.subarray(1), sealed.subarray(0, 1)]);
    const cut = sealed.subarray(0, OFFSET + BYTES - 1);
    for (const file of [flipped, swapped, cut, Buffer.concat([sealed, sealed])]) {
      expect(await openAs(answer(file))).toBe('tampered');
    }
    for (const [from, to] of [
      [0, BYTES],
      [OFFSET + 1, OFFSET + BYTES],
      [OFFSET, OFFSET + BYTES - 1],
    ]) {
      const other = answer(sealed, from, to);
      expect(await openAs(other)).toBe('tampered');
      expect(other.bodyUsed).toBe(false);
    }
    expect(await openAs(answer(sealed), roleAt(SMALL.rendition, 2))).toBe('tampered');
    expect(await openAs(new Response(null, { status: 416 }))).toBe('tampered');
  });

  it('is refused, unread, where a whole file is sent or nobody says which part it is', async () => {
    const named = { 'content-range': `bytes 75-151/${sealed.length}` };
    const whole = new Response(new Uint8Array(sealed), { status: 200, headers: named });
    expect(await openAs(whole)).toBe('ranges-unsupported');
    const unnamed = new Response(new Uint8Array(sealed.subarray(75, 152)), { status: 206 });
    expect(await openAs(unnamed)).toBe('ranges-unsupported');
    const headers = { 'content-range': 'bytes 75-*/297' };
    expect(await openAs(new Response('', { status: 206, headers }))).toBe('ranges-unsupported');
    expect([whole.bodyUsed, unnamed.bodyUsed]).toEqual([false, false]);
  });

  it('of a file whose length is not told, or on another origin that keeps it to itself, is opened', async () => {
    const unknown = answer(sealed);
    unknown.headers.set('content-range', 'bytes 75-151/*');
    expect(await openAs(unknown)).toContain('opened');
    const foreign = new Response(new Uint8Array(sealed.subarray(75, 152)), { status: 206 });
    Object.defineProperty(foreign, 'type', { value: 'cors' });
    expect(await openAs(foreign)).toContain('opened');
  });

  it('is as long as its object is when sealed', () => {
    expect(SMALL.places.map(([, bytes]) => bytes)).toEqual(
      SMALL.plaintext_lengths.map(sealedLength),
    );
  });
});
