/**
 * The sending side of sealed files, for tests alone: locks a content with a passphrase.
 *
 * Written from docs/format/sealed-file.md on Node's own crypto, apart from the code under test.
 */

import { argon2id } from '@noble/hashes/argon2.js';
import { createHash } from 'node:crypto';
import type { Bytes } from '../src/vault/bytes';
import { expandSha512, seal } from './sealer';

/** Bytes of each half. */
export const HALF_BYTES = 4096;

/** What a guess costs. */
export interface Cost {
  readonly memoryKib: number;
  readonly passes: number;
  readonly lanes: number;
}

/** Nothing to wait for. */
export const CHEAP: Cost = { memoryKib: 64, passes: 1, lanes: 1 };

/** What a writer uses. */
export const DEFAULT: Cost = { memoryKib: 262_144, passes: 3, lanes: 4 };

const ARGON2_SALT = Buffer.alloc(16, 7);

/** Stretches as docs/format/sealed-file.md says, with the salt of these tests. */
function stretch(passphrase: string, { memoryKib: m, passes: t, lanes: p }: Cost): Uint8Array {
  return argon2id(Buffer.from(passphrase), ARGON2_SALT, { m, t, p, dkLen: 32 });
}

function u32(...values: number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  values.forEach((value, at) => bytes.writeUInt32BE(value, 4 * at));
  return bytes;
}

function stanza(fileKey: Buffer, key: Uint8Array, cost: Cost): Buffer {
  const parameters = Buffer.concat([ARGON2_SALT, u32(cost.memoryKib, cost.passes, cost.lanes)]);
  const context = Buffer.concat([Buffer.from('veilcast/file/passphrase/v1\0'), parameters]);
  return Buffer.concat([parameters, seal(key, Buffer.alloc(24, 8), context, fileKey)]);
}

/** Makes the checksum of the first half right. */
export function sum(file: Uint8Array): void {
  file.fill(0, 32, 64);
  const half = file.subarray(0, HALF_BYTES);
  file.set(createHash('sha256').update(half).digest(), 32);
}

function emptyHalf(): Buffer {
  const half = Buffer.alloc(HALF_BYTES);
  half.write('veilcast/file/v1');
  half.writeUInt32BE(HALF_BYTES, 16);
  return half;
}

function keyring(fileKey: Buffer, stanzaBytes: Buffer): Buffer {
  const half = emptyHalf();
  half.writeBigUInt64BE(1n, 20);
  half.writeUInt16BE(1, 30);
  stanzaBytes.copy(half, 64);
  const at = 64 + stanzaBytes.length;
  const key = expandSha512(fileKey, Buffer.from('veilcast/file/directory-key/v1'), 32);
  const label = Buffer.from('veilcast/file/directory/v1\0');
  const context = Buffer.concat([label, half.subarray(0, 32), half.subarray(64, at)]);
  half.set(seal(key, Buffer.alloc(24, 9), context, Buffer.alloc(0)), at);
  sum(half);
  return half;
}

/**
 * Locks `content` with a passphrase; `key` is what the passphrase stretches to, where that is known
 * already.
 */
export function lock(
  content: string,
  passphrase: string,
  cost: Cost = CHEAP,
  key: Uint8Array = stretch(passphrase, cost),
): Bytes {
  const fileKey = Buffer.alloc(32, 6);
  const bodyKey = expandSha512(fileKey, Buffer.from('veilcast/file/body-key/v1'), 32);
  const context = Buffer.from('veilcast/file/body/v1');
  const body = seal(bodyKey, Buffer.alloc(24, 5), context, Buffer.from(content));
  const first = keyring(fileKey, stanza(fileKey, key, cost));
  return new Uint8Array(Buffer.concat([first, emptyHalf(), body]));
}
