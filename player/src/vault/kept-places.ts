/**
 * Where the copies that a viewer keeps lie in the browser's cache storage.
 *
 * Names alone; who writes and who reads agree on them here.
 */

import { COPIES } from './kept';

/** Addresses inside a cache; no network has this host (RFC 6761). */
const BASE = 'https://kept.invalid/';

/** Name of the cache of a grant's copy. */
export function keptCache(grantId: string): string {
  return COPIES + grantId;
}

/** The grant that a cache of this name is a copy for, `null` where it is none. */
export function grantOfCache(name: string): string | null {
  return name.startsWith(COPIES) ? name.slice(COPIES.length) : null;
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
