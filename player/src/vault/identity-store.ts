/**
 * Where identities lie on a device: one IndexedDB database, reached from the vault Worker alone.
 *
 * Knows nothing of locks. A browser may forbid or lose the database: then nothing is stored, and a person brings a file as
 * before. Invariant: what lies there is a [`StoredIdentity`], whose seed is sealed.
 */

import { createStore, del, get, set, values, type UseStore } from 'idb-keyval';
import type { LockKind, StoredIdentity } from './stored-identity';

/** What the page may know of a stored identity. */
export interface KnownIdentity {
  readonly keyId: string;
  readonly lock: LockKind;
  /** When it was stored, in milliseconds since 1970. */
  readonly savedMs: number;
}

let opened: UseStore | null = null;

function store(): UseStore {
  opened ??= createStore('veilcast-identities', 'identities');
  return opened;
}

/** Keeps only what this version wrote. */
function isKnown(stored: StoredIdentity | undefined): stored is StoredIdentity {
  return stored?.v === 1;
}

/** Returns the identity of a key id, `null` where none is stored or the store can't be had. */
export async function findIdentity(keyId: string): Promise<StoredIdentity | null> {
  try {
    const stored = await get<StoredIdentity>(keyId, store());
    return isKnown(stored) ? stored : null;
  } catch {
    return null;
  }
}

/** Stores an identity in place of an earlier one with its key id. */
export function keepIdentity(identity: StoredIdentity): Promise<void> {
  return set(identity.keyId, identity, store());
}

/** Forgets an identity. */
export function forgetIdentity(keyId: string): Promise<void> {
  return del(keyId, store());
}

/** Returns what is stored, the newest first. */
export async function knownIdentities(): Promise<KnownIdentity[]> {
  const stored = (await values<StoredIdentity>(store())).filter(isKnown);
  const known = stored.map(({ keyId, lock, savedMs }) => ({ keyId, lock: lock.kind, savedMs }));
  return known.toSorted((a, b) => b.savedMs - a.savedMs);
}
