/**
 * HPKE (RFC 9180), base mode, single shot, receiving side: X-Wing, HKDF-SHA256, AES-256-GCM.
 *
 * Specification: docs/format/envelope.md. Knows nothing of grants. Invariant: the shared secret
 * and the keys made of it stay in non-extractable keys or are wiped.
 */

import { concat, utf8, wipe, type Bytes } from './bytes';
import { expand, importPrk, mac } from './hkdf';
import { ENCAPSULATION_BYTES, type XWingKey } from './xwing';

const TAG_BYTES = 16;
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const HASH_BYTES = 32;

const VERSION = utf8('HPKE-v1');
/** "HPKE", then the numbers of KEM, KDF and AEAD. */
const SUITE = concat(utf8('HPKE'), Uint8Array.of(0x64, 0x7a, 0x00, 0x01, 0x00, 0x02));
const MODE_BASE = Uint8Array.of(0);
const EMPTY = new Uint8Array(0);

/** Thrown where an envelope was not made for this key, purpose and place, or was changed. */
export class EnvelopeBroken extends Error {}

function labeled(label: string, value: Uint8Array): Bytes {
  return concat(VERSION, SUITE, utf8(label), value);
}

async function scheduleContext(info: Bytes): Promise<Bytes> {
  // LabeledExtract without a salt: HMAC under a key of zeros.
  const unsalted = await importPrk(new Uint8Array(HASH_BYTES), 'SHA-256');
  const pskIdHash = await mac(unsalted, labeled('psk_id_hash', EMPTY));
  const infoHash = await mac(unsalted, labeled('info_hash', info));
  return concat(MODE_BASE, pskIdHash, infoHash);
}

async function expandLabeled(
  secret: CryptoKey,
  label: string,
  context: Bytes,
  length: number,
): Promise<Bytes> {
  const info = concat(Uint8Array.of(0, length), labeled(label, context));
  return expand(secret, info, length, 'SHA-256');
}

/** Opens `envelope` (encapsulation, then ciphertext) or throws [`EnvelopeBroken`]. */
export async function openEnvelope(
  key: XWingKey,
  info: Bytes,
  aad: Bytes,
  envelope: Bytes,
): Promise<Bytes> {
  if (envelope.length < ENCAPSULATION_BYTES + TAG_BYTES) {
    throw new EnvelopeBroken('the envelope is too short');
  }
  try {
    const shared = await key.decapsulate(envelope.slice(0, ENCAPSULATION_BYTES));
    const secretBytes = await mac(shared, labeled('secret', EMPTY));
    const secret = await importPrk(secretBytes, 'SHA-256');
    const context = await scheduleContext(info);
    const keyBytes = await expandLabeled(secret, 'key', context, KEY_BYTES);
    const iv = await expandLabeled(secret, 'base_nonce', context, NONCE_BYTES);
    const aead = await crypto.subtle.importKey('raw', keyBytes, 'AES-GCM', false, ['decrypt']);
    wipe(secretBytes, keyBytes);
    const algorithm = { name: 'AES-GCM', iv, additionalData: aad };
    const sealed = envelope.slice(ENCAPSULATION_BYTES);
    return new Uint8Array(await crypto.subtle.decrypt(algorithm, aead, sealed));
  } catch (cause) {
    throw new EnvelopeBroken('the envelope does not open', { cause });
  }
}
