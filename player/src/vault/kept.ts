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
/** A gateway that says nothing for so long is not waited for where there is a copy. */
const PATIENCE_MS = 5000;

const API = /\/v1\/grants\/([0-9a-f]{32})(?:\/([0-9a-f]{32})\.m3u8|\/(sign))?$/;
const OBJECT = /\/([0-9a-f]{32})$/;

/** What of a copy is asked for. */
type Asked =
  | { readonly kind: 'grant' | 'playlist' | 'object'; readonly address: string }
  | { readonly kind: 'sign'; readonly base: string };

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

function askedFor(url: string, init: RequestInit): Asked | null {
  const { origin, pathname } = new URL(url);
  const [, grantId, playlist, sign] = API.exec(pathname) ?? [];
  if (sign !== undefined) return { kind: 'sign', base: origin + pathname.slice(0, -5) };
  if (playlist !== undefined) return { kind: 'playlist', address: keptAddress.playlist(playlist) };
  if (grantId !== undefined) return { kind: 'grant', address: keptAddress.grant(grantId) };
  const name = OBJECT.exec(pathname)?.[1];
  const range = new Headers(init.headers).get('range');
  return name === undefined ? null : { kind: 'object', address: keptAddress.object(name, range) };
}

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

/** Addresses are of copies alone, so whichever cache has one is the right one. */
async function match(address: string): Promise<Response | null> {
  return (await caches.match(address)) ?? null;
}

/** Answers as the gateway signs: with an address at which the object is found again. */
async function signed(base: string, init: RequestInit): Promise<Response> {
  const { names } = JSON.parse(String(init.body)) as { names: string[] };
  const urls: Record<string, string> = {};
  for (const name of names) {
    if ((await match(keptAddress.object(name, null))) !== null) urls[name] = `${base}/${name}`;
  }
  if (Object.keys(urls).length === names.length) return Response.json({ urls });
  const headers = { 'content-type': 'application/problem+json' };
  return new Response('{"type":"object-unknown"}', { status: 404, headers });
}

/** A part answers as a part: the whole file is not here. */
function asPart(kept: Response, range: string): Response {
  const headers = { 'content-range': `bytes ${range.replace(/^bytes=/, '')}/*` };
  return new Response(kept.body, { status: 206, headers });
}

async function find(asked: Asked, init: RequestInit): Promise<Response | null> {
  if (asked.kind === 'sign') return signed(asked.base, init);
  const kept = await match(asked.address);
  if (kept === null || asked.kind !== 'object') return kept;
  const range = new Headers(init.headers).get('range');
  return range === null ? kept : asPart(kept, range);
}

function late(): Promise<never> {
  return new Promise((_, reject) => setTimeout(() => reject(new TypeError('late')), PATIENCE_MS));
}

/** Asks the network; where it is silent or broken and there is a copy, the copy answers. */
async function heard(
  url: string,
  init: RequestInit,
  copy: () => Promise<Response | null>,
  isKnown: boolean,
): Promise<Response> {
  try {
    const asking = fetch(url, init);
    const answer = await (isKnown ? Promise.race([asking, late()]) : asking);
    return (answer.status >= 500 && (await copy())) || answer;
  } catch (error) {
    const kept = init.signal?.aborted ? null : await copy();
    if (kept === null) throw error;
    return kept;
  }
}

/** `fetch`, with the copies on this device behind it. */
export async function fetchOrKept(url: string, init: RequestInit): Promise<Response> {
  const asked = askedFor(url, init);
  if (asked === null) return fetch(url, init);
  // A playback begins with its grant: what was kept since the one before counts from here on.
  if (asked.kind === 'grant') known = null;
  const kept = (await hasCopies()) ? await find(asked, init) : null;
  if (kept !== null && (asked.kind === 'object' || !navigator.onLine)) return kept;
  const copy = async (): Promise<Response | null> => {
    if (kept !== null) return kept;
    known = null;
    return (await hasCopies()) ? find(asked, init) : null;
  };
  return heard(url, init, copy, kept !== null);
}
