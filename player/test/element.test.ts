/**
 * The decisions behind the controls: keys, choices, names, times, words for failures. Pure functions
 * on data; nothing here has a DOM, so how it looks and moves is for `e2e`.
 */

import { beforeAll, describe, expect, it } from 'vitest';
import type { Tracks } from '../src/engine/tracks';
import { NO_TRACKS } from '../src/engine/tracks';
import { KEY_HELP } from '../src/element/help';
import { commandOf, SPEEDS, stepSpeed, type Key } from '../src/element/keyboard';
import { preferredSubtitles, qualityName, speedName, trackName } from '../src/element/names';
import { tileAt } from '../src/element/storyboard';
import { clock } from '../src/element/time';
import { explain } from '../src/explain';
import { failureOf, isPassing, PlayerFailure, type FailureCode } from '../src/failure';
import {
  pictureRatio,
  type Rendition,
  type Storyboard,
  type SubtitleRendition,
  type VideoRendition,
} from '../src/title';
import { ENGLISH } from '../src/words/words';

describe('the storyboard', () => {
  const storyboard: Storyboard = {
    mediaType: 'image/webp',
    intervalUs: 2e6,
    tileWidth: 160,
    tileHeight: 90,
    columns: 5,
    rows: 5,
    tileCount: 27,
    sheets: [1, 1],
  };

  it.each([
    [0, { sheet: 0, x: 0, y: 0 }],
    [1.999, { sheet: 0, x: 0, y: 0 }],
    [2, { sheet: 0, x: 160, y: 0 }],
    [10, { sheet: 0, x: 0, y: 90 }],
    [49.9, { sheet: 0, x: 640, y: 360 }],
    [50, { sheet: 1, x: 0, y: 0 }],
    [1e9, { sheet: 1, x: 160, y: 0 }],
    [-1, { sheet: 0, x: 0, y: 0 }],
    [Number.NaN, { sheet: 0, x: 0, y: 0 }],
  ])('shows the moment %d s', (seconds, tile) => {
    expect(tileAt(storyboard, seconds)).toEqual({ ...tile, width: 160, height: 90 });
  });
});

describe('the picture', () => {
  it('has the shape of the largest rendition, and sound a low box', () => {
    const video = (width: number, height: number) =>
      ({ type: 'video', width, height }) as Rendition;
    const title = { title: '', durationUs: 1, renditions: [video(854, 480), video(1920, 1080)] };
    expect(pictureRatio(title)).toBeCloseTo(16 / 9);
    expect(pictureRatio({ ...title, renditions: [video(1080, 1920)] })).toBeCloseTo(9 / 16);
    expect(pictureRatio({ ...title, renditions: [] })).toBeGreaterThan(2);
  });
});

describe('time', () => {
  it('is short to read', () => {
    expect([0, 7.9, 60, 3723, Number.NaN, Infinity, -3].map(clock)).toEqual([
      '0:00',
      '0:07',
      '1:00',
      '1:02:03',
      '0:00',
      '0:00',
      '0:00',
    ]);
  });
});

describe('keys', () => {
  const press = (key: string, with_: Partial<Key> = {}) =>
    commandOf({
      key,
      ctrlKey: false,
      altKey: false,
      metaKey: false,
      shiftKey: false,
      ...with_,
    });

  it('do what the help says', () => {
    expect(press(' ')).toEqual({ do: 'toggle-play' });
    expect(press('K')).toEqual({ do: 'toggle-play' });
    expect(press('j')).toEqual({ do: 'skip', seconds: -10 });
    expect(press('ArrowRight')).toEqual({ do: 'skip', seconds: 5 });
    expect(press('7')).toEqual({ do: 'seek-fraction', fraction: 0.7 });
    expect(press('<')).toEqual({ do: 'speed', by: -1 });
    expect(press('?', { shiftKey: true })).toEqual({ do: 'toggle-help' });
    expect(press('i')).toEqual({ do: 'toggle-statistics' });
    expect(press(',')).toEqual({ do: 'frame', by: -1 });
    for (const held of [{ shiftKey: true }, { ctrlKey: true }]) {
      expect(press('ArrowLeft', held)).toEqual({ do: 'chapter', by: -1 });
      expect(press('ArrowRight', held)).toEqual({ do: 'chapter', by: 1 });
    }
    expect(KEY_HELP.length).toBeGreaterThan(10);
  });

  it('are left to the browser where they are not the player’s', () => {
    for (const key of ['a', 'Tab', 'Enter', 'F5', 'constructor', '__proto__']) {
      expect(press(key)).toBeNull();
    }
    expect(press('f', { ctrlKey: true })).toBeNull();
    expect(press('l', { metaKey: true })).toBeNull();
    expect(press('ArrowLeft', { altKey: true, shiftKey: true })).toBeNull();
  });

  it('step through the speeds and stop at their ends', () => {
    expect(stepSpeed(1, 1)).toBe(1.25);
    expect(stepSpeed(1.1, -1)).toBe(0.75);
    expect(stepSpeed(SPEEDS.at(-1) ?? 0, 1)).toBe(2);
    expect(stepSpeed(0.5, -1)).toBe(0.5);
  });
});

describe('choices', () => {
  beforeAll(() => ENGLISH.complete());

  const subtitles = (
    id: number,
    language: string | null,
    isDefault = false,
  ): SubtitleRendition => ({
    type: 'subtitles',
    id,
    name: '',
    isDefault,
    isForced: false,
    segments: [],
    ...(language !== null && { language }),
  });

  it('of captions follow the viewer’s languages, then the default, then the first', () => {
    const list = [subtitles(512, 'de'), subtitles(513, 'en-GB'), subtitles(514, 'fr', true)];
    const tracks: Tracks = { ...NO_TRACKS, subtitles: list };
    expect(preferredSubtitles(tracks, ['en-US', 'de'])).toBe(513);
    expect(preferredSubtitles(tracks, ['es'])).toBe(514);
    expect(preferredSubtitles({ ...tracks, subtitles: list.slice(0, 2) }, ['es'])).toBe(512);
    expect(preferredSubtitles(NO_TRACKS, ['en'])).toBeNull();
  });

  it('have names that a person reads', () => {
    expect(trackName(subtitles(512, null), ENGLISH)).toBe('Track 512');
    expect(trackName(subtitles(512, 'de'), ENGLISH)).toBe('German');
    expect(trackName({ ...subtitles(512, 'de'), name: 'de' }, ENGLISH)).toBe('German');
    expect(trackName({ ...subtitles(512, 'de'), name: 'Deutsch' }, ENGLISH)).toBe('Deutsch');
    expect(qualityName({ width: 606, height: 1080 } as VideoRendition)).toBe('606p');
    expect([1, 1.5].map((factor) => speedName(factor, ENGLISH))).toEqual(['Normal', '1.5×']);
  });
});

describe('failures', () => {
  beforeAll(() => ENGLISH.complete());

  const codes: FailureCode[] = [
    'link-incomplete',
    'link-unknown',
    'secret-wrong',
    'grant-expired',
    'grant-revoked',
    'identity-wrong',
    'identity-unreadable',
    'identity-damaged',
    'identity-newer',
    'identity-without-passphrase',
    'passphrase-wrong',
    'memory-short',
    'page-incomplete',
    'tampered',
    'playlist-mismatch',
    'object-missing',
    'offline',
    'gateway-unreachable',
    'gateway-broken',
    'store-unavailable',
    'codec-unsupported',
    'browser-unsupported',
    'insecure-context',
    'playback-failed',
  ];

  it.each(codes)('say what they are, what happened and what to do: %s', (code) => {
    const { title, happened, action } = explain({ code });
    for (const text of [title, happened, action]) expect(text).toMatch(/^[A-Z][^{}]+$/);
    expect(title).not.toMatch(/[.!]$/);
  });

  it('name the part that was changed', () => {
    expect(explain({ code: 'tampered', part: 'the sound' }).happened).toMatch(/^The sound did not/);
  });

  it('are tried again only where nothing is wrong with the video', () => {
    const passing = codes.filter((code) => isPassing({ code }));
    expect(passing).toEqual([
      'offline',
      'gateway-unreachable',
      'gateway-broken',
      'store-unavailable',
    ]);
  });

  it('that nobody foresaw count as a failed playback', () => {
    const surprise = new TypeError('no such thing: https://x.example/o?X-Amz-Signature=00 at all');
    expect(failureOf(surprise)).toEqual({
      code: 'playback-failed',
      detail: 'TypeError: no such thing: … at all',
    });
    expect(failureOf(new PlayerFailure('tampered'))).toEqual({ code: 'tampered' });
  });
});
