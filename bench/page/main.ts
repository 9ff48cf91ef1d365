/**
 * Visits the watch page again and again, and writes what its own clocks say.
 *
 * Two visits belong together: the first in a browser context that knows nothing, and the one after it, when the service
 * worker is there. Knows nothing of medians: `cargo xtask bench` makes the figures. Invariant: nothing is put into the
 * page, and nothing looks at it before it has come to rest.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { Browser } from '../first-frame/browser';
import { evaluate, inNewPage } from '../first-frame/visit';

/** A page is left alone for so long, in milliseconds: three times what the aims allow. */
export const UNDISTURBED_MS = 3000;

/** What is seen of one visit, in milliseconds since its navigation began. */
export interface Seen {
  /** First Contentful Paint (W3C Paint Timing). */
  readonly paintMs: number;
  /** From here on the main thread answers: after the first paint, the page's script, and its last long task. */
  readonly interactiveMs: number;
  /** The first frame of the video. */
  readonly frameMs: number | null;
  /** Cumulative Layout Shift: the worst session window of layout shifts (at most 5 s, gaps below 1 s). */
  readonly shift: number;
  readonly longestTaskMs: number;
  readonly hasWorker: boolean;
}

/** Runs in the page. */
export async function look(): Promise<Seen> {
  const entriesOf = (type: string): Promise<PerformanceEntry[]> =>
    new Promise((resolve) => {
      const observer = new PerformanceObserver((list) => resolve(list.getEntries()));
      observer.observe({ type, buffered: true });
      setTimeout(() => resolve([]), 100);
    });
  const [paints, tasks, shifts] = await Promise.all(
    ['paint', 'longtask', 'layout-shift'].map(entriesOf),
  );
  const paint = paints?.find(({ name }) => name === 'first-contentful-paint')?.startTime ?? NaN;
  const [navigation] = performance.getEntriesByType('navigation') as PerformanceNavigationTiming[];
  const ends = tasks?.map(({ startTime, duration }) => startTime + duration) ?? [];
  let [worst, window, from, last] = [0, 0, 0, -Infinity];
  for (const one of (shifts ?? []) as (PerformanceEntry & {
    value: number;
    hadRecentInput: boolean;
  })[]) {
    if (one.hadRecentInput) continue;
    const isSame = one.startTime - last < 1000 && one.startTime - from < 5000;
    if (!isSame) [window, from] = [0, one.startTime];
    window += one.value;
    last = one.startTime;
    worst = Math.max(worst, window);
  }
  return {
    paintMs: paint,
    interactiveMs: Math.max(paint, navigation?.domContentLoadedEventEnd ?? NaN, ...ends),
    frameMs: performance.getEntriesByName('veilcast:first-frame')[0]?.startTime ?? null,
    shift: worst,
    longestTaskMs: Math.max(0, ...(tasks ?? []).map(({ duration }) => duration)),
    hasWorker: navigator.serviceWorker.controller !== null,
  };
}

async function pair(browser: Browser, url: string, which: 'counted' | 'uncounted'): Promise<void> {
  await inNewPage(browser, async (session) => {
    for (const visit of ['first', 'again']) {
      await browser.send('Page.navigate', { url: 'about:blank' }, session);
      await browser.send('Page.navigate', { url }, session);
      await sleep(UNDISTURBED_MS);
      const seen = await evaluate(browser, session, look);
      process.stdout.write(`${JSON.stringify({ visit, which, ...seen })}\n`);
    }
  });
}

/** Runs it all; returns the exit code. */
export async function main(words: readonly string[]): Promise<number> {
  const [link, visits] = words;
  if (!link || !Number(visits)) {
    process.stderr.write('usage: node bench/visits.mjs page LINK VISITS\n');
    return 2;
  }
  const browser = await Browser.start();
  try {
    // Whoever comes first in a new browser waits for its processes.
    await pair(browser, link, 'uncounted');
    for (let turn = 0; turn < Number(visits); turn++) await pair(browser, link, 'counted');
    return 0;
  } finally {
    await browser.close();
  }
}
