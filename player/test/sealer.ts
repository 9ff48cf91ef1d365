/**
 * The sending side, for tests alone: seals objects as docs/format/sealed-object.md says.
 *
 * Written from the specification on Node's own crypto, apart from the code under test.
 */

import { createCipheriv, createHmac } from 'node:crypto';
import type { Bytes } from '../src/vault/bytes';

const CHUNK_BYTES = 16_384;

/** HKDF-Expand (RFC 5869 §2.3) with SHA-512. */
export function expandSha512(prk: Uint8Array, info: Uint8Array, length: number): Buffer {
  const blocks: Buffer[] = [];
  for (let counter = 1; blocks.length * 64 < length; counter++) {
    const previous = blocks.at(-1) ?? Buffer.alloc(0);
    const mac = createHmac('sha512', prk).update(previous).update(info);
    blocks.push(mac.update(Buffer.of(counter)).digest());
  }
  return Buffer.concat(blocks).subarray(0, length);
}

function sealChunk(key: Buffer, baseNonce: Buffer, index: number, piece: Uint8Array): Buffer {
  const nonce = Buffer.from(baseNonce);
  nonce.writeUInt32BE((nonce.readUInt32BE(8) ^ index) >>> 0, 8);
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  return Buffer.concat([cipher.update(piece), cipher.final(), cipher.getAuthTag()]);
}

/** Seals `plaintext` under an object key (32 bytes), a salt (24 bytes) and a context. */
export function seal(
  objectKey: Uint8Array,
  salt: Uint8Array,
  context: Uint8Array,
  plaintext: Uint8Array,
): Bytes {
  const label = Buffer.from('c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0');
  const okm = expandSha512(objectKey, Buffer.concat([label, salt, context]), 76);
  const [key, nonce, commitment] = [okm.subarray(0, 32), okm.subarray(32, 44), okm.subarray(44)];
  const chunks: Buffer[] = [];
  for (let index = 0; index * CHUNK_BYTES <= plaintext.length; index++) {
    const piece = plaintext.subarray(index * CHUNK_BYTES, (index + 1) * CHUNK_BYTES);
    chunks.push(sealChunk(key, nonce, index, piece));
  }
  return new Uint8Array(Buffer.concat([salt, commitment, ...chunks]));
}

/** The plaintext of the shared vectors: byte i is (7·i + 3·⌊i / 256⌋) mod 256. */
export function patterned(length: number): Bytes {
  return Uint8Array.from({ length }, (_, i) => (7 * i + 3 * Math.floor(i / 256)) & 0xff);
}
