/**
 * Between hls.js and the Workers: what is fetched ahead, handed over, dropped and chosen first.
 *
 * The Workers are a client that the test answers for; no byte is sealed and nothing is decoded.
 */

import type { FragmentLoaderContext, LoaderCallbacks, LoaderConfiguration } from 'hls.js';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Ahead, alignTiming, MAX_AHEAD_BYTES } from '../src/engine/ahead';
import { Background } from '../src/engine/background';
import { chooseStart, mimeTypeOf } from '../src/engine/choice';
import type { Job, OpenedObject, Progress } from '../src/engine/client';
import { makeLoaders } from '../src/engine/loaders';
import { backBufferSeconds } from '../src/engine/settings';
import { indexOfRendition, renditionIdOf } from '../src/engine/tracks';
import { PlayerFailure, type Failure } from '../src/failure';
import type { AudioRendition, Title, VideoRendition } from '../src/title';
import { Kind, type Role } from '../src/vault/role';

const MIB = 1024 * 1024;
const TIMING = { startMs: 1000, firstByteMs: 1010, endMs: 1100 };

function video(id: number, height: number, bytes: number): VideoRendition {
  const segments = Array.from({ length: 5 }, () => ({ durationUs: 2e6, bytes }));
  const bandwidth = { bandwidthBps: bytes * 4, averageBandwidthBps: bytes * 4 };
  const coded = {
    id,
    codecs: 'avc1.64001f',
    initBytes: 1000,
    isSingleFile: false,
    isMarked: false,
    segments,
    ...bandwidth,
  };
  return { type: 'video', width: (height * 16) / 9, height, frameRate: 24, ...coded };
}

function audio(id: number, isDefault: boolean): AudioRendition {
  const { segments, ...coded } = video(id, 9, 32_000);
  return {
    type: 'audio',
    id,
    segments,
    codecs: 'mp4a.40.2',
    initBytes: coded.initBytes,
    isSingleFile: false,
    bandwidthBps: 128_000,
    averageBandwidthBps: 128_000,
    channels: 2,
    name: `${id}`,
    isDefault,
  };
}

const TITLE: Title = {
  title: 'a title',
  durationUs: 10e6,
  renditions: [video(1, 480, 300_000), video(2, 720, 7 * MIB), audio(256, false), audio(257, true)],
};

function segment(rendition: number, index: number): Role {
  return { kind: Kind.segment, rendition, index };
}

/** Workers that answer when a test says so. */
class FakeWorkers {
  readonly asked: string[] = [];
  readonly aborted: string[] = [];
  readonly jobs = new Map<
    string,
    {
      resolve(opened: OpenedObject): void;
      reject(error: Error): void;
      progress(progress: Progress): void;
    }
  >();

  readonly open = (role: Role, onProgress: (progress: Progress) => void): Job => {
    const name = `${role.kind}/${role.rendition}/${role.index}`;
    this.asked.push(name);
    const done = new Promise<OpenedObject>((resolve, reject) => {
      this.jobs.set(name, { resolve, reject, progress: onProgress });
    });
    return { done, abort: () => this.aborted.push(name) };
  };

  async finish(name: string): Promise<void> {
    this.jobs
      .get(name)
      ?.resolve({ plaintext: new ArrayBuffer(4), timing: TIMING, loaded: 10, lagMs: 1 });
    await settled();
  }
}

async function settled(): Promise<void> {
  for (let i = 0; i < 10; i++) await Promise.resolve();
}

describe('fetching ahead', () => {
  it('begins with the next segment when the one before has arrived', async () => {
    const workers = new FakeWorkers();
    const ahead = new Ahead(TITLE, workers.open);
    ahead.take(segment(1, 0), () => undefined);
    expect(workers.asked).toEqual(['2/1/0']);
    await workers.finish('2/1/0');
    expect(workers.asked).toEqual(['2/1/0', '2/1/1']);
  });

  it('hands over what is under way instead of asking twice, with its progress', async () => {
    const workers = new FakeWorkers();
    const ahead = new Ahead(TITLE, workers.open);
    ahead.fetch(segment(1, 0));
    const seen: Progress[] = [];
    const job = ahead.take(segment(1, 0), (progress) => seen.push(progress));
    expect(workers.asked).toHaveLength(1);
    expect(ahead.bytes).toBe(0);
    const progress = { startMs: 0, firstByteMs: 1, loaded: 2, total: 3 };
    workers.jobs.get('2/1/0')?.progress(progress);
    expect(seen).toEqual([progress]);
    await workers.finish('2/1/0');
    expect((await job.done).loaded).toBe(10);
  });

  it('keeps within its bytes', () => {
    const workers = new FakeWorkers();
    const ahead = new Ahead(TITLE, workers.open);
    for (let index = 0; index < 5; index++) ahead.fetch(segment(2, index));
    expect(workers.asked).toEqual(['2/2/0', '2/2/1']);
    expect(ahead.bytes).toBeLessThanOrEqual(MAX_AHEAD_BYTES);
  });

  it('drops what a seek or a switch has made useless, and leaves the other type alone', () => {
    const workers = new FakeWorkers();
    const ahead = new Ahead(TITLE, workers.open);
    ahead.fetch(segment(1, 1));
    ahead.fetch(segment(257, 1));
    ahead.take(segment(2, 3), () => undefined);
    expect(workers.aborted).toEqual(['2/1/1']);
    expect(ahead.bytes).toBe(32_000);
    ahead.clear();
    expect(workers.aborted).toEqual(['2/1/1', '2/257/1']);
    expect(ahead.bytes).toBe(0);
  });

  it('asks for nothing that does not exist', () => {
    const workers = new FakeWorkers();
    const ahead = new Ahead(TITLE, workers.open);
    ahead.fetch(segment(1, 5));
    ahead.fetch(segment(9, 0));
    expect(workers.asked).toEqual([]);
  });

  it('does not count the rest of a segment that lay ready as time of its download', () => {
    expect(alignTiming(TIMING, 900, 5000)).toEqual({ start: 4900, first: 4910, end: 5000 });
    expect(alignTiming(TIMING, 900, 200)).toEqual({ start: 100, first: 110, end: 200 });
  });
});

describe('the segment loader', () => {
  const configuration = {} as LoaderConfiguration;

  function load(address: string, ready?: Promise<void>) {
    const workers = new FakeWorkers();
    const failures: Failure[] = [];
    const { fLoader: FragmentLoader } = makeLoaders({
      ahead: new Ahead(TITLE, workers.open),
      readyFor: () => ready,
      playlist: () => Promise.reject(new Error('not asked')),
      onFailure: (failure) => failures.push(failure),
    });
    const loader = new FragmentLoader({} as never);
    const callbacks = {
      onSuccess: vi.fn(),
      onError: vi.fn(),
      onTimeout: vi.fn(),
      onAbort: vi.fn(),
    } satisfies LoaderCallbacks<FragmentLoaderContext>;
    loader.load({ url: address } as FragmentLoaderContext, configuration, callbacks);
    return { workers, failures, loader, callbacks };
  }

  it('hands over verified bytes with the times of the network', async () => {
    const { workers, callbacks, loader } = load('veil://title/1/0');
    const progress = { startMs: 1000, firstByteMs: 1010, loaded: 5, total: 10 };
    workers.jobs.get('2/1/0')?.progress(progress);
    expect(loader.stats).toMatchObject({ loaded: 5, total: 10 });
    await workers.finish('2/1/0');
    expect(callbacks.onSuccess).toHaveBeenCalledOnce();
    const [response, stats] = callbacks.onSuccess.mock.calls[0] as never as [
      { data: ArrayBuffer },
      typeof loader.stats,
    ];
    expect(response.data.byteLength).toBe(4);
    expect(stats.loaded).toBe(10);
    expect(stats.loading.end - stats.loading.start).toBeCloseTo(100);
  });

  it('holds a segment back until the library is ready for it', async () => {
    let begin = (): void => undefined;
    const { workers, callbacks } = load('veil://title/1/0', new Promise((go) => (begin = go)));
    await workers.finish('2/1/0');
    expect(callbacks.onSuccess).not.toHaveBeenCalled();
    begin();
    await settled();
    expect(callbacks.onSuccess).toHaveBeenCalledOnce();
  });

  it('takes the initialisation segment by its own role', () => {
    expect(load('veil://title/1/init').workers.asked).toEqual(['1/1/0']);
  });

  it('ends the playback on a broken seal without a word to hls.js', async () => {
    const { workers, failures, callbacks } = load('veil://title/1/0');
    workers.jobs.get('2/1/0')?.reject(new PlayerFailure('tampered', 'the picture'));
    await settled();
    expect(failures).toEqual([{ code: 'tampered', part: 'the picture' }]);
    expect(callbacks.onError).not.toHaveBeenCalled();
    expect(callbacks.onTimeout).not.toHaveBeenCalled();
  });

  it('refuses an address that is not inside the title', () => {
    const { workers, failures } = load('https://elsewhere.example/1/0');
    expect(workers.asked).toEqual([]);
    expect(failures).toEqual([{ code: 'playback-failed' }]);
  });

  it('stays silent after an abort, and tells the Workers', async () => {
    const { workers, loader, callbacks, failures } = load('veil://title/1/0');
    loader.abort();
    expect(workers.aborted).toEqual(['2/1/0']);
    expect(callbacks.onAbort).toHaveBeenCalledOnce();
    expect(loader.stats.aborted).toBe(true);
    await workers.finish('2/1/0');
    workers.jobs.get('2/1/0')?.reject(new PlayerFailure('tampered'));
    await settled();
    expect(callbacks.onSuccess).not.toHaveBeenCalled();
    expect(failures).toEqual([]);
  });
});

describe('the start', () => {
  const all = () => true;

  it('is the largest picture that arrives soon, else the smallest', () => {
    expect(chooseStart(TITLE, all, 1e6)?.video?.height).toBe(480);
    expect(chooseStart(TITLE, all, 20e6)?.video?.height).toBe(480);
    expect(chooseStart(TITLE, all, 1e9)?.video?.height).toBe(720);
  });

  it('is the default sound', () => {
    expect(chooseStart(TITLE, all, 1e6)?.audio?.id).toBe(257);
  });

  it('is nothing where no picture can be decoded', () => {
    const noVideo = (type: string) => type.startsWith('audio/');
    expect(chooseStart(TITLE, noVideo, 1e6)).toBeNull();
    expect(mimeTypeOf(video(1, 480, 1))).toBe('video/mp4; codecs="avc1.64001f"');
  });

  it('of a title without pictures is its sound', () => {
    const sound = { ...TITLE, renditions: [audio(256, true)] };
    expect(chooseStart(sound, all, 1e6)).toMatchObject({ video: null, audio: { id: 256 } });
  });
});

describe('a hidden page', () => {
  function hide(isApart = false) {
    vi.useFakeTimers();
    const page = Object.assign(new EventTarget(), { hidden: false });
    const restrain = vi.fn();
    const background = new Background(page as never, () => isApart, restrain);
    const turn = (hidden: boolean, passMs = 0): void => {
      page.hidden = hidden;
      page.dispatchEvent(new Event('visibilitychange'));
      vi.advanceTimersByTime(passMs);
    };
    return { turn, restrain, background };
  }

  afterEach(() => vi.useRealTimers());

  it('is restrained after a while, and no longer once it is seen', () => {
    const { turn, restrain, background } = hide();
    turn(true, 9999);
    turn(false, 60_000);
    expect(restrain).not.toHaveBeenCalled();
    turn(true, 10_000);
    expect(restrain.mock.calls).toEqual([[true]]);
    turn(false);
    expect(restrain.mock.calls).toEqual([[true], [false]]);
    turn(true);
    background.destroy();
    vi.advanceTimersByTime(60_000);
    expect(restrain).toHaveBeenCalledTimes(2);
  });

  it('whose video has a window of its own is not restrained', () => {
    const { turn, restrain } = hide(true);
    turn(true, 60_000);
    expect(restrain).not.toHaveBeenCalled();
  });
});

describe('what is kept behind the playhead', () => {
  it('has a bound in seconds and one in bytes', () => {
    expect(backBufferSeconds(1e6)).toBe(60);
    expect(backBufferSeconds(20e6)).toBeCloseTo((24 * 1024 * 1024 * 8) / 20e6);
  });
});

describe('lists of hls.js', () => {
  it('are joined to renditions by address', () => {
    const listed = [
      { url: ['veil://title/1/index.m3u8'] },
      { url: 'veil://title/256/index.m3u8' },
      { url: 'https://elsewhere.example/index.m3u8' },
    ];
    expect(listed.map(renditionIdOf)).toEqual([1, 256, null]);
    expect(indexOfRendition(listed, 256)).toBe(1);
    expect(indexOfRendition(listed, 3)).toBe(-1);
    expect(indexOfRendition(listed, null)).toBe(-1);
  });
});
