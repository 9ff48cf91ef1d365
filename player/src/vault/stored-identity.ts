/**
 * Identities at rest on a device: a seed under a key that no script can read, or that a passkey or a passphrase gives.
 *
 * Decision: docs/decisions/0045-identities-on-a-device.md. Knows nothing of databases or of who asks. Invariants: a seed is never
 * at rest in clear; what is sealed is bound to its identity and to its lock; where the browser has X-Wing of its own, a
 * stored seed never becomes bytes of this program again.
 */

import { concat, fromHex, utf8, wipe, type Bytes } from './bytes';
import { expand, importPrk } from './hkdf';
import { identityFromKey, identityFromSeed, type Identity } from './identity';
import { stretch, writeCost, type Cost, type OnProgress } from './passphrase';
import { keyFromSealedSeed, SEED_BYTES } from './xwing';

/** What opens a stored identity. */
export type LockKind = 'device' | 'passkey' | 'passphrase';

/** A passkey that gives the same secret for the same salt, and to nobody else. */
export interface Passkey {
  /** Credential id. */
  readonly credential: Bytes;
  /** Input of the PRF extension, 32 bytes. */
  readonly salt: Bytes;
}

/** What locks a stored identity, and what its key is made of again. */
export type Lock =
  | { readonly kind: 'device'; readonly key: CryptoKey }
  | ({ readonly kind: 'passkey' } & Passkey)
  /** Salt and cost of Argon2id, as in the passphrase stanza of docs/format/sealed-file.md. */
  | { readonly kind: 'passphrase'; readonly parameters: Bytes };

/** A stored identity. */
export interface StoredIdentity {
  readonly v: 1;
  readonly keyId: string;
  /** When it was stored, in milliseconds since 1970. */
  readonly savedMs: number;
  readonly lock: Lock;
  readonly iv: Bytes;
  /** The seed under AES-256-GCM: 48 bytes. */
  readonly sealed: Bytes;
}

/** How a person wants an identity locked, with what the lock needs; secrets are wiped once used. */
export type WantedLock =
  | { readonly kind: 'device' }
  | ({ readonly kind: 'passkey'; readonly secret: Bytes } & Passkey)
  /** `cost` is what a guess costs; the usual where none is named. */
  | { readonly kind: 'passphrase'; readonly passphrase: Bytes; readonly cost?: Cost };

/** What a person opens a stored identity with. */
export type Opener =
  | { readonly passphrase: Bytes }
  /** What the passkey's PRF extension gave for the salt. */
  | { readonly secret: Bytes };

/** Thrown where a stored identity doesn't open. */
export class StoredIdentityBroken extends Error {}

const LABEL = utf8('veilcast/stored-identity/v1\0');
const IV_BYTES = 12;
const KEY_BYTES = 32;
const KEY_ID_BYTES = 16;
const SECRET_BYTES = 32;

/** RFC 9106 §4, the second recommended choice: what a phone can spare. */
const COST: Cost = { memoryKib: 65_536, passes: 3, lanes: 4 };

const USAGES = ['encrypt', 'decrypt', 'unwrapKey'] as const;

function bind(kind: LockKind, keyId: string): Bytes {
  const id = fromHex(keyId, KEY_ID_BYTES);
  if (id === null) throw new StoredIdentityBroken('a key id is 32 hex digits');
  return concat(LABEL, utf8(`${kind}\0`), id);
}

async function deriveKey(prk: CryptoKey, bound: Bytes): Promise<CryptoKey> {
  const secret = await expand(prk, bound, KEY_BYTES);
  const key = await crypto.subtle.importKey('raw', secret, 'AES-GCM', false, USAGES);
  wipe(secret);
  return key;
}

async function keyOfPasskey(secret: Bytes, bound: Bytes): Promise<CryptoKey> {
  if (secret.length !== SECRET_BYTES) throw new StoredIdentityBroken('a PRF gives 32 bytes');
  const prk = await importPrk(secret, 'SHA-512');
  wipe(secret);
  return deriveKey(prk, bound);
}

async function makeLock(wanted: WantedLock, bound: Bytes): Promise<{ lock: Lock; key: CryptoKey }> {
  if (wanted.kind === 'device') {
    const algorithm = { name: 'AES-GCM', length: 8 * KEY_BYTES };
    const key = await crypto.subtle.generateKey(algorithm, false, USAGES);
    return { lock: { kind: 'device', key }, key };
  }
  if (wanted.kind === 'passkey') {
    const { credential, salt, secret } = wanted;
    const key = await keyOfPasskey(secret, bound);
    return { lock: { kind: 'passkey', credential, salt }, key };
  }
  const parameters = writeCost(wanted.cost ?? COST);
  const key = await deriveKey(await stretch(wanted.passphrase, parameters, undefined), bound);
  wipe(wanted.passphrase);
  return { lock: { kind: 'passphrase', parameters }, key };
}

/** Seals the seed of the identity `keyId` and wipes it. */
export async function sealIdentity(
  keyId: string,
  seed: Bytes,
  wanted: WantedLock,
): Promise<StoredIdentity> {
  try {
    const bound = bind(wanted.kind, keyId);
    const { lock, key } = await makeLock(wanted, bound);
    const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
    const algorithm = { name: 'AES-GCM', iv, additionalData: bound };
    const sealed = new Uint8Array(await crypto.subtle.encrypt(algorithm, key, seed));
    return { v: 1, keyId, savedMs: Date.now(), lock, iv, sealed };
  } finally {
    wipe(seed);
  }
}

async function keyOf(
  { lock, keyId }: StoredIdentity,
  opener: Opener | null,
  onProgress: OnProgress | undefined,
): Promise<CryptoKey> {
  const bound = bind(lock.kind, keyId);
  if (lock.kind === 'device') return lock.key;
  if (lock.kind === 'passkey' && opener !== null && 'secret' in opener) {
    return keyOfPasskey(opener.secret, bound);
  }
  if (lock.kind === 'passphrase' && opener !== null && 'passphrase' in opener) {
    return deriveKey(await stretch(opener.passphrase, lock.parameters, onProgress), bound);
  }
  throw new StoredIdentityBroken('this opens another kind of lock');
}

function algorithmOf({ iv, lock, keyId }: StoredIdentity): AesGcmParams {
  return { name: 'AES-GCM', iv, additionalData: bind(lock.kind, keyId) };
}

/** Opens a stored identity, or throws [`StoredIdentityBroken`]; an `opener` is wiped. */
export async function openIdentity(
  stored: StoredIdentity,
  opener: Opener | null,
  onProgress?: OnProgress,
): Promise<Identity> {
  try {
    const key = await keyOf(stored, opener, onProgress);
    const seedKey = await keyFromSealedSeed(stored.sealed, key, algorithmOf(stored));
    const identity = await identityFromKey(seedKey);
    if (identity.keyId === stored.keyId) return identity;
    identity.key.destroy();
  } catch (cause) {
    // WebCrypto says so where a tag is wrong.
    if (cause instanceof DOMException) {
      throw new StoredIdentityBroken('the stored identity does not open', { cause });
    }
    throw cause;
  } finally {
    if (opener !== null) wipe('secret' in opener ? opener.secret : opener.passphrase);
  }
  throw new StoredIdentityBroken('the stored identity is another');
}

/** An identity that was just brought, and its seed under a key of the moment, in case it shall be stored. */
export interface BroughtIdentity {
  readonly identity: Identity;
  /** Locked as `device`; in memory alone. `null` for what came out of the store. */
  readonly kept: StoredIdentity | null;
}

/** Makes the identity of a seed and wipes the seed. */
export async function bringSeed(seed: Bytes): Promise<BroughtIdentity> {
  const copy = seed.slice();
  const identity = await identityFromSeed(seed);
  return { identity, kept: await sealIdentity(identity.keyId, copy, { kind: 'device' }) };
}

/** Locks a kept identity as a person wants it. */
export async function relock(kept: StoredIdentity, wanted: WantedLock): Promise<StoredIdentity> {
  if (wanted.kind === 'device') return { ...kept, savedMs: Date.now() };
  const key = await keyOf(kept, null, undefined);
  const seed = new Uint8Array(await crypto.subtle.decrypt(algorithmOf(kept), key, kept.sealed));
  if (seed.length !== SEED_BYTES) throw new StoredIdentityBroken('a seed has 32 bytes');
  return sealIdentity(kept.keyId, seed, wanted);
}
