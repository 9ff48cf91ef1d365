/**
 * What a viewer chooses and what is remembered of it: captions' looks, positions, chapters, figures.
 */

import { beforeAll, describe, expect, it } from 'vitest';
import { readStyle, styleRules } from '../src/element/caption-style';
import { chapterAt, chapterMarks, stepChapter } from '../src/element/chapters';
import { MAX_POSITIONS, positionKey, Positions } from '../src/element/positions';
import { listSettings, type Chooser, type Situation } from '../src/element/settings';
import { Shelf, type Storage } from '../src/element/shelf';
import { bufferedAheadS, readFigures } from '../src/element/statistics';
import { NO_TRACKS } from '../src/engine/tracks';
import type { VideoRendition } from '../src/title';
import { Words } from '../src/words/words';

const words = new Words();
beforeAll(() => words.complete());

class Memory implements Storage {
  readonly items = new Map<string, string>();
  getItem = (name: string) => this.items.get(name) ?? null;
  setItem = (name: string, value: string) => void this.items.set(name, value);
  removeItem = (name: string) => void this.items.delete(name);
}

describe('a position', () => {
  const link = { gateway: 'https://v.example', grantId: '0'.repeat(32), secret: 'hush' };

  function open() {
    const memory = new Memory();
    return { memory, positions: new Positions(new Shelf(memory)) };
  }

  it('is remembered, and forgotten at the end of the title', () => {
    const { memory, positions } = open();
    positions.note('a', 754.9, 5000);
    positions.note('b', 20, 5000);
    expect(positions.recall('a')).toBe(754);
    positions.note('a', 3, 5000);
    expect(positions.recall('a')).toBe(754);
    positions.note('a', 4995, 5000);
    expect(positions.recall('a')).toBeNull();
    positions.note('b', 5000, 5000);
    expect(memory.items.size).toBe(0);
  });

  it('is one of a bounded number, of which the oldest goes', () => {
    const { positions } = open();
    for (let i = 0; i <= MAX_POSITIONS; i++) positions.note(`title ${i}`, 100, 1000);
    expect(positions.recall('title 0')).toBeNull();
    expect(positions.recall('title 1')).toBe(100);
  });

  it('is neither kept nor known once it was switched off', () => {
    const { memory, positions } = open();
    positions.note('a', 100, 1000);
    positions.isOn = false;
    expect(positions.recall('a')).toBeNull();
    positions.note('a', 200, 1000);
    expect([...memory.items.values()]).toEqual(['"off"']);
    positions.isOn = true;
    expect([positions.isOn, positions.recall('a')]).toEqual([true, null]);
  });

  it('is kept under a name that tells nothing, and not under the secret', async () => {
    const key = await positionKey(link);
    expect(key).toMatch(/^[A-Za-z0-9+/]{16}$/);
    expect(await positionKey({ ...link, secret: 'other' })).toBe(key);
    expect(await positionKey({ ...link, grantId: '1'.repeat(32) })).not.toBe(key);
  });

  it('survives a shelf that a stranger wrote on, or that is locked', () => {
    const { memory, positions } = open();
    for (const text of ['{', '7', '[[1,2],["a"],null,["a",-1],["a","b"]]', '{"a":1}']) {
      memory.items.set('veilcast.positions', text);
      expect(positions.recall('a')).toBeNull();
    }
    const refuse = () => {
      throw new Error('locked');
    };
    const locked = { getItem: refuse, setItem: refuse, removeItem: refuse };
    const none = new Positions(new Shelf(locked));
    none.note('a', 100, 1000);
    none.isOn = false;
    expect(none.recall('a')).toBeNull();
    expect(new Positions(new Shelf(null)).recall('a')).toBeNull();
  });
});

describe('the captions’ looks', () => {
  it('are made of values from the table alone', () => {
    const style = readStyle({ size: '140%', colour: 'red;} *{color:red', edge: 7 });
    expect(style).toEqual({ size: '140%', colour: '#fff', background: '.7', edge: 'none' });
    expect(styleRules(style)).toContain('font-size:140%;color:#fff;background:rgb(0 0 0 / .7)');
    for (const kept of [null, 7, 'x', [], { size: null }]) {
      expect(readStyle(kept)).toEqual(readStyle(null));
    }
  });

  it('put black letters on white', () => {
    const rules = styleRules({ ...readStyle(null), colour: '#000', edge: 'outline' });
    expect(rules).toContain('rgb(255 255 255 / .7)');
    expect(rules).toMatch(/text-shadow:.*#fff/);
  });
});

describe('chapters', () => {
  const chapters = [0, 10, 30].map((start) => ({ startUs: start * 1e6, title: `at ${start}` }));

  it('are found by the moment', () => {
    expect([0, 9.9, 10, 31].map((at) => chapterAt(chapters, at))).toEqual([0, 0, 1, 2]);
    expect(chapterAt(chapters.slice(1), 5)).toBe(-1);
    expect(chapterAt([], 5)).toBe(-1);
  });

  it('are stepped through, first back to the beginning of the present one', () => {
    expect(stepChapter(chapters, 5, 1)).toBe(1);
    expect(stepChapter(chapters, 15, -1)).toBe(1);
    expect(stepChapter(chapters, 11, -1)).toBe(0);
    expect(stepChapter(chapters, 1, -1)).toBe(0);
    expect(stepChapter(chapters, 31, 1)).toBeNull();
    expect(stepChapter(chapters.slice(1), 2, 1)).toBe(0);
    expect(stepChapter([], 2, 1)).toBeNull();
  });

  it('are marked on the bar where they begin', () => {
    expect(chapterMarks(chapters, 40)).toEqual([0.25, 0.75]);
    expect(chapterMarks(chapters, Number.NaN)).toEqual([]);
  });
});

describe('the menu', () => {
  const video = { type: 'video', id: 1, width: 1280, height: 720, bandwidthBps: 2e6 };
  const large = { ...video, id: 2, width: 1920, height: 1080 } as VideoRendition;
  const situation: Situation = {
    tracks: { ...NO_TRACKS, video: [video as VideoRendition, large], videoId: 1 },
    chapters: [{ startUs: 0, title: '' }],
    seconds: 1,
    speed: 1,
    captionStyle: readStyle(null),
    remembersPosition: true,
    showsStatistics: false,
  };
  const chooser = {} as Chooser;

  it('offers what there is to choose, and says what is chosen', () => {
    const pages = listSettings(situation, words, chooser);
    expect(pages.map(({ id, value }) => [id, value])).toEqual([
      ['chapters', 'Chapter 1'],
      ['quality', 'Auto · 720p'],
      ['speed', 'Normal'],
      ['more', undefined],
    ]);
    const nothing = { ...situation, chapters: [], tracks: NO_TRACKS };
    expect(listSettings(nothing, words, chooser).map(({ id }) => id)).toEqual(['speed', 'more']);
  });

  it('says why a sealed video is not cast', () => {
    const more = listSettings(situation, words, chooser).at(-1);
    const cast = more?.entries.find((entry) => entry.kind === 'group' && entry.id === 'cast');
    expect(cast).toMatchObject({ value: 'Not available' });
    expect(cast).toHaveProperty('text', expect.stringMatching(/sealed/));
  });
});

describe('the figures', () => {
  it('count what is buffered from the playhead on', () => {
    const ranges = [
      [0, 4],
      [10, 25],
    ] as const;
    const buffered = {
      length: 2,
      start: (i: number) => ranges[i]?.[0] ?? 0,
      end: (i: number) => ranges[i]?.[1] ?? 0,
    };
    const at = (currentTime: number) => bufferedAheadS({ buffered, currentTime } as never);
    expect([1, 7, 12, 25].map(at)).toEqual([3, 0, 13, 0]);
  });

  it('are dashes where nothing is known yet', () => {
    const video = { videoWidth: 0, buffered: { length: 0 }, currentTime: 0 } as never;
    const sources = { video, words, stats: () => null, tracks: () => null };
    const figures = Object.fromEntries(readFigures(sources));
    expect(figures).toMatchObject({ statPicture: '–', statOpening: '–', statDropped: '0 of 0' });
  });
});
