/**
 * Figures of the studio over the last minutes, and what they say.
 *
 * Pure: figures go in as the server tells them, every few seconds; what is drawn and what is alarming come out.
 */

import type { Performance } from '../api/model';

/** One moment. */
export interface Sample {
  readonly atMs: number;
  readonly memoryBytes: number;
  /** Processor time per time, in cores: 1 is one core all of the time; `null` before the second sample. */
  readonly cores: number | null;
  readonly childrenBytes: number;
  readonly childrenCores: number | null;
  readonly children: number;
  readonly requests: number;
  /** Requests a second. */
  readonly requestRate: number | null;
  readonly cacheBytes: number;
  readonly cpuMs: number;
  readonly childrenCpuMs: number;
}

/** Samples that are kept: at one every two seconds, ten minutes. */
export const SAMPLES_KEPT = 300;

/** Returns what is drawn of the figures of a moment, with the sample before it. */
export function sampleOf(now: Performance, atMs: number, before: Sample | undefined): Sample {
  const sum = (values: readonly number[]): number => values.reduce((all, one) => all + one, 0);
  const requests = sum(now.requests.map(({ count }) => count));
  // Those that ended are counted by their parent, those that run by themselves.
  const childrenCpuMs = now.children_cpu_ms + sum(now.children.map(({ cpu_ms: ms }) => ms));
  const elapsedMs = before === undefined ? 0 : atMs - before.atMs;
  const rate = (value: number, earlier: number | undefined): number | null =>
    elapsedMs <= 0 || earlier === undefined ? null : Math.max(0, value - earlier) / elapsedMs;
  const perMs = rate(requests, before?.requests);
  return {
    atMs,
    memoryBytes: now.rss_bytes,
    cores: rate(now.cpu_ms, before?.cpuMs),
    childrenBytes: sum(now.children.map(({ rss_bytes: bytes }) => bytes)),
    childrenCores: rate(childrenCpuMs, before?.childrenCpuMs),
    children: now.children.length,
    requests,
    requestRate: perMs === null ? null : perMs * 1000,
    cacheBytes: now.cache.bytes,
    cpuMs: now.cpu_ms,
    childrenCpuMs,
  };
}

/** Adds a sample; the oldest make room. */
export function grown(samples: readonly Sample[], sample: Sample): readonly Sample[] {
  return [...samples, sample].slice(-SAMPLES_KEPT);
}

/** Bounds of the studio's own process: what it promises of itself. */
export const BOUNDS = { memoryBytes: 120e6, p99Ms: 50 } as const;

/** Least requests of a route that a quantile says something about. */
const COUNT_LEAST = 20;

/** What is alarming. */
export type Alert =
  | { readonly kind: 'memory'; readonly value: number }
  | { readonly kind: 'slow'; readonly route: string; readonly value: number }
  | { readonly kind: 'errors'; readonly route: string; readonly value: number }
  | { readonly kind: 'cache'; readonly value: number };

/** Routes that wait for FFmpeg or for news: how long they take says nothing of the studio. */
const WAITS = /\/(?:still|events|uploads|content|outputs)\b/;

/** Returns which bounds are passed. */
export function alertsOf(now: Performance): Alert[] {
  const alerts: Alert[] = [];
  if (now.rss_bytes > BOUNDS.memoryBytes) alerts.push({ kind: 'memory', value: now.rss_bytes });
  for (const { route, count, errors, p99_ms: p99 } of now.requests) {
    if (errors > 0) alerts.push({ kind: 'errors', route, value: errors });
    if (count >= COUNT_LEAST && p99 > BOUNDS.p99Ms && !WAITS.test(route)) {
      alerts.push({ kind: 'slow', route, value: p99 });
    }
  }
  if (now.cache.bytes_max > 0 && now.cache.bytes > now.cache.bytes_max) {
    alerts.push({ kind: 'cache', value: now.cache.bytes });
  }
  return alerts;
}

/**
 * Returns an SVG path through values, of `width` by `height` with `top` at its upper edge, newest at the right. Values
 * that nobody knows leave a gap.
 */
export function lineOf(
  values: readonly (number | null)[],
  { width, height, top }: { width: number; height: number; top: number },
): string {
  const step = width / (SAMPLES_KEPT - 1);
  const from = width - (values.length - 1) * step;
  let isDrawing = false;
  return values
    .map((value, index) => {
      if (value === null) {
        isDrawing = false;
        return '';
      }
      const y = height - (Math.min(value, top) / top) * height;
      const point = `${isDrawing ? 'L' : 'M'}${(from + index * step).toFixed(1)} ${y.toFixed(1)}`;
      isDrawing = true;
      return point;
    })
    .join('');
}

/** Returns the next round number at or above a value: 1, 2 or 5 times a power of ten. */
export function roundTop(value: number): number {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 5].find((step) => step * power >= value) ?? 10) * power;
}
