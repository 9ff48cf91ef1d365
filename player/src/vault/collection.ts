/**
 * Collections: an epoch key from an envelope, and the title keys that it opens.
 *
 * Specification: docs/format/collection.md. Knows nothing of where envelopes and wrapped keys lie.
 * Invariant: the epoch key is a key that no script can read, and title keys leave as such.
 */

import { concat, fromHex, u32, utf8, wipe, type Bytes } from './bytes';
import { openObject } from './cobblestone';
import { importPrk } from './hkdf';
import { openEnvelope } from './hpke';
import type { Identity } from './identity';
import { Malformed } from './json';
import { TitleKey } from './role';

const KEY_BYTES = 32;
const WRAPPED_BYTES = 104;
const INFO = utf8('veilcast/collection/v1');
const LABEL = utf8('veilcast/collection-title/v1\0');

/** A collection at one of its epochs. */
export interface CollectionEpoch {
  /** Collection id, 16 bytes. */
  readonly collection: Bytes;
  /** From 1, below 2³². */
  readonly epoch: number;
}

/** The key of one epoch. */
export class EpochKey {
  private constructor(
    private readonly of: CollectionEpoch,
    private readonly prk: CryptoKey,
  ) {}

  /** Opens the envelope that was made for `identity`, or throws `EnvelopeBroken` or [`Malformed`]. */
  static async open(of: CollectionEpoch, identity: Identity, envelope: Bytes): Promise<EpochKey> {
    const recipient = fromHex(identity.keyId, 16);
    if (recipient === null) throw new Malformed('the key id is not hex');
    const aad = concat(of.collection, u32(of.epoch), recipient);
    const secret = await openEnvelope(identity.key, INFO, aad, envelope);
    try {
      if (secret.length !== KEY_BYTES) throw new Malformed('the epoch key has a wrong length');
      return new EpochKey(of, await importPrk(secret, 'SHA-512'));
    } finally {
      wipe(secret);
    }
  }

  /** Unwraps the key of the title `titleId`, or throws `SealBroken` or [`Malformed`]. */
  async titleKey(titleId: Bytes, wrapped: Bytes): Promise<TitleKey> {
    if (wrapped.length !== WRAPPED_BYTES) {
      throw new Malformed('the wrapped title key has a wrong length');
    }
    const context = concat(LABEL, this.of.collection, u32(this.of.epoch), titleId);
    const secret = new Uint8Array(await openObject(this.prk, context, wrapped));
    return TitleKey.import(titleId, secret);
  }
}
