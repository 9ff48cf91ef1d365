/**
 * Remembers for a while which keys an envelope held, so that a link opened again costs no unwrapping.
 *
 * Decision: docs/decisions/0044-one-pool-a-page.md. Knows nothing of envelopes or of who asks. Invariants: an entry is found by
 * a hash of who opens and of every field that unwrapping is bound to, so it answers for nothing that unwrapping itself would
 * refuse; what it holds are keys that no script can read; its life is not lengthened by use, and a clock that was set back
 * ends it.
 */

import { concat, toHex, utf8 } from './bytes';
import type { GrantKeys, GrantRecord } from './grant';

/** How long keys are remembered. */
export const CACHE_LIFE_MS = 5 * 60_000;

/** The most that are remembered; the oldest goes first. */
export const MAX_CACHED = 32;

const LABEL = utf8('veilcast/unwrap-cache/v1\0');

interface Entry {
  readonly keys: GrantKeys;
  readonly sinceMs: number;
}

/**
 * Returns the place of a grant's keys: `holder` names who can open it, by what only they know (the bearer of a link) or
 * have (the key id of an identity that is at hand).
 */
export async function placeOf(record: GrantRecord, holder: string): Promise<string> {
  const { id, title, epoch, kind, recipient, expiresMs, envelope } = record;
  const bound = JSON.stringify([kind, holder, id, title, epoch, recipient, expiresMs]);
  const input = concat(LABEL, utf8(bound), envelope);
  return toHex(new Uint8Array(await crypto.subtle.digest('SHA-256', input)));
}

/** The keys of grants that were opened of late. */
export class UnwrapCache {
  readonly #entries = new Map<string, Entry>();

  /** How many grants are remembered. */
  get size(): number {
    return this.#entries.size;
  }

  /** Returns the keys at `place`, `null` where none are remembered any more. */
  get(place: string): GrantKeys | null {
    this.#sweep();
    return this.#entries.get(place)?.keys ?? null;
  }

  /** Remembers keys from now on. */
  put(place: string, keys: GrantKeys): void {
    this.#sweep();
    if (this.#entries.has(place)) return;
    const [oldest] = this.#entries.keys();
    if (this.#entries.size >= MAX_CACHED && oldest !== undefined) this.#entries.delete(oldest);
    const entry = { keys, sinceMs: Date.now() };
    this.#entries.set(place, entry);
    setTimeout(() => {
      if (this.#entries.get(place) === entry) this.#entries.delete(place);
    }, CACHE_LIFE_MS);
  }

  /** Forgets all. */
  clear(): void {
    this.#entries.clear();
  }

  #sweep(): void {
    const now = Date.now();
    for (const [place, { sinceMs }] of this.#entries) {
      if (now < sinceMs || now - sinceMs >= CACHE_LIFE_MS) this.#entries.delete(place);
    }
  }
}
