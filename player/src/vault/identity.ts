/**
 * Who opens envelopes: identities, from a link's secret or from a seed.
 *
 * Specification: docs/format/envelope.md and docs/format/link.md. Knows nothing of grants or of
 * the gateway. Invariant: seeds exist as bytes only until they are imported.
 */

import { fromBase64Url, toBase64Url, toHex, utf8, wipe, type Bytes } from './bytes';
import { expand, importPrk } from './hkdf';
import { keyFromSeed, SEED_BYTES, type XWingKey } from './xwing';

const LINK_SECRET_BYTES = 32;

/** An X-Wing key under its key id. */
export interface Identity {
  readonly key: XWingKey;
  /** First 16 bytes of SHA-512 over the recipient, in hex. */
  readonly keyId: string;
}

/** What a link's secret gives. */
export interface LinkSecret {
  /** Shown to the gateway; opens nothing. Base64url. */
  readonly bearer: string;
  /** Makes the identity of grants of kind `link`; call it once. */
  identity(): Promise<Identity>;
}

/** Returns the key id of a 1216-byte recipient. */
export async function keyIdOf(recipient: Bytes): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-512', recipient));
  return toHex(digest.subarray(0, 16));
}

/** Returns a key under its key id. */
export async function identityFromKey(key: XWingKey): Promise<Identity> {
  return { key, keyId: await keyIdOf(key.recipient) };
}

/** Makes the identity of a 32-byte seed and wipes the seed. */
export async function identityFromSeed(seed: Bytes): Promise<Identity> {
  return identityFromKey(await keyFromSeed(seed));
}

/** Derives bearer and identity from a link's fragment, or returns `null` where it is not whole. */
export async function parseLinkSecret(fragment: string): Promise<LinkSecret | null> {
  const secret = fromBase64Url(fragment);
  if (secret === null || secret.length !== LINK_SECRET_BYTES) return null;
  const prk = await importPrk(secret, 'SHA-512');
  wipe(secret);
  const bearer = await expand(prk, utf8('veilcast/link/bearer/v1'), 32);
  return {
    bearer: toBase64Url(bearer),
    identity: async () =>
      identityFromSeed(await expand(prk, utf8('veilcast/link/identity/v1'), SEED_BYTES)),
  };
}
