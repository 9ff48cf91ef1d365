/**
 * Feeds a video element through the service worker: the page's half.
 *
 * Knows nothing of what the bytes are. Invariant: an address is answered for as long as it is fed, and is unguessable
 * besides being this origin's own.
 */

import type { Fed, Whole } from '@veilcast/player';
import { FEEDS, type FeedFacts, type FeedQuestion, type FeedWish } from './feed-answer';
import { installShell } from './install';
import { ROOT } from './trusted';

/** How long the service worker may take to be in charge of this page. */
const CLAIM_LIMIT_MS = 10_000;

const feeds = new Map<string, Whole>();

async function serve(whole: Whole, port: MessagePort, offset: number): Promise<void> {
  const bytes = await whole.read(offset);
  port.postMessage(bytes, bytes === null ? [] : [bytes.buffer]);
}

function hear({ data, ports: [port] }: MessageEvent<FeedQuestion>): void {
  if (port === undefined) return;
  const whole = feeds.get(data.feed);
  const facts: FeedFacts = whole ? { bytes: whole.bytes, type: whole.type } : null;
  port.addEventListener('message', ({ data: wish }: MessageEvent<FeedWish>) => {
    if (wish === null || !whole) port.close();
    else void serve(whole, port, wish);
  });
  port.start();
  port.postMessage(facts);
}

/** Waits until the service worker answers this page's requests. */
async function isInCharge(): Promise<boolean> {
  if (!(await installShell())) return false;
  const { serviceWorker } = navigator;
  if (serviceWorker.controller !== null) return true;
  const { active } = await serviceWorker.ready;
  return new Promise((resolve) => {
    serviceWorker.addEventListener('controllerchange', () => resolve(true), { once: true });
    setTimeout(() => resolve(false), CLAIM_LIMIT_MS);
    active?.postMessage('claim');
  });
}

/** Makes an address that is answered from `whole`; `null` where there is no service worker. */
export async function feed(whole: Whole): Promise<Fed | null> {
  if (!(await isInCharge())) return null;
  if (feeds.size === 0) navigator.serviceWorker.addEventListener('message', hear);
  navigator.serviceWorker.startMessages();
  const name = `${FEEDS}${crypto.randomUUID()}.mp4`;
  feeds.set(name, whole);
  const end = (): void => {
    feeds.delete(name);
    if (feeds.size === 0) navigator.serviceWorker.removeEventListener('message', hear);
  };
  return { url: new URL(name, ROOT).href, end };
}
