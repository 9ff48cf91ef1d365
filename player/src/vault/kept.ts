/**
 * Copies that a viewer keeps on the device: where they lie, and when they answer in place of the network.
 *
 * A copy is what the gateway and the bucket would send, sealed as it is there: the grant with its envelope, playlists,
 * objects. Nothing of it opens without the link. Knows nothing of keys; who writes copies is the page's business.
 * Invariants: the gateway's word on a grant counts wherever it can be heard; a copy answers for the very object that was
 * asked for, and the seal tells whether it is that object.
 */

/** Before the grant's id in the name of a copy's cache. */
const PREFIX = 'veilcast-kept-';
/** Addresses inside a cache; no network has this host (RFC 6761). */
const BASE = 'https://kept.invalid/';
const GRANT = /\/v1\/grants\/[0-9a-f]{32}$/;

/** Name of the cache of a grant's copy. */
export function keptCache(grantId: string): string {
  return PREFIX + grantId;
}

/** The grant that a cache of this name is a copy for, `null` where it is none. */
export function grantOfCache(name: string): string | null {
  return name.startsWith(PREFIX) ? name.slice(PREFIX.length) : null;
}

/** Addresses of what a copy consists of. */
export const keptAddress = {
  grant: (id: string): string => `${BASE}grant/${id}`,
  playlist: (name: string): string => `${BASE}${name}.m3u8`,
  /** `range` is the value of `Range` for an object that is a part of a file. */
  object: (name: string, range: string | null): string =>
    range === null ? BASE + name : `${BASE}${name}?${range}`,
  /** What the page remembers of a copy. */
  record: `${BASE}record`,
} as const;

let known: Promise<boolean> | null = null;

/** Whether there are copies at all: without any, nothing here costs a request more than this. */
function hasCopies(): Promise<boolean> {
  known ??= (async () => {
    if (globalThis.caches === undefined) return false;
    const names = await caches.keys().catch((): string[] => []);
    return names.some((name) => grantOfCache(name) !== null);
  })();
  return known;
}

/** `fetch`, with the copies on this device behind it. How they answer is loaded where there are some. */
export async function fetchOrKept(url: string, init: RequestInit): Promise<Response> {
  // A playback begins with its grant: what was kept since the one before counts from here on.
  if (GRANT.test(new URL(url).pathname)) known = null;
  const answering = async () => ((await hasCopies()) ? import('./kept-answers') : null);
  const answers = await answering();
  if (answers !== null) return answers.fetchOrAnswer(url, init);
  const again = async (): Promise<Response | null> => {
    known = null;
    return (await answering())?.answerFor(url, init) ?? null;
  };
  return orCopy(fetch(url, init), again, init.signal);
}

/** Where the network is broken, or the gateway, and there is a copy, the copy answers. */
export async function orCopy(
  asking: Promise<Response>,
  copy: () => Promise<Response | null>,
  signal: AbortSignal | null | undefined,
): Promise<Response> {
  try {
    const answer = await asking;
    return (answer.status >= 500 && (await copy())) || answer;
  } catch (error) {
    const kept = signal?.aborted ? null : await copy();
    if (kept === null) throw error;
    return kept;
  }
}
