/** One movie made of a title's renditions: its boxes, its places, and how it is read. */

import { describe, expect, it, vi } from 'vitest';
import type { AudioRendition, Title, VideoRendition } from '../src/title';
import { concat, type Bytes } from '../src/vault/bytes';
import { Kind } from '../src/vault/role';
import { box, boxesOf, one, timescaleOf, Unfit, within, words } from '../src/whole/boxes';
import { Feeding, type Whole } from '../src/whole/feeding';
import { Movie, type Sources } from '../src/whole/movie';

const bytes = (...values: number[]): Bytes => new Uint8Array(values);

/** A track's own time: 12,288 units a second, as FFmpeg has it for 24 pictures. */
const MDIA = box('mdia', box('mdhd', words(0, 0, 0, 12_288, 0)));

/** An initialisation segment as FFmpeg writes it, as far as it matters here: track 1, times in 1/1000 s. */
function init(timescale = 1000): Bytes {
  const mvhd = box('mvhd', words(0, 0, 0, timescale, 0), new Uint8Array(76), words(2));
  const trak = box('trak', box('tkhd', words(0, 0, 0, 1, 0, 0)), MDIA);
  const mvex = box('mvex', box('trex', words(0, 1, 1, 0, 0, 0)));
  return concat(box('ftyp', bytes(1, 2, 3, 4)), box('moov', mvhd, trak, mvex));
}

/** A segment of `length` bytes with one fragment of track 1. */
function segment(length: number): Bytes {
  const moof = box('moof', box('mfhd', words(0, 1)), box('traf', box('tfhd', words(0, 1))));
  return concat(moof, box('mdat', new Uint8Array(length - moof.length - 8)));
}

const rendition = (type: 'video' | 'audio', id: number, segments: [number, number][]) =>
  ({
    type,
    id,
    initBytes: init().length,
    segments: segments.map(([durationUs, length]) => ({ durationUs, bytes: length })),
  }) as unknown as VideoRendition | AudioRendition;

const picture = rendition('video', 0, [
  [2e6, 1000],
  [2e6, 1200],
  [1e6, 500],
]);
const sound = rendition('audio', 256, [
  [2.5e6, 200],
  [2.5e6, 300],
]);
const title = { durationUs: 5e6 } as Title;
const movieOf = (...sources: Sources): Movie =>
  new Movie(
    title,
    sources,
    sources.map(() => init()),
  );

describe('a movie of two', () => {
  const movie = movieOf(picture, sound);
  const [ftyp, moov, sidx, ofSound] = boxesOf(movie.head);

  it('begins with both tracks under their own numbers, and says how long it is', () => {
    const types = boxesOf(movie.head).map(({ type }) => type);
    expect([ftyp?.type, types]).toEqual(['ftyp', ['ftyp', 'moov', 'sidx', 'sidx']]);
    const boxes = within(moov!);
    expect(boxes.map(({ type }) => type)).toEqual(['mvhd', 'trak', 'trak', 'mvex']);
    expect(timescaleOf(one(boxes, 'mvhd'))).toBe(1000);
    const tracks = boxes
      .filter(({ type }) => type === 'trak')
      .map((trak) => one(within(trak), 'tkhd'));
    expect(tracks.map(({ bytes: tkhd }) => tkhd[23])).toEqual([1, 2]);
    const extended = within(one(boxes, 'mvex'));
    expect(extended.map(({ type }) => type)).toEqual(['mehd', 'trex', 'trex']);
    expect(new DataView(extended[0]!.bytes.slice().buffer).getUint32(12)).toBe(5000);
    expect(extended.slice(1).map(({ bytes: trex }) => trex[15])).toEqual([1, 2]);
  });

  it('goes on with segments by turns, in the order of time', () => {
    const order = movie.parts.map(({ role }) => [role.rendition, role.index]);
    expect(order).toEqual([
      [0, 0],
      [256, 0],
      [0, 1],
      [256, 1],
      [0, 2],
    ]);
    const lengths = movie.parts.map((part) => part.bytes);
    expect(movie.bytes).toBe(movie.head.length + lengths.reduce((a, b) => a + b));
    movie.parts.reduce((end, part) => {
      expect(part.offset).toBe(end);
      return part.offset + part.bytes;
    }, movie.head.length);
  });

  it('has an index of each track, with what lies between its segments', () => {
    const read = ({ bytes: of }: { bytes: Bytes }) => {
      const table = new DataView(of.slice().buffer);
      const count = table.getUint16(30);
      expect(of.length).toBe(32 + count * 12);
      const at = (word: number) =>
        Array.from({ length: count }, (_, n) => table.getUint32(32 + 12 * n + word));
      const [track, timescale, distance] = [12, 16, 24].map((where) => table.getUint32(where));
      return { track, timescale, distance, bytes: at(0), units: at(4) };
    };
    const timescale = 12_288;
    expect(read(sidx!)).toEqual({
      track: 1,
      timescale,
      distance: ofSound!.bytes.length,
      bytes: [1200, 1500, 500],
      units: [24_576, 24_576, 12_288],
    });
    expect(read(ofSound!)).toEqual({
      track: 2,
      timescale,
      distance: 1000,
      bytes: [1400, 800],
      units: [30_720, 30_720],
    });
  });

  it('finds the part of any byte', () => {
    for (const [at, { offset, bytes: length }] of movie.parts.entries()) {
      expect([movie.partAt(offset), movie.partAt(offset + length - 1)]).toEqual([at, at]);
    }
    expect(movie.partAt(movie.bytes)).toBe(5);
  });

  it('gives fragments their track and changes nothing else', () => {
    const opened = segment(200);
    const before = opened.slice();
    movie.fit(movie.parts[1]!, opened);
    const changed = [...opened.keys()].filter((at) => opened[at] !== before[at]);
    expect(changed).toHaveLength(1);
    expect(opened[changed[0]!]).toBe(2);
  });
});

describe('what does not fit', () => {
  it.each([
    ['a cut box', concat(init(), bytes(0, 0, 0))],
    ['a box that is longer than what there is', bytes(0, 0, 1, 0, 0x66, 0x72, 0x65, 0x65)],
    ['a box without a length', bytes(0, 0, 0, 0, 0x66, 0x72, 0x65, 0x65)],
    ['no movie', box('ftyp')],
    ['two movies', concat(init(), init())],
  ])('%s is refused', (_, wrong) => {
    expect(() => new Movie(title, [picture], [wrong])).toThrow(Unfit);
  });

  it('a movie without a time is refused', () => {
    expect(() => new Movie(title, [picture, sound], [init(), init(0)])).toThrow(Unfit);
  });
});

describe('movies of two times', () => {
  it('have the durations of the second in the time of the first', () => {
    const edits = box('edts', box('elst', words(0, 1, 96_000, 1024, 0x10000)));
    const mvhd = box('mvhd', words(0, 0, 0, 48_000, 0), new Uint8Array(76), words(2));
    const trak = box('trak', box('tkhd', words(0, 0, 0, 1, 0, 48_000)), edits, MDIA);
    const mvex = box('mvex', box('trex', words(0, 1, 1, 0, 0, 0)));
    const other = concat(box('ftyp'), box('moov', mvhd, trak, mvex));
    const { head } = new Movie(title, [picture, sound], [init(), other]);
    const [, moov] = boxesOf(head);
    const second = within(within(moov!).filter(({ type }) => type === 'trak')[1]!);
    const numbers = ({ bytes: of }: { bytes: Bytes }) => new DataView(of.slice().buffer);
    expect(numbers(one(second, 'tkhd')).getUint32(28)).toBe(1000);
    const list = numbers(one(within(one(second, 'edts')), 'elst'));
    expect([list.getUint32(16), list.getUint32(20)]).toEqual([2000, 1024]);
  });
});

describe('feeding', () => {
  const opened = (of: { kind: number; rendition: number; index: number }): Bytes => {
    if (of.kind === Kind.init) return init();
    const { segments } = of.rendition === 0 ? picture : sound;
    return segment(segments[of.index]!.bytes);
  };

  async function feeding(fail: number | null = null) {
    const video = {
      addEventListener: vi.fn(),
      removeEventListener: vi.fn(),
      removeAttribute: vi.fn(),
      load: vi.fn(),
      src: '',
    };
    const open = vi.fn((role: Parameters<typeof opened>[0]) => ({
      done:
        role.kind === Kind.segment && role.index === fail
          ? Promise.reject(new Error('broken'))
          : Promise.resolve({ plaintext: opened(role).slice().buffer } as never),
      abort: () => undefined,
    }));
    const onFailure = vi.fn();
    const start = { video: picture, audio: sound } as never;
    const events = { open, onFailure, onTracks: vi.fn() };
    const player = new Feeding(video as never, title, start, events);
    let whole: Whole | undefined;
    const end = vi.fn();
    await player.begin((offered) => {
      whole = offered;
      return Promise.resolve({ url: 'fed', end });
    });
    return { whole: whole!, open, onFailure, end, video, player };
  }

  it('hands out the whole movie, from any byte to the next border', async () => {
    const { whole, video } = await feeding();
    expect([video.src, whole.type]).toEqual(['fed', 'video/mp4']);
    const movie = movieOf(picture, sound);
    const pieces: Bytes[] = [];
    for (let offset = 0; offset < whole.bytes;) {
      const piece = await whole.read(offset);
      pieces.push(piece!);
      offset += piece!.length;
    }
    const all = concat(...pieces);
    expect(all.length).toBe(movie.bytes);
    expect(boxesOf(all).filter(({ type }) => type === 'moof')).toHaveLength(5);
    expect(await whole.read(movie.bytes - 7)).toEqual(all.slice(-7));
    expect(await whole.read(movie.bytes)).toBeNull();
  });

  it('opens a segment once for requests that lie close together', async () => {
    const { whole, open } = await feeding();
    const first = movieOf(picture, sound).head.length;
    await whole.read(first);
    const count = open.mock.calls.length;
    await whole.read(first + 10);
    await whole.read(first + 500);
    expect(open.mock.calls.length).toBe(count);
  });

  it('ends where a seal is broken', async () => {
    const { whole, onFailure } = await feeding(0);
    expect(await whole.read(movieOf(picture, sound).head.length)).toBeNull();
    expect(onFailure).toHaveBeenCalledOnce();
  });

  it('ends its address with itself', async () => {
    const { player, end, whole } = await feeding();
    player.destroy();
    expect(end).toHaveBeenCalledOnce();
    expect(await whole.read(10_000)).toBeNull();
  });
});
