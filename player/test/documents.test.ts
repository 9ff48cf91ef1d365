/**
 * Documents that come from outside: manifest, playlists, addresses, the gateway's answer.
 *
 * What is written in them is read exactly, and what disagrees with the format or with the manifest
 * is refused. They are plaintext here; opening their seals is for the other files.
 */

import { beforeAll, describe, expect, it } from 'vitest';
import { parseMediaAddress, parsePlaylistAddress } from '../src/address';
import type { Rendition, Title } from '../src/title';
import { utf8 } from '../src/vault/bytes';
import { isExpired, parseGrantAnswer } from '../src/vault/grant';
import { Malformed } from '../src/vault/json';
import { parseManifest } from '../src/vault/manifest';
import {
  checkMediaPlaylist,
  checkMultivariantPlaylist,
  type ObjectUrls,
} from '../src/vault/playlist';
import { PlaylistMismatch } from '../src/vault/playlist-reader';
import { writeMediaPlaylist, writeMultivariantPlaylist } from '../src/vault/playlist-writer';
import { Kind, TitleKey } from '../src/vault/role';
import { hex } from './vectors';

const BASE = 'https://veil.example/v1/grants/44444444444444444444444444444444/index.m3u8';
const MANIFEST = {
  v: 1,
  title: 'Sintel “trailer”',
  duration_us: 6_000_000,
  poster: { media_type: 'image/webp', width: 1280, height: 720, length: 41_230 },
  storyboard: {
    media_type: 'image/webp',
    interval_us: 2_000_000,
    tile_width: 160,
    tile_height: 90,
    columns: 2,
    rows: 1,
    tile_count: 3,
    sheets: [31_022, 4100],
  },
  chapters: [
    { start_us: 0, title: 'Snow' },
    { start_us: 2_500_000, title: '' },
  ],
  renditions: [
    {
      id: 1,
      type: 'video',
      codecs: 'avc1.64001f',
      width: 854,
      height: 480,
      frame_rate: 24,
      bandwidth_bps: 900_000,
      average_bandwidth_bps: 800_000,
      init_length: 812,
      segments: [
        [2_000_000, 401_223],
        [2_000_000, 388_120],
        [2_000_000, 1],
      ],
    },
    {
      id: 256,
      type: 'audio',
      codecs: 'mp4a.40.2',
      channels: 2,
      name: 'English',
      language: 'en',
      default: true,
      bandwidth_bps: 131_000,
      average_bandwidth_bps: 129_000,
      init_length: 733,
      segments: [[5_984_000, 32_110]],
    },
    {
      id: 512,
      type: 'subtitles',
      codecs: 'wvtt',
      name: 'Deutsch "hart"',
      language: 'de',
      default: false,
      forced: false,
      segments: [[6_000_000, 4120]],
    },
  ],
};

type Json = Record<string, unknown>;

function manifest(change: (draft: typeof MANIFEST) => void = () => undefined): Uint8Array {
  const draft = structuredClone(MANIFEST);
  change(draft);
  return utf8(JSON.stringify(draft));
}

describe('the manifest', () => {
  it('is read as its format says', () => {
    const title = parseManifest(manifest());
    expect(title.title).toBe('Sintel “trailer”');
    expect(title.storyboard?.sheets).toEqual([31_022, 4100]);
    expect(title.chapters).toEqual([
      { startUs: 0, title: 'Snow' },
      { startUs: 2_500_000, title: '' },
    ]);
    expect(title.renditions.map((rendition) => rendition.id)).toEqual([1, 256, 512]);
    expect(title.renditions[0]?.segments[0]).toEqual({ durationUs: 2_000_000, bytes: 401_223 });
  });

  it('may have members that nobody knows, and lack what may be absent', () => {
    const bytes = manifest((draft) => {
      (draft as Json)['later'] = { anything: [1] };
      delete (draft as Json)['poster'];
      delete (draft as Json)['chapters'];
      delete (draft.renditions[1] as Json)['language'];
    });
    expect(parseManifest(bytes).poster).toBeUndefined();
    expect(parseManifest(bytes).chapters).toBeUndefined();
  });

  it.each<[string, (draft: typeof MANIFEST) => void]>([
    ['of another version', (draft) => (draft.v = 2)],
    ['without renditions', (draft) => (draft.renditions.length = 0)],
    ['with subtitles alone', (draft) => draft.renditions.splice(0, 2)],
    ['with a rendition twice', (draft) => draft.renditions.push(draft.renditions[0]!)],
    ['with a rendition without segments', (draft) => (draft.renditions[0]!.segments = [])],
    ['with a segment of 65 MiB', (draft) => (draft.renditions[0]!.segments[0] = [1, 65 << 20])],
    ['with a segment of half a byte', (draft) => (draft.renditions[0]!.segments[0] = [1, 0.5])],
    ['with a poster in SVG', (draft) => (draft.poster.media_type = 'image/svg+xml')],
    [
      'with a language that breaks out of quotes',
      (draft) => (draft.renditions[1]!.language = 'e"'),
    ],
    ['with codecs that break out of quotes', (draft) => (draft.renditions[0]!.codecs = 'a"\nb')],
    ['with a sheet too few', (draft) => (draft.storyboard.sheets = [1])],
    ['with chapters that go back', (draft) => draft.chapters.push({ start_us: 1, title: '' })],
    ['with a chapter twice', (draft) => (draft.chapters[1]!.start_us = 0)],
    ['with a chapter at its end', (draft) => (draft.chapters[1]!.start_us = 6_000_000)],
    ['with a chapter before its beginning', (draft) => (draft.chapters[0]!.start_us = -1)],
    ['with a chapter within a microsecond', (draft) => (draft.chapters[1]!.start_us = 0.5)],
    ['with a chapter of a long name', (draft) => (draft.chapters[0]!.title = 'x'.repeat(257))],
    ['with a chapter without a name', (draft) => delete (draft.chapters[0] as Json)['title']],
    [
      'with chapters without end',
      (draft) =>
        (draft.chapters = Array.from({ length: 1001 }, (_, start_us) => ({ start_us, title: '' }))),
    ],
    ['with a title of a megabyte', (draft) => (draft.title = 'x'.repeat(1 << 20))],
  ])('%s is refused', (_, change) => {
    expect(() => parseManifest(manifest(change))).toThrow(Malformed);
  });

  it('that is no JSON, no UTF-8 or no object is refused', () => {
    for (const bytes of [utf8('{'), Uint8Array.of(0xff), utf8('[]'), utf8('null'), utf8('7')]) {
      expect(() => parseManifest(bytes)).toThrow(Malformed);
    }
  });
});

describe('playlists', () => {
  let key: TitleKey;
  let title: Title;
  let video: Rendition;
  let names: Map<string, string>;

  beforeAll(async () => {
    key = await TitleKey.import(hex('a5'.repeat(16)), hex('5a'.repeat(32)));
    title = parseManifest(manifest());
    video = title.renditions[0]!;
    names = new Map();
    for (const rendition of title.renditions) {
      const { id } = rendition;
      names.set(`p${id}`, await key.name({ kind: Kind.mediaPlaylist, rendition: id, index: 0 }));
      names.set(`i${id}`, await key.name({ kind: Kind.init, rendition: id, index: 0 }));
      for (let index = 0; index < rendition.segments.length; index++) {
        names.set(`s${id}.${index}`, await key.name({ kind: Kind.segment, rendition: id, index }));
      }
    }
  });

  function url(of: string): string {
    return `/o/t/${'a5'.repeat(16)}/${names.get(of)}?X-Amz-Signature=00`;
  }

  function mediaPlaylist(): string {
    const segments = [0, 1, 2].map((index) => `#EXTINF:2.000000,\n${url(`s1.${index}`)}\n`);
    return (
      '#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:0\n' +
      '#EXT-X-PLAYLIST-TYPE:VOD\n#EXT-X-INDEPENDENT-SEGMENTS\n' +
      `#EXT-X-MAP:URI="${url('i1')}"\n${segments.join('')}#EXT-X-ENDLIST\n`
    );
  }

  function multivariant(): string {
    const media = (type: string, id: number) =>
      `#EXT-X-MEDIA:TYPE=${type},GROUP-ID="g",NAME="${id}",URI="/v1/grants/4/${names.get(`p${id}`)}.m3u8"`;
    return (
      `#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-INDEPENDENT-SEGMENTS\n${media('AUDIO', 256)}\n` +
      `${media('SUBTITLES', 512)}\n#EXT-X-STREAM-INF:BANDWIDTH=1,CODECS="a,b"\n` +
      `/v1/grants/4/${names.get('p1')}.m3u8\n`
    );
  }

  const check = (text: string) => checkMediaPlaylist(text, BASE, video, key);

  it('of a rendition give its signed URLs', async () => {
    const urls = (await check(mediaPlaylist())) as ObjectUrls;
    expect(urls.init).toBe(`https://veil.example${url('i1')}`);
    expect(urls.segments).toHaveLength(3);
    await check(mediaPlaylist().replaceAll('\n', '\r\n'));
    await check(mediaPlaylist().replace('2.000000', '2.0009'));
  });

  it.each<[string, (text: string) => string]>([
    ['cut short', (text) => text.replace('#EXT-X-ENDLIST\n', '')],
    [
      'that lacks a segment',
      (text) => text.replace(/#EXTINF[^#]+#EXT-X-ENDLIST/, '#EXT-X-ENDLIST'),
    ],
    ['with two segments swapped', (text) => swap(text, url('s1.0'), url('s1.1'))],
    ['with a segment twice', (text) => text.replace(url('s1.1'), url('s1.0'))],
    ['with a segment of another rendition', (text) => text.replace(url('s1.1'), url('s256.0'))],
    ['with another duration', (text) => text.replace('2.000000', '2.002')],
    ['without its initialisation segment', (text) => text.replace(/#EXT-X-MAP.*\n/, '')],
    ['with another initialisation segment', (text) => text.replace(url('i1'), url('i256'))],
    ['with a second initialisation segment', (text) => text.replace(/#EXT-X-MAP.*\n/, '$&$&')],
    ['with a key', (text) => text.replace('#EXT-X-MAP', '#EXT-X-KEY:METHOD=NONE\n#EXT-X-MAP')],
    ['with a discontinuity', (text) => text.replace('#EXTINF', '#EXT-X-DISCONTINUITY\n#EXTINF')],
    ['with a byte range', (text) => text.replace('#EXTINF', '#EXT-X-BYTERANGE:9@0\n#EXTINF')],
    ['with a part', (text) => text.replace('#EXTINF', '#EXT-X-PART:URI="x",DURATION=1\n#EXTINF')],
    ['that begins later', (text) => text.replace('SEQUENCE:0', 'SEQUENCE:1')],
    ['that is live', (text) => text.replace('TYPE:VOD', 'TYPE:EVENT')],
    ['with a data URL', (text) => text.replace(url('s1.1'), `data:,/${names.get('s1.1')}`)],
    ['that is no playlist', () => '<html>'],
    ['that is empty', () => ''],
  ])('%s are refused', async (_, change) => {
    const changed = change(mediaPlaylist());
    expect(changed).not.toBe(mediaPlaylist());
    await expect(check(changed)).rejects.toThrow(PlaylistMismatch);
  });

  it('of a title give the renditions that they offer', async () => {
    expect(await checkMultivariantPlaylist(multivariant(), title, key)).toHaveLength(3);
    const silent = multivariant().replace(/#EXT-X-MEDIA:TYPE=AUDIO.*\n/, '');
    const offered = await checkMultivariantPlaylist(silent, title, key);
    expect(offered.map((rendition) => rendition.id)).toEqual([1, 512]);
  });

  it('of sound alone may say that the variant carries it', async () => {
    const sound = parseManifest(manifest((draft) => draft.renditions.shift()));
    const text =
      '#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="256",CHANNELS="2"\n' +
      `#EXT-X-STREAM-INF:BANDWIDTH=1,CODECS="a",AUDIO="audio"\n${names.get('p256')}.m3u8\n`;
    expect(await checkMultivariantPlaylist(text, sound, key)).toHaveLength(1);
    const foreign = text.replace('CHANNELS="2"', 'URI="data:,x"');
    await expect(checkMultivariantPlaylist(foreign, sound, key)).rejects.toThrow(PlaylistMismatch);
  });

  it.each<[string, (text: string) => string]>([
    ['an unknown playlist', (text) => text.replace(names.get('p256')!, '0'.repeat(32))],
    ['captions as sound', (text) => text.replace('TYPE=AUDIO', 'TYPE=SUBTITLES')],
    ['a variant without its playlist', (text) => text.replace(/\/v1\/grants\/4\/\w+\.m3u8\n$/, '')],
    ['session data', (text) => text.replace('#EXT-X-MEDIA', '#EXT-X-SESSION-DATA:X\n#EXT-X-MEDIA')],
    ['nothing to play', (text) => text.replace(/#EXT-X-STREAM[^]*|.*TYPE=AUDIO.*\n/g, '')],
  ])('of a title with %s are refused', async (_, change) => {
    const changed = change(multivariant());
    expect(changed).not.toBe(multivariant());
    await expect(checkMultivariantPlaylist(changed, title, key)).rejects.toThrow(PlaylistMismatch);
  });

  it('are written anew from the manifest, without names, URLs or what a viewer reads', async () => {
    const text = writeMultivariantPlaylist(title.renditions) + writeMediaPlaylist(video);
    for (const [, name] of names) expect(text).not.toContain(name);
    expect(text).not.toContain('X-Amz');
    expect(text).not.toContain('hart');
    expect(text).toContain('BANDWIDTH=1031000,AVERAGE-BANDWIDTH=929000');
    expect(text).toContain('CODECS="avc1.64001f,mp4a.40.2",RESOLUTION=854x480,FRAME-RATE=24.000');
    expect(text).toContain('#EXT-X-MAP:URI="init"\n#EXTINF:2.000000,\n0\n');
  });

  it('of sound alone offer it as a variant of its own', () => {
    const text = writeMultivariantPlaylist([title.renditions[1]!]);
    expect(text).toContain('#EXT-X-STREAM-INF:BANDWIDTH=131000,CODECS="mp4a.40.2"\n256/index.m3u8');
  });
});

function swap(text: string, a: string, b: string): string {
  return text.replace(a, '\0').replace(b, a).replace('\0', b);
}

describe('addresses inside a title', () => {
  it('name roles and nothing else', () => {
    expect(parsePlaylistAddress('veil://title/index.m3u8')).toEqual({ rendition: null });
    expect(parsePlaylistAddress('veil://title/256/index.m3u8')).toEqual({ rendition: 256 });
    expect(parseMediaAddress('veil://title/1/init')).toEqual({ rendition: 1, index: null });
    expect(parseMediaAddress('veil://title/1/17')).toEqual({ rendition: 1, index: 17 });
    for (const address of ['https://x/1/17', 'veil://title/1/../2', 'veil://title/1/17?x', '']) {
      expect(parseMediaAddress(address)).toBeNull();
      expect(parsePlaylistAddress(address)).toBeNull();
    }
  });
});

describe("the gateway's answer", () => {
  const id = '4'.repeat(32);
  const answer = {
    grant: {
      v: 1,
      id,
      title: '3'.repeat(32),
      epoch: 1,
      state: 'active',
      kind: 'link',
      recipient: '2'.repeat(32),
      created: '2026-11-20T12:00:00Z',
      expires: '2026-11-27T12:00:00Z',
      index: `${'1'.repeat(32)}.m3u8`,
      preload: ['0'.repeat(32)],
      envelope: 'AAAA',
    },
    now: '2026-11-20T12:00:01Z',
    urls: { ['0'.repeat(32)]: '/o/t/x' },
  };
  const parse = (change: (draft: typeof answer) => void) => {
    const draft = structuredClone(answer);
    change(draft);
    return parseGrantAnswer(utf8(JSON.stringify(draft)), id);
  };

  it('gives the record, the clock and the URLs', () => {
    const { record, nowMs, urls } = parse(() => undefined);
    expect(record.index).toBe('1'.repeat(32));
    expect(nowMs).toBe(Date.UTC(2026, 10, 20, 12, 0, 1));
    expect(urls.get('0'.repeat(32))).toBe('/o/t/x');
  });

  it('with another grant, a bad name or a bad time is refused', () => {
    for (const change of [
      (draft: typeof answer) => (draft.grant.id = '5'.repeat(32)),
      (draft: typeof answer) => (draft.grant.state = 'revoked'),
      (draft: typeof answer) => (draft.grant.index = '../x.m3u8'),
      (draft: typeof answer) => (draft.grant.preload = ['x']),
      (draft: typeof answer) => (draft.grant.envelope = 'AAAA='),
      (draft: typeof answer) => (draft.grant.expires = '2026-11-27 12:00'),
      (draft: typeof answer) => (draft.now = '2026-11-31T12:00:00Z'.replace('11-31', '13-01')),
    ]) {
      expect(() => parse(change)).toThrow(Malformed);
    }
  });

  it('has ended when either clock says so, and never without an end', () => {
    const { record } = parse(() => undefined);
    const end = record.expiresMs!;
    expect(isExpired(record, end - 1, end - 1)).toBe(false);
    expect(isExpired(record, end, end - 1)).toBe(true);
    expect(isExpired(record, end - 1, end)).toBe(true);
    expect(isExpired({ ...record, expiresMs: null }, end, end)).toBe(false);
  });
});
