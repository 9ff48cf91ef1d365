/**
 * The queue's order and words, and the figures of the performance screen.
 */

import { describe, expect, it } from 'vitest';
import type { Job, JobState, Performance } from '../../src/studio/api/model';
import {
  alertsOf,
  BOUNDS,
  grown,
  lineOf,
  roundTop,
  sampleOf,
  SAMPLES_KEPT,
  type Sample,
} from '../../src/studio/performance/series';
import {
  compareJobs,
  countsOf,
  hasEnded,
  LEADS_TO,
  merged,
  shareOf,
  verbsOf,
} from '../../src/studio/queue/order';
import { progressText } from '../../src/studio/queue/said';
import { studioWords } from '../../src/studio/words/studio-words';

const job = (id: string, state: JobState, more: Partial<Job> = {}): Job => ({
  id,
  kind: 'make',
  name: id,
  state,
  priority: 0,
  progress: null,
  attempts: 1,
  created_at: `2026-11-22T00:00:0${id.length}Z`,
  started_at: null,
  ended_at: null,
  error: null,
  commands: [],
  outputs: [],
  production: null,
  title: null,
  ...more,
});

const half = { step: 'render', done: 50, total: 100, unit: 'frames', fps: 24.6, eta_s: 61 };

describe('the queue', () => {
  it('has what runs first, then what waits by priority and age, then what ended last', () => {
    const all = [
      job('old', 'done', { ended_at: '2026-11-22T00:00:01Z' }),
      job('new!', 'failed', { ended_at: '2026-11-22T00:00:09Z' }),
      job('ww', 'waiting'),
      job('w', 'waiting'),
      job('urgent', 'waiting', { priority: 3 }),
      job('p', 'paused'),
      job('r', 'running'),
    ];
    const order = all.toSorted(compareJobs).map(({ id }) => id);
    expect(order).toEqual(['r', 'p', 'urgent', 'w', 'ww', 'new!', 'old']);
  });

  it('offers what a state allows, and each verb leads to a state', () => {
    const states = ['waiting', 'running', 'paused', 'cancelling', 'done', 'failed', 'cancelled'];
    const verbs = states.map((state) => verbsOf({ state: state as JobState }).join());
    expect(verbs).toEqual(['pause,cancel', 'pause,cancel', 'resume,cancel', '', '', 'retry', 'retry']);
    expect(LEADS_TO.cancel).toBe('cancelling');
    expect(states.filter((state) => hasEnded({ state: state as JobState }))).toEqual([
      'done',
      'failed',
      'cancelled',
    ]);
  });

  it('takes news in without losing the others', () => {
    const before = new Map([job('a', 'waiting'), job('b', 'waiting')].map((one) => [one.id, one]));
    const after = merged(before, [job('a', 'running'), job('c', 'waiting')]);
    expect([...after.values()].map(({ id, state }) => `${id} ${state}`)).toEqual([
      'a running',
      'b waiting',
      'c waiting',
    ]);
    expect(before.get('a')?.state).toBe('waiting');
    expect(countsOf(after.values())).toEqual({ active: 1, waiting: 2, failed: 0 });
  });

  it('tells step, percent, speed and what is left; nothing where nobody knows', () => {
    const words = studioWords();
    const running = job('a', 'running', { progress: half });
    expect(progressText(running, 0, words)).toBe('render · 50% · 25 frames/s · 1 min 1 sec left');
    const unknown = { ...half, total: 0, fps: 0, eta_s: null };
    expect(progressText({ ...running, progress: unknown }, 0, words)).toBe('render');
    expect(shareOf({ progress: unknown })).toBeNull();
    expect(shareOf({ progress: { ...half, done: 120 } })).toBe(1);
    const failed = job('f', 'failed', { error: 'the disk is full' });
    expect(progressText(failed, 0, words)).toBe('the disk is full');
  });
});

const figures = (more: Partial<Performance> = {}): Performance => ({
  uptime_s: 1,
  rss_bytes: 20e6,
  rss_peak_bytes: 30e6,
  cpu_ms: 100,
  children_cpu_ms: 0,
  threads: 4,
  children: [],
  requests: [],
  slow: [],
  cache: { bytes: 1, entries: 1, bytes_max: 10, upload_bytes: 0, media_bytes: 0 },
  listeners: 1,
  sessions: 1,
  ...more,
});
const route = { route: 'GET /v1/titles', count: 30, errors: 0, p50_ms: 1, p95_ms: 2, max_ms: 60 };

describe('figures', () => {
  it('are rates between two moments, and unknown at the first', () => {
    const first = sampleOf(figures(), 0, undefined);
    expect([first.cores, first.requestRate]).toEqual([null, null]);
    const children = [{ name: 'ffmpeg', rss_bytes: 5e6, cpu_ms: 1500 }];
    const requests = [{ ...route, p99_ms: 3 }];
    const later = sampleOf(figures({ cpu_ms: 1100, children, requests }), 2000, first);
    expect([later.cores, later.childrenCores, later.requestRate]).toEqual([0.5, 0.75, 15]);
    expect([later.children, later.childrenBytes]).toEqual([1, 5e6]);
    // A studio that began anew counts from nothing.
    expect(sampleOf(figures({ cpu_ms: 1 }), 4000, later).cores).toBe(0);
  });

  it('are kept for some minutes', () => {
    let samples: readonly Sample[] = [];
    const one = sampleOf(figures(), 0, undefined);
    for (let index = 0; index < SAMPLES_KEPT + 5; index++) samples = grown(samples, one);
    expect(samples.length).toBe(SAMPLES_KEPT);
  });

  it('alarm where a bound is passed, and not before', () => {
    expect(alertsOf(figures({ rss_bytes: BOUNDS.memoryBytes }))).toEqual([]);
    expect(alertsOf(figures({ rss_bytes: BOUNDS.memoryBytes + 1 }))[0]?.kind).toBe('memory');
    const kinds = (p99: number, errors = 0, name = route.route) =>
      alertsOf(figures({ requests: [{ ...route, route: name, errors, p99_ms: p99 }] })).map(
        ({ kind }) => kind,
      );
    expect(kinds(50)).toEqual([]);
    expect(kinds(51)).toEqual(['slow']);
    expect(kinds(1, 2)).toEqual(['errors']);
    expect(kinds(900, 0, 'POST /v1/productions/{id}/still')).toEqual([]);
    const cache = { ...figures().cache, bytes: 11 };
    expect(alertsOf(figures({ cache }))[0]?.kind).toBe('cache');
  });

  it('are drawn up to a round edge, with a gap where nobody knows', () => {
    expect([0, 0.3, 1, 14, 21, 51, 120e6].map(roundTop)).toEqual([1, 0.5, 1, 20, 50, 100, 200e6]);
    const line = lineOf([1, null, 2, 99], { width: 299, height: 10, top: 2 });
    expect(line).toBe('M296.0 5.0M298.0 0.0L299.0 0.0');
  });
});
