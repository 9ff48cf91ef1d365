/**
 * The file key under a passphrase: Argon2id (RFC 9106), then a Cobblestone-256 object.
 *
 * Specification: docs/format/sealed-file.md, passphrase stanza. Knows nothing of halves or bodies.
 * `@noble/hashes` stretches, since WebCrypto doesn't know Argon2; it is loaded when the first
 * passphrase is tried. Invariant: a cost beyond the limits is refused before any of it is paid.
 */

import { concat, u32, utf8, wipe, type Bytes } from './bytes';
import { openObject, SealBroken } from './cobblestone';
import { importPrk } from './hkdf';

/** Longest passphrase, in bytes of UTF-8. */
export const MAX_PASSPHRASE_BYTES = 1024;

/** Bytes of a stanza. */
export const STANZA_BYTES = 132;

const ARGON2_SALT_BYTES = 16;
const PARAMETER_BYTES = ARGON2_SALT_BYTES + 12;
const KEY_BYTES = 32;
const ARGON2_VERSION = 0x13;
const CONTEXT = utf8('veilcast/file/passphrase/v1\0');

/** What a reader is willing to pay for a file that somebody else made. */
const MOST: Cost = { memoryKib: 1_048_576, passes: 16, lanes: 16 };

/** How long one stretch of work may keep the Worker from its messages, in milliseconds. */
const TICK_MS = 50;

/** What one guess of a passphrase costs: the parameters of Argon2id. */
export interface Cost {
  readonly memoryKib: number;
  readonly passes: number;
  readonly lanes: number;
}

/**
 * Why a passphrase gives no file key: it is wrong, its cost is beyond the limits, or the memory or
 * the script that stretching takes can't be had.
 */
export type PassphraseFault = 'passphrase' | 'cost' | 'memory' | 'script';

/** Thrown where a stanza doesn't open. */
export class PassphraseRefused extends Error {
  constructor(
    readonly fault: PassphraseFault,
    options?: ErrorOptions,
  ) {
    super(`the passphrase gives no key (${fault})`, options);
    this.name = 'PassphraseRefused';
  }
}

/** Told how much of the work is done, from 0 to 1. */
export type OnProgress = (done: number) => void;

/** Loads what stretches passphrases; best called while a person still types. */
export async function loadStretcher(): Promise<typeof import('@noble/hashes/argon2.js')> {
  try {
    return await import('@noble/hashes/argon2.js');
  } catch (cause) {
    throw new PassphraseRefused('script', { cause });
  }
}

function readCost(parameters: Bytes): Cost {
  const view = new DataView(parameters.buffer, parameters.byteOffset + ARGON2_SALT_BYTES);
  const [memoryKib, passes, lanes] = [view.getUint32(0), view.getUint32(4), view.getUint32(8)];
  const isSome = passes >= 1 && lanes >= 1 && memoryKib >= 8 * lanes;
  const isBearable = memoryKib <= MOST.memoryKib && passes <= MOST.passes && lanes <= MOST.lanes;
  if (!isSome || !isBearable) throw new PassphraseRefused('cost');
  return { memoryKib, passes, lanes };
}

/** Writes a new salt and a cost as a stanza begins with. */
export function writeCost({ memoryKib, passes, lanes }: Cost): Bytes {
  const salt = crypto.getRandomValues(new Uint8Array(ARGON2_SALT_BYTES));
  return concat(salt, u32(memoryKib), u32(passes), u32(lanes));
}

/** Returns what a passphrase (1 to 1024 bytes) gives with a salt and at a cost, as the HMAC key that opening derives from. */
export async function stretch(
  passphrase: Bytes,
  parameters: Bytes,
  onProgress: OnProgress | undefined,
): Promise<CryptoKey> {
  if (passphrase.length === 0 || passphrase.length > MAX_PASSPHRASE_BYTES) {
    throw new PassphraseRefused('passphrase');
  }
  const { memoryKib, passes, lanes } = readCost(parameters);
  const { argon2idAsync } = await loadStretcher();
  const options = {
    m: memoryKib,
    t: passes,
    p: lanes,
    dkLen: KEY_BYTES,
    version: ARGON2_VERSION,
    asyncTick: TICK_MS,
    ...(onProgress && { onProgress }),
  };
  try {
    const salt = parameters.subarray(0, ARGON2_SALT_BYTES);
    const stretched = await argon2idAsync(passphrase, salt, options);
    const secret = concat(stretched);
    wipe(stretched);
    const key = await importPrk(secret, 'SHA-512');
    wipe(secret);
    return key;
  } catch (cause) {
    // The only thing that is out of range by now is the memory that was asked for.
    throw cause instanceof RangeError ? new PassphraseRefused('memory', { cause }) : cause;
  }
}

/** Unwraps the 32-byte file key of a stanza, or throws [`PassphraseRefused`]. */
export async function unwrapFileKey(
  stanza: Bytes,
  passphrase: Bytes,
  onProgress?: OnProgress,
): Promise<Bytes> {
  const parameters = stanza.slice(0, PARAMETER_BYTES);
  const key = await stretch(passphrase, parameters, onProgress);
  try {
    const context = concat(CONTEXT, parameters);
    return new Uint8Array(await openObject(key, context, stanza.slice(PARAMETER_BYTES)));
  } catch (cause) {
    throw cause instanceof SealBroken ? new PassphraseRefused('passphrase', { cause }) : cause;
  }
}
