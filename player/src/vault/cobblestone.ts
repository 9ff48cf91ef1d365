/**
 * Opens sealed objects: C2SP chunked encryption, Cobblestone-256.
 *
 * Specification: docs/format/sealed-object.md. Knows nothing of networks, titles or roles: bytes
 * are pushed in as they arrive, the role comes as an opaque context. Invariants: the commitment is
 * compared before anything is decrypted, and no byte of plaintext leaves before the tag of every
 * chunk, the last one included, has been verified.
 */

import { concat, equalInConstantTime, utf8, wipe, type Bytes } from './bytes';
import { expand } from './hkdf';

/** Plaintext bytes of a full chunk. */
export const CHUNK_BYTES = 16_384;
const TAG_BYTES = 16;
const SEALED_CHUNK_BYTES = CHUNK_BYTES + TAG_BYTES;
const SALT_BYTES = 24;
const COMMITMENT_BYTES = 32;
const HEADER_BYTES = SALT_BYTES + COMMITMENT_BYTES;
const KEY_BYTES = 32;
const NONCE_BYTES = 12;

/** Chunks under way at once: bounds the copies that WebCrypto holds to about 2 MiB, in and out. Fewer let WebCrypto's thread fall asleep. */
const CHUNKS_IN_FLIGHT = 64;

const LABEL = utf8('c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0');

/** Largest plaintext that a player opens (docs/format/sealed-object.md, Limits). */
export const MAX_PLAINTEXT_BYTES = 64 * 1024 * 1024;

/** Why bytes are not the sealed object that they should be. */
export type SealFault = 'commitment' | 'chunk' | 'length';

/** Thrown where an object doesn't open: it was changed, cut, or belongs elsewhere. */
export class SealBroken extends Error {
  constructor(readonly fault: SealFault) {
    super(`the sealed object does not open (${fault})`);
    this.name = 'SealBroken';
  }
}

/** Returns the sealed length of `plaintextBytes` of plaintext. */
export function sealedLength(plaintextBytes: number): number {
  const chunkCount = Math.floor(plaintextBytes / CHUNK_BYTES) + 1;
  return HEADER_BYTES + plaintextBytes + TAG_BYTES * chunkCount;
}

/** Returns the plaintext length of a sealed object, or `null` where no object has that length. */
export function plaintextLength(sealedBytes: number): number | null {
  const body = sealedBytes - HEADER_BYTES;
  const rest = body % SEALED_CHUNK_BYTES;
  if (body < TAG_BYTES || rest < TAG_BYTES) return null;
  return Math.floor(body / SEALED_CHUNK_BYTES) * CHUNK_BYTES + rest - TAG_BYTES;
}

interface Cipher {
  readonly key: CryptoKey;
  readonly baseNonce: Bytes;
}

async function deriveCipher(objectKey: CryptoKey, header: Bytes, context: Bytes): Promise<Cipher> {
  const info = concat(LABEL, header.subarray(0, SALT_BYTES), context);
  const okm = await expand(objectKey, info, KEY_BYTES + NONCE_BYTES + COMMITMENT_BYTES);
  try {
    const commitment = okm.subarray(KEY_BYTES + NONCE_BYTES);
    if (!equalInConstantTime(commitment, header.subarray(SALT_BYTES))) {
      throw new SealBroken('commitment');
    }
    const secret = okm.subarray(0, KEY_BYTES);
    const key = await crypto.subtle.importKey('raw', secret, 'AES-GCM', false, ['decrypt']);
    return { key, baseNonce: okm.slice(KEY_BYTES, KEY_BYTES + NONCE_BYTES) };
  } finally {
    wipe(okm);
  }
}

/**
 * Lets go of a buffer now and not when it is collected: the next one then lies in memory that the processor still holds, and
 * not in new memory that the system has to find. Where the browser lacks `transfer`, it is collected.
 */
function release(buffer: ArrayBuffer & { transfer?(bytes: number): ArrayBuffer }): void {
  buffer.transfer?.(0);
}

/** Returns the nonce of chunk `index`, which is below 2³². */
function chunkNonce(baseNonce: Bytes, index: number): Bytes {
  const nonce = baseNonce.slice();
  const view = new DataView(nonce.buffer);
  view.setUint32(8, view.getUint32(8) ^ index);
  return nonce;
}

/**
 * Opens one object whose plaintext length is known, from bytes pushed in as they arrive.
 *
 * A chunk is begun as soon as its last byte is there, out of the pushed bytes themselves where they hold all of it. `push` and
 * `finish` throw [`SealBroken`]; after that the opener is of no more use.
 */
export class ObjectOpener {
  readonly #plaintext: Bytes;
  readonly #pending: Promise<void>[] = [];
  /** Holds the header, and then the beginning of a chunk whose end has not arrived. */
  readonly #stage: Bytes = new Uint8Array(SEALED_CHUNK_BYTES);
  #filled = 0;
  #cipher: Cipher | null = null;
  #chunk = 0;
  /** Sealed bytes of the body in chunks that have not been begun. */
  #left: number;

  constructor(
    private readonly objectKey: CryptoKey,
    private readonly context: Bytes,
    plaintextBytes: number,
  ) {
    if (plaintextBytes > MAX_PLAINTEXT_BYTES) throw new SealBroken('length');
    this.#plaintext = new Uint8Array(plaintextBytes);
    this.#left = sealedLength(plaintextBytes) - HEADER_BYTES;
  }

  /** Takes the next bytes of the object, whose buffer stays the caller's; waits where decryption lags behind. */
  async push(bytes: Bytes): Promise<void> {
    let at = 0;
    if (this.#cipher === null) {
      at = this.#fill(bytes, at, HEADER_BYTES);
      if (this.#filled < HEADER_BYTES) return;
      const header = this.#stage.subarray(0, HEADER_BYTES);
      this.#cipher = await deriveCipher(this.objectKey, header, this.context);
      this.#filled = 0;
    }
    while (at < bytes.length) {
      const size = Math.min(SEALED_CHUNK_BYTES, this.#left);
      if (size === 0) throw new SealBroken('length');
      if (this.#filled === 0 && bytes.length - at >= size) {
        this.#begin(this.#cipher, bytes.subarray(at, at + size));
        at += size;
      } else {
        at = this.#fill(bytes, at, size);
        if (this.#filled === size) this.#begin(this.#cipher, this.#stage.subarray(0, size));
      }
      if (this.#pending.length > CHUNKS_IN_FLIGHT) await this.#pending.shift();
    }
  }

  /** Returns the whole plaintext once every chunk is verified. */
  async finish(): Promise<ArrayBuffer> {
    if (this.#cipher === null || this.#left > 0) throw new SealBroken('length');
    await Promise.all(this.#pending);
    return this.#plaintext.buffer;
  }

  /** Moves bytes from `at` to the stage until it holds `size`; returns where they end. */
  #fill(bytes: Bytes, at: number, size: number): number {
    const end = Math.min(bytes.length, at + size - this.#filled);
    this.#stage.set(bytes.subarray(at, end), this.#filled);
    this.#filled += end - at;
    return end;
  }

  /** WebCrypto copies its input before it returns, so what holds `sealed` is free again at once. */
  #begin(cipher: Cipher, sealed: Bytes): void {
    const index = this.#chunk++;
    const algorithm = { name: 'AES-GCM', iv: chunkNonce(cipher.baseNonce, index) };
    const opened = crypto.subtle.decrypt(algorithm, cipher.key, sealed).then(
      (plaintext) => {
        this.#plaintext.set(new Uint8Array(plaintext), index * CHUNK_BYTES);
        release(plaintext);
      },
      () => {
        throw new SealBroken('chunk');
      },
    );
    // A failure is reported by whoever awaits it later; until then it must not count as unhandled.
    opened.catch(() => undefined);
    this.#pending.push(opened);
    this.#left -= sealed.length;
    this.#filled = 0;
  }
}

/** Opens an object that is wholly at hand. */
export async function openObject(
  objectKey: CryptoKey,
  context: Bytes,
  sealed: Bytes,
): Promise<ArrayBuffer> {
  const length = plaintextLength(sealed.length);
  if (length === null) throw new SealBroken('length');
  const opener = new ObjectOpener(objectKey, context, length);
  await opener.push(sealed);
  return opener.finish();
}
