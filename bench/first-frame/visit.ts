/**
 * One visit: a new context, a page, and what its own clocks say when the first frame has been shown.
 *
 * Both sides' pages set the mark `veilcast:first-frame` when the browser has presented the first frame
 * (`requestVideoFrameCallback`); nobody presses play, since both pages load by themselves and show a frame before they are
 * asked to play. Nothing is put into the page, and nothing looks at it before it must be over.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Browser } from './browser';

/** An empty page is given so long to come to rest, and a visit to go undisturbed, in milliseconds. */
const REST_MS = 400;
const UNDISTURBED_MS = 1500;

/** Latest first frame, in milliseconds. */
const FIRST_FRAME_LIMIT_MS = 20_000;

/** A window on a laptop. */
const WINDOW = { width: 1280, height: 800 };

/** A resource as a page or a Worker loaded it, in milliseconds since the navigation began. */
export interface Loaded {
  readonly url: string;
  /** What asked for it: `script`, `link`, `fetch`, `navigation`, … */
  readonly initiator: string;
  readonly startMs: number;
  readonly endMs: number;
  /** Bytes that came over the network, headers included. */
  readonly bytes: number;
}

/** What was seen of a visit. */
export interface Seen {
  readonly firstFrameMs: number;
  /** Bytes that came over the network until it was looked at, headers included. */
  readonly loadedBytes: number;
  readonly loaded: readonly Loaded[];
}

interface Timeline {
  readonly originMs: number;
  readonly bytes: number;
  readonly loaded: Loaded[];
}

interface PageView extends Timeline {
  readonly frameMs: number | null;
  readonly visibility: string;
  readonly text: string;
}

/** Runs in the page: waits for the mark. */
async function lookAtPage(limitMs: number): Promise<Omit<PageView, keyof Timeline>> {
  const frameMs = await new Promise<number | null>((resolve) => {
    setTimeout(() => resolve(null), limitMs);
    new PerformanceObserver((list) => {
      const [mark] = list.getEntriesByName('veilcast:first-frame');
      if (mark) resolve(mark.startTime);
    }).observe({ type: 'mark', buffered: true });
  });
  return {
    frameMs,
    visibility: document.visibilityState,
    text: document.body.innerText.slice(0, 2000),
  };
}

/** Runs in the page and in its Workers. */
function readTimeline(): Timeline {
  const entries = [
    ...performance.getEntriesByType('navigation'),
    ...performance.getEntriesByType('resource'),
  ] as PerformanceResourceTiming[];
  return {
    originMs: performance.timeOrigin,
    bytes: entries.reduce((sum, { transferSize }) => sum + transferSize, 0),
    loaded: entries.map((entry) => {
      const { name: url, initiatorType: initiator, transferSize: bytes } = entry;
      return { url, initiator, startMs: entry.startTime, endMs: entry.responseEnd, bytes };
    }),
  };
}

/** Evaluates a call of `work` where `session` is attached, as if a person had just pressed something. */
export async function evaluate<T>(
  browser: Browser,
  session: string,
  work: (...args: never[]) => T | Promise<T>,
  ...args: readonly unknown[]
): Promise<T> {
  const expression = `(${work.toString()})(...${JSON.stringify(args)})`;
  const how = { awaitPromise: true, returnByValue: true, userGesture: true };
  const answer = await browser.send<{
    result: { value: T };
    exceptionDetails?: { text: string; exception?: { description?: string } };
  }>('Runtime.evaluate', { expression, ...how }, session);
  const { exceptionDetails: thrown } = answer;
  if (thrown) throw new Error(thrown.exception?.description ?? thrown.text);
  return answer.result.value;
}

/** Attaches to the Workers that there are, which goes on without them noticing. */
async function workersOf(browser: Browser, page: string): Promise<string[]> {
  const sessions: string[] = [];
  const silence = browser.listen((method, params) => {
    if (method === 'Target.attachedToTarget')
      sessions.push((params as { sessionId: string }).sessionId);
  });
  const attach = { autoAttach: true, waitForDebuggerOnStart: false, flatten: true };
  await browser.send('Target.setAutoAttach', attach, page);
  silence();
  return sessions;
}

async function see(browser: Browser, session: string): Promise<Seen> {
  const view = await evaluate(browser, session, lookAtPage, FIRST_FRAME_LIMIT_MS);
  if (view.frameMs === null || view.visibility !== 'visible') {
    throw new Error(`no first frame in a ${view.visibility} page, which says: ${view.text}`);
  }
  const page = await evaluate(browser, session, readTimeline);
  const timelines = [page];
  for (const worker of await workersOf(browser, session)) {
    timelines.push(await evaluate(browser, worker, readTimeline));
  }
  const loaded = timelines.flatMap((timeline) => {
    const shift = timeline.originMs - page.originMs;
    return timeline.loaded.map((one) => {
      return { ...one, startMs: one.startMs + shift, endMs: one.endMs + shift };
    });
  });
  const loadedBytes = timelines.reduce((sum, { bytes }) => sum + bytes, 0);
  return { firstFrameMs: view.frameMs, loadedBytes, loaded };
}

/** Opens a page of its own in a context that knows nothing, and lets `work` use it. */
export async function inNewPage<T>(
  browser: Browser,
  work: (session: string) => Promise<T>,
): Promise<T> {
  const context = await browser.send<{ browserContextId: string }>('Target.createBrowserContext');
  try {
    const window = { url: 'about:blank', ...context, ...WINDOW };
    const target = await browser.send<{ targetId: string }>('Target.createTarget', window);
    const attach = { ...target, flatten: true };
    const { sessionId } = await browser.send<{ sessionId: string }>(
      'Target.attachToTarget',
      attach,
    );
    await sleep(REST_MS);
    return await work(sessionId);
  } finally {
    await browser.send('Target.disposeBrowserContext', context);
  }
}

/** Opens `url` in a context that knows nothing, leaves it to itself for a moment, and does something there. */
export function within<T>(
  browser: Browser,
  url: string,
  work: (session: string) => Promise<T>,
): Promise<T> {
  return inNewPage(browser, async (session) => {
    await browser.send('Page.navigate', { url }, session);
    await sleep(UNDISTURBED_MS);
    return work(session);
  });
}

/** Opens `url` in a context that knows nothing, and returns what was seen. */
export function visit(browser: Browser, url: string): Promise<Seen> {
  return within(browser, url, (session) => see(browser, session));
}
