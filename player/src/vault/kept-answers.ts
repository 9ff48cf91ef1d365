/**
 * Answers from the copies on this device.
 *
 * Loaded where there are copies. Knows what a request to the gateway or the bucket asks for, and nothing of keys.
 * Invariants: the gateway's word on a grant counts wherever it can be heard; a copy answers for the very object that was
 * asked for, and the seal tells whether it is that object.
 */

import { keptAddress } from './kept-places';

/** A gateway that says nothing for so long is not waited for where there is a copy. */
const PATIENCE_MS = 5000;

const API = /\/v1\/grants\/([0-9a-f]{32})(?:\/([0-9a-f]{32})\.m3u8|\/(sign))?$/;
const OBJECT = /\/([0-9a-f]{32})$/;

/** What of a copy is asked for. */
type Asked =
  | { readonly kind: 'grant' | 'playlist' | 'object'; readonly address: string }
  | { readonly kind: 'sign'; readonly base: string };

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

/** Returns the copy of what is asked for, `null` where there is none. */
export async function copyFor(url: string, init: RequestInit): Promise<Response | null> {
  const asked = askedFor(url, init);
  return asked && find(asked, init);
}

/** Answers a request from the network or from a copy, whichever it is the word of. */
export async function answer(url: string, init: RequestInit): Promise<Response> {
  const asked = askedFor(url, init);
  const kept = asked && (await find(asked, init));
  if (!asked || !kept) return fetch(url, init);
  if (asked.kind === 'object' || !navigator.onLine) return kept;
  try {
    const heard = await Promise.race([fetch(url, init), late()]);
    return heard.status < 500 ? heard : kept;
  } catch (error) {
    if (init.signal?.aborted) throw error;
    return kept;
  }
}
