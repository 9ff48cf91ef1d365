/**
 * HKDF-Expand (RFC 5869 §2.3) over HMAC keys that scripts can't read back.
 *
 * WebCrypto's own HKDF always extracts first; our pseudo-random keys are uniform already
 * (docs/format/key-schedule.md), so the expansion is written here from two HMAC calls or fewer a
 * block. Refuses to know what is derived. Every intermediate block is wiped.
 */

import { concat, wipe, type Bytes } from './bytes';

/** The hash under an HMAC key. */
export type Hash = 'SHA-256' | 'SHA-512';

const HASH_BYTES: Record<Hash, number> = { 'SHA-256': 32, 'SHA-512': 64 };

/** Imports `secret` as a non-extractable HMAC key; the caller wipes its bytes. */
export function importPrk(secret: Bytes, hash: Hash): Promise<CryptoKey> {
  return crypto.subtle.importKey('raw', secret, { name: 'HMAC', hash }, false, ['sign']);
}

/** Returns HMAC(`key`, `data`). */
export async function mac(key: CryptoKey, data: Bytes): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.sign('HMAC', key, data));
}

/** Expands `prk` to `length` bytes (at most 255 blocks) for the purpose that `info` names. */
export async function expand(
  prk: CryptoKey,
  info: Bytes,
  length: number,
  hash: Hash = 'SHA-512',
): Promise<Bytes> {
  const size = HASH_BYTES[hash];
  const output = new Uint8Array(length);
  let block: Bytes = new Uint8Array(0);
  for (let at = 0, counter = 1; at < length; at += size, counter++) {
    const input = concat(block, info, Uint8Array.of(counter));
    wipe(block);
    block = await mac(prk, input);
    wipe(input);
    output.set(block.subarray(0, Math.min(size, length - at)), at);
  }
  wipe(block);
  return output;
}
