/** What a copy consists of: which renditions, how many bytes, and the playlist that offers them alone. */

import type { Title } from '@veilcast/player';
import { describe, expect, it } from 'vitest';
import { choicesOf, offerOf, planOf } from '../src/keep/plan';
import { bytesText, dayText } from '../src/watch/measures';
import { pageWords } from '../src/words/page-words';

/** 56 bytes and 16 a chunk, as docs/format/sealed-object.md has it. */
const SEALED = 72;

const segments = (bytes: number) => [
  { durationUs: 2e6, bytes },
  { durationUs: 1e6, bytes },
];
const video = (id: number, height: number, bytes: number) => ({
  id,
  height,
  width: (height * 16) / 9,
  type: 'video',
  initBytes: 10,
  segments: segments(bytes),
});
const audio = (id: number, isDefault: boolean) => ({
  id,
  isDefault,
  type: 'audio',
  initBytes: 10,
  segments: segments(100),
});
const captions = { id: 512, type: 'subtitles', segments: segments(30) };

const film = {
  renditions: [
    video(0, 480, 1000),
    video(1, 720, 3000),
    audio(256, false),
    audio(257, true),
    captions,
  ],
} as unknown as Title;

const INDEX = `#EXTM3U
#EXT-X-VERSION:7
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="256",DEFAULT=NO,URI="a0.m3u8"
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="257",DEFAULT=YES,URI="a1.m3u8"
#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="subtitles",NAME="512",URI="s.m3u8"
#EXT-X-STREAM-INF:BANDWIDTH=1,AUDIO="audio"
v0.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=2,AUDIO="audio"
v1.m3u8
`;

describe('a plan', () => {
  it('has one picture, one sound and all captions, by their sealed sizes', () => {
    const plan = planOf(film, 1, null);
    expect(plan.renditions.map(({ id }) => id)).toEqual([1, 257, 512]);
    const sizes = [10, 3000, 3000, 10, 100, 100, 30, 30].map((bytes) => bytes + SEALED);
    expect(plan.renditions.flatMap(({ objects }) => objects)).toEqual(sizes);
    expect(plan.bytes).toBe(sizes.reduce((a, b) => a + b));
    expect(plan.height).toBe(720);
    expect(planOf(film, 0, 256).renditions.map(({ id }) => id)).toEqual([0, 256, 512]);
  });

  it('is chosen by height, the smallest first', () => {
    const choices = choicesOf(film, null);
    expect(choices.map(({ id, height }) => [id, height])).toEqual([
      [0, 480],
      [1, 720],
    ]);
    expect(choices[0]?.bytes).toBe(planOf(film, 0, null).bytes);
    const sound = { renditions: [audio(256, true)] } as unknown as Title;
    expect(choicesOf(sound, null).map(({ height }) => height)).toEqual([null]);
  });
});

describe('an offer', () => {
  it('has the planned renditions and no other', () => {
    const offer = offerOf(INDEX, planOf(film, 1, null));
    expect(offer.uris).toEqual(['v1.m3u8', 'a1.m3u8', 's.m3u8']);
    for (const gone of ['a0.m3u8', 'v0.m3u8', 'BANDWIDTH=1'])
      expect(offer.text).not.toContain(gone);
    expect(offer.text.split('\n').slice(0, 3)).toEqual(INDEX.split('\n').slice(0, 3));
    expect(offer.text).toContain('#EXT-X-STREAM-INF:BANDWIDTH=2,AUDIO="audio"\nv1.m3u8');
  });

  it('of sound alone has the sound’s own stream', () => {
    const sound = { renditions: [audio(256, false), audio(257, true)] } as unknown as Title;
    const index = [
      '#EXTM3U',
      '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="256",DEFAULT=NO,URI="a0.m3u8"',
      '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="257",DEFAULT=YES',
      '#EXT-X-STREAM-INF:BANDWIDTH=1,AUDIO="audio"',
      'a1.m3u8',
    ];
    const offer = offerOf(index.join('\n'), planOf(sound, null, 256));
    const text = [index[0], ...index.slice(2)].join('\n');
    expect(offer).toEqual({ text, uris: ['a1.m3u8'] });
  });

  it('that lacks something planned is refused', () => {
    const plan = planOf(film, 1, null);
    expect(() => offerOf(INDEX.replace('NAME="257"', 'NAME="9"'), plan)).toThrow(/not offered/);
    expect(() => offerOf(INDEX.split('#EXT-X-STREAM')[0] ?? '', plan)).toThrow(/not offered/);
  });
});

it('sizes and days read as people write them', () => {
  const words = pageWords();
  const texts = [0, 950, 9_840_000, 18_400_000, 1.25e9].map((bytes) => bytesText(bytes, words));
  expect(texts).toEqual(['0 kB', '1 kB', '9.8 MB', '18 MB', '1.3 GB']);
  expect(dayText(Date.UTC(2026, 10, 21, 12), words)).toBe('21 November 2026');
});
