/**
 * Oracle: npm's `@noble/post-quantum` for X-Wing, and HPKE around it from RFC 9180 on Node's own crypto.
 *
 * Called with the path of a JSON request {"ask": "hpke", "cases": […]}; prints the JSON list of answers. Bytes are
 * base64. Knows nothing of this project's formats: whatever it is given, it seals and opens.
 */

import { createCipheriv, createDecipheriv, createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { ml_kem768_x25519 as xwing } from '@noble/post-quantum/hybrid.js';

const ENCAPSULATION_BYTES = 1120;
const TAG_BYTES = 16;
/** KEM 0x647a, KDF HKDF-SHA256, AEAD AES-256-GCM. */
const SUITE = Buffer.from('48504b45647a00010002', 'hex');
const NOTHING = Buffer.alloc(0);

const extract = (label, secret) =>
  createHmac('sha256', Buffer.alloc(32))
    .update(Buffer.concat([Buffer.from('HPKE-v1'), SUITE, Buffer.from(label), secret]))
    .digest();

const expand = (secret, label, context, length) => {
  const head = Buffer.concat([Buffer.of(0, length), Buffer.from('HPKE-v1'), SUITE]);
  const info = Buffer.concat([head, Buffer.from(label), context, Buffer.of(1)]);
  return createHmac('sha256', secret).update(info).digest().subarray(0, length);
};

/** The key and the first nonce of RFC 9180 §5.1 in base mode. */
function schedule(shared, info) {
  const context = Buffer.concat([
    Buffer.of(0),
    extract('psk_id_hash', NOTHING),
    extract('info_hash', info),
  ]);
  // LabeledExtract with the shared secret as its salt.
  const labelled = Buffer.concat([Buffer.from('HPKE-v1'), SUITE, Buffer.from('secret')]);
  const secret = createHmac('sha256', shared).update(labelled).digest();
  return [expand(secret, 'key', context, 32), expand(secret, 'base_nonce', context, 12)];
}

function seal(recipient, info, aad, plaintext) {
  const { cipherText, sharedSecret } = xwing.encapsulate(recipient);
  const cipher = createCipheriv('aes-256-gcm', ...schedule(sharedSecret, info)).setAAD(aad);
  const body = Buffer.concat([cipher.update(plaintext), cipher.final()]);
  return Buffer.concat([cipherText, body, cipher.getAuthTag()]);
}

function open(seed, info, aad, sealed) {
  const shared = xwing.decapsulate(sealed.subarray(0, ENCAPSULATION_BYTES), seed);
  const body = sealed.subarray(ENCAPSULATION_BYTES, -TAG_BYTES);
  const cipher = createDecipheriv('aes-256-gcm', ...schedule(shared, info)).setAAD(aad);
  cipher.setAuthTag(sealed.subarray(-TAG_BYTES));
  return Buffer.concat([cipher.update(body), cipher.final()]);
}

function answer(encoded) {
  const decoded = Object.entries(encoded).map(([name, value]) => [name, Buffer.from(value, 'base64')]);
  const { seed, info, aad, plaintext, sealed } = Object.fromEntries(decoded);
  const again = seal(xwing.keygen(seed).publicKey, info, aad, plaintext).toString('base64');
  try {
    return { opened: open(seed, info, aad, sealed).toString('base64'), sealed: again };
  } catch {
    return { opened: null, sealed: again };
  }
}

const { cases } = JSON.parse(readFileSync(process.argv[2], 'utf8'));
console.log(JSON.stringify(cases.map(answer)));
