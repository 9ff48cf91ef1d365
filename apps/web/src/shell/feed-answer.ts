/**
 * Answers a video element's requests with bytes that the page has: the service worker's half of a feed.
 *
 * Specification of requests: RFC 9110 §14. Keeps nothing between two requests, since a service worker may be ended at any
 * moment. Invariant: it has no key and no bytes but those under way.
 */

/** Names of feeds, relative to the page's root, begin so. */
export const FEEDS = 'w/feed/';

/** Asked of the page, with a port for the answer. */
export interface FeedQuestion {
  readonly feed: string;
}

/** The page's first word on the port: what there is; `null` for nothing. */
export type FeedFacts = { readonly bytes: number; readonly type: string } | null;

/** Asked on the port: what lies there; `null`: no more is wanted. */
export type FeedWish = number | null;

const RANGE = /^bytes=(\d{1,15})-(\d{0,15})$/;

/** Waits for the next message of a port. */
function next<T>(port: MessagePort): Promise<T> {
  return new Promise((resolve) => {
    port.addEventListener('message', ({ data }) => resolve(data as T), { once: true });
  });
}

/** Returns the first and last byte that are asked for, `null` for a range that isn't there. */
function rangeOf(request: Request, total: number): [number, number] | null {
  const [, from, to] = RANGE.exec(request.headers.get('range') ?? 'bytes=0-') ?? [];
  if (from === undefined) return [0, total - 1];
  const [first, last] = [Number(from), to ? Math.min(Number(to), total - 1) : total - 1];
  return first <= last ? [first, last] : null;
}

function bodyOf(port: MessagePort, first: number, last: number): ReadableStream<Uint8Array> {
  let offset = first;
  return new ReadableStream({
    async pull(controller) {
      const answer = next<Uint8Array | null>(port);
      port.postMessage(offset satisfies FeedWish);
      const bytes = await answer;
      if (bytes === null) return controller.error(new Error('the page has ended'));
      const wanted = bytes.subarray(0, last + 1 - offset);
      controller.enqueue(wanted);
      offset += wanted.length;
      if (offset <= last) return;
      port.postMessage(null satisfies FeedWish);
      controller.close();
    },
    cancel: () => port.postMessage(null satisfies FeedWish),
  });
}

/** Asks the page by `ask` and answers with what it has. */
export async function answerFrom(
  feed: string,
  request: Request,
  ask: (question: FeedQuestion, port: MessagePort) => void,
): Promise<Response> {
  const { port1: port, port2 } = new MessageChannel();
  port.start();
  const told = next<FeedFacts>(port);
  ask({ feed }, port2);
  const facts = await told;
  if (facts === null) return new Response(null, { status: 404 });
  const range = rangeOf(request, facts.bytes);
  if (range === null) {
    const headers = { 'content-range': `bytes */${facts.bytes}` };
    return new Response(null, { status: 416, headers });
  }
  const [first, last] = range;
  const headers: Record<string, string> = {
    'accept-ranges': 'bytes',
    'cache-control': 'no-store',
    'content-length': String(last + 1 - first),
    'content-type': facts.type,
    'cross-origin-resource-policy': 'same-origin',
  };
  const isPart = request.headers.has('range');
  if (isPart) headers['content-range'] = `bytes ${first}-${last}/${facts.bytes}`;
  return new Response(bodyOf(port, first, last), { status: isPart ? 206 : 200, headers });
}
