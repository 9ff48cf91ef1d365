/**
 * The copies on this device, as the page knows them: how large, until when, whole or not.
 *
 * Knows neither titles nor keys, so a list of copies says nothing of what they show. Invariant: what is remembered of a
 * copy lies in its own cache, and goes with it.
 */

import { grantOfCache, keptAddress, keptCache } from '../../../../player/src/vault/kept-places';

/** What is remembered of a copy. */
export interface Copy {
  readonly v: 1;
  readonly grantId: string;
  /** Where the gateway's `/v1` stands. */
  readonly gateway: string;
  /** Milliseconds since 1970. */
  readonly keptMs: number;
  /** The grant's end, `null` for none. */
  readonly expiresMs: number | null;
  /** Height of the picture in lines, `null` for sound alone. */
  readonly height: number | null;
  /** Sealed bytes that are here, and that it takes whole. */
  readonly bytes: number;
  readonly totalBytes: number;
}

/** Whether all of it is here. */
export function isWhole({ bytes, totalBytes }: Copy): boolean {
  return bytes >= totalBytes;
}

/** Whether its grant has ended, by this device's clock. */
export function hasEnded({ expiresMs }: Copy, nowMs: number): boolean {
  return expiresMs !== null && nowMs >= expiresMs;
}

/** Remembers how far a copy is. */
export async function remember(copy: Copy): Promise<void> {
  const cache = await caches.open(keptCache(copy.grantId));
  await cache.put(keptAddress.record, Response.json(copy));
}

async function read(cacheName: string): Promise<Copy | null> {
  const record = await (await caches.open(cacheName)).match(keptAddress.record);
  const copy = (await record?.json().catch(() => null)) as Copy | null | undefined;
  return copy?.v === 1 ? copy : null;
}

/** Returns what is remembered of a grant's copy, `null` where there is none. */
export async function copyOf(grantId: string): Promise<Copy | null> {
  const name = keptCache(grantId);
  return (await caches.has(name)) ? read(name) : null;
}

/** Removes a grant's copy. */
export async function removeCopy(grantId: string): Promise<void> {
  await caches.delete(keptCache(grantId));
}

/** Lists the copies, the newest first, and removes those whose grant has ended. */
export async function listCopies(nowMs: number): Promise<Copy[]> {
  const copies: Copy[] = [];
  for (const name of await caches.keys()) {
    const grantId = grantOfCache(name);
    if (grantId === null) continue;
    const copy = await read(name);
    if (copy === null || hasEnded(copy, nowMs)) await removeCopy(grantId);
    else copies.push(copy);
  }
  return copies.toSorted((a, b) => b.keptMs - a.keptMs);
}
