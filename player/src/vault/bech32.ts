/**
 * Bech32 (BIP 173) decoding without its 90-character limit, as age uses it.
 *
 * Knows nothing of identities. Refuses mixed case, a wrong checksum and padding that is not zero.
 */

import type { Bytes } from './bytes';

const ALPHABET = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l';
const GENERATORS = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3] as const;
const CHECKSUM_SYMBOLS = 6;

/** Longest text that is decoded: a recipient has 1959 characters. */
const MAX_CHARACTERS = 4096;

/** A decoded text. */
export interface Bech32 {
  /** Human-readable part, in lower case. */
  readonly prefix: string;
  readonly bytes: Bytes;
}

function polymod(symbols: readonly number[]): number {
  let sum = 1;
  for (const symbol of symbols) {
    const top = sum >>> 25;
    sum = ((sum & 0x1ffffff) << 5) ^ symbol;
    GENERATORS.forEach((generator, bit) => {
      if ((top >>> bit) & 1) sum ^= generator;
    });
  }
  return sum >>> 0;
}

function spread(prefix: string): number[] {
  const codes = Array.from(prefix, (character) => character.charCodeAt(0));
  return [...codes.map((code) => code >>> 5), 0, ...codes.map((code) => code & 31)];
}

/** Regroups 5-bit symbols to bytes, or returns `null` where what is left over is not zero. */
function toBytes(symbols: readonly number[]): Bytes | null {
  const bytes = new Uint8Array(Math.floor((symbols.length * 5) / 8));
  let buffer = 0;
  let bits = 0;
  let at = 0;
  for (const symbol of symbols) {
    buffer = ((buffer << 5) | symbol) & 0xfff;
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    bytes[at++] = (buffer >>> bits) & 0xff;
  }
  return bits < 5 && (buffer & ((1 << bits) - 1)) === 0 ? bytes : null;
}

/** Decodes `text`, or returns `null` where it is not Bech32. */
export function decodeBech32(text: string): Bech32 | null {
  const lower = text.toLowerCase();
  if (text.length > MAX_CHARACTERS || (text !== lower && text !== text.toUpperCase())) return null;
  const separator = lower.lastIndexOf('1');
  const prefix = lower.slice(0, separator);
  if (separator < 1 || !/^[\x21-\x7e]+$/.test(prefix)) return null;
  const symbols = Array.from(lower.slice(separator + 1), (character) =>
    ALPHABET.indexOf(character),
  );
  if (symbols.length < CHECKSUM_SYMBOLS || symbols.includes(-1)) return null;
  if (polymod([...spread(prefix), ...symbols]) !== 1) return null;
  const bytes = toBytes(symbols.slice(0, -CHECKSUM_SYMBOLS));
  return bytes && { prefix, bytes };
}
