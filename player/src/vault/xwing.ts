/**
 * X-Wing (MLKEM768-X25519) decapsulation: the browser's own where a round trip shows that it has
 * it, `@noble/post-quantum` otherwise, loaded only then.
 *
 * Specification: draft-connolly-cfrg-xwing-kem, docs/format/envelope.md. Knows nothing of what the
 * shared secret is for. Invariant: an encapsulation whose X25519 part is of low order is refused
 * before anything is computed with it, whichever implementation is used.
 */

import { concat, wipe, type Bytes } from './bytes';
import { importPrk } from './hkdf';

/** Bytes of a seed, of an encapsulation key and of an encapsulation. */
export const SEED_BYTES = 32;
export const RECIPIENT_BYTES = 1216;
export const ENCAPSULATION_BYTES = 1120;
const X25519_BYTES = 32;

/** Thrown where an encapsulation must not be used. */
export class BadEncapsulation extends Error {}

/** One X-Wing private key. */
export interface XWingKey {
  /** Which implementation holds it. */
  readonly provider: 'native' | 'noble';
  /** The 1216-byte encapsulation key. */
  readonly recipient: Bytes;
  /** Returns the shared secret as a non-extractable HMAC-SHA-256 key. */
  decapsulate(encapsulation: Bytes): Promise<CryptoKey>;
  /** Forgets the key. */
  destroy(): void;
}

const ALGORITHM = { name: 'MLKEM768-X25519' } as const;
const HMAC_SHA256 = { name: 'HMAC', hash: 'SHA-256', length: 256 } as const;

/** The calls of WICG modern-algos that TypeScript's library doesn't know yet. */
interface ModernSubtle {
  importKey(
    format: 'raw-seed',
    seed: Bytes,
    algorithm: typeof ALGORITHM,
    extractable: boolean,
    usages: readonly string[],
  ): Promise<CryptoKey>;
  unwrapKey(
    format: 'raw-seed',
    sealed: Bytes,
    by: CryptoKey,
    how: AesGcmParams,
    algorithm: typeof ALGORITHM,
    extractable: boolean,
    usages: readonly string[],
  ): Promise<CryptoKey>;
  getPublicKey(key: CryptoKey, usages: readonly string[]): Promise<CryptoKey>;
  exportKey(format: 'raw-public', key: CryptoKey): Promise<ArrayBuffer>;
  encapsulateBits(
    algorithm: typeof ALGORITHM,
    key: CryptoKey,
  ): Promise<{ sharedKey: ArrayBuffer; ciphertext: ArrayBuffer }>;
  decapsulateBits(
    algorithm: typeof ALGORITHM,
    key: CryptoKey,
    ciphertext: Bytes,
  ): Promise<ArrayBuffer>;
  decapsulateKey(
    algorithm: typeof ALGORITHM,
    key: CryptoKey,
    ciphertext: Bytes,
    shared: typeof HMAC_SHA256,
    extractable: boolean,
    usages: readonly string[],
  ): Promise<CryptoKey>;
}

const modern = crypto.subtle as unknown as ModernSubtle;

/** u-coordinates of the points of low order, little-endian, the sign bit cleared (RFC 7748 §7). */
const LOW_ORDER: readonly string[] = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
  '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
];

/** Tells whether 32 bytes of X25519 share would give a shared secret of zeros. */
export function isLowOrder(share: Uint8Array): boolean {
  const canonical = share.slice();
  canonical[31] = (canonical[31] as number) & 0x7f;
  const text = Array.from(canonical, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return LOW_ORDER.includes(text);
}

function checkEncapsulation(encapsulation: Bytes): void {
  const share = encapsulation.subarray(ENCAPSULATION_BYTES - X25519_BYTES);
  if (encapsulation.length !== ENCAPSULATION_BYTES || isLowOrder(share)) {
    throw new BadEncapsulation('the encapsulation has a wrong length or a share of low order');
  }
}

const USAGES = ['decapsulateKey', 'decapsulateBits'] as const;

async function nativeKey(key: CryptoKey): Promise<XWingKey> {
  const publicKey = await modern.getPublicKey(key, ['encapsulateBits']);
  const recipient = new Uint8Array(await modern.exportKey('raw-public', publicKey));
  return {
    provider: 'native',
    recipient,
    decapsulate: async (encapsulation) => {
      checkEncapsulation(encapsulation);
      return modern.decapsulateKey(ALGORITHM, key, encapsulation, HMAC_SHA256, false, ['sign']);
    },
    destroy: () => undefined,
  };
}

const loadNoble = () => import('@noble/post-quantum/hybrid.js');

async function nobleKey(seed: Bytes): Promise<XWingKey> {
  const { ml_kem768_x25519: xwing } = await loadNoble();
  const secret = concat(seed);
  const recipient = concat(xwing.keygen(secret).publicKey);
  return {
    provider: 'noble',
    recipient,
    decapsulate: async (encapsulation) => {
      checkEncapsulation(encapsulation);
      const shared = concat(xwing.decapsulate(encapsulation, secret));
      const key = await importPrk(shared, 'SHA-256');
      wipe(shared);
      return key;
    },
    destroy: () => wipe(secret),
  };
}

/** Encapsulates to a key of a fresh seed and opens it again, all in the browser's own code. */
async function roundTrip(): Promise<boolean> {
  const seed = crypto.getRandomValues(new Uint8Array(SEED_BYTES));
  try {
    const key = await modern.importKey('raw-seed', seed, ALGORITHM, false, ['decapsulateBits']);
    const publicKey = await modern.getPublicKey(key, ['encapsulateBits']);
    const sent = await modern.encapsulateBits(ALGORITHM, publicKey);
    const ciphertext = new Uint8Array(sent.ciphertext);
    if (ciphertext.length !== ENCAPSULATION_BYTES) return false;
    const received = await modern.decapsulateBits(ALGORITHM, key, ciphertext);
    const [a, b] = [new Uint8Array(sent.sharedKey), new Uint8Array(received)];
    const agree = a.length === 32 && a.every((byte, i) => byte === b[i]);
    wipe(a, b);
    return agree;
  } catch {
    return false;
  } finally {
    wipe(seed);
  }
}

let nativeWorks: Promise<boolean> | null = null;

/** Tells whether the browser's own X-Wing works; asked once, best while the network is awaited. */
export function hasNativeXWing(): Promise<boolean> {
  nativeWorks ??= roundTrip();
  return nativeWorks;
}

/** Finds out which implementation there is, and loads it where the browser has none of its own. */
export async function prepareXWing(): Promise<void> {
  if (!(await hasNativeXWing())) await loadNoble();
}

/** Makes a key of a 32-byte seed and wipes the seed. */
export async function keyFromSeed(seed: Bytes): Promise<XWingKey> {
  try {
    if (!(await hasNativeXWing())) return await nobleKey(seed);
    return await nativeKey(await modern.importKey('raw-seed', seed, ALGORITHM, false, USAGES));
  } finally {
    wipe(seed);
  }
}

/**
 * Makes a key of a seed that is sealed under `by`, an AES-GCM key; throws a `DOMException` where it doesn't open.
 *
 * Such keys clone silently to `null`, so a seed is all that can be stored; unwrapped by the browser it stays out of reach.
 */
export async function keyFromSealedSeed(
  sealed: Bytes,
  by: CryptoKey,
  how: AesGcmParams,
): Promise<XWingKey> {
  if (await hasNativeXWing()) {
    const unwrapped = modern.unwrapKey('raw-seed', sealed, by, how, ALGORITHM, false, USAGES);
    return nativeKey(await unwrapped);
  }
  return keyFromSeed(new Uint8Array(await crypto.subtle.decrypt(how, by, sealed)));
}
