/**
 * The role of an object, and the key and the name that a title key gives it.
 *
 * Specification: docs/format/sealed-object.md (context) and docs/format/key-schedule.md. Knows
 * nothing of networks or of what is inside an object. Invariant: the encoding of a role has a
 * fixed width for every field, so no two roles share one.
 */

import { concat, toHex, utf8, wipe, type Bytes } from './bytes';
import { expand, importPrk } from './hkdf';

/** What an object is, as numbered in docs/format/sealed-object.md. */
export const Kind = {
  manifest: 0,
  init: 1,
  segment: 2,
  poster: 3,
  storyboard: 4,
  mediaPlaylist: 5,
  multivariantPlaylist: 6,
} as const;

/** One of the numbers of [`Kind`]. */
export type Kind = (typeof Kind)[keyof typeof Kind];

/** The place of an object in its title. */
export interface Role {
  readonly kind: Kind;
  /** Rendition number, 0 where the kind has none. */
  readonly rendition: number;
  /** Index from 0. */
  readonly index: number;
}

const PREFIX = utf8('veilcast/object/v1\0');
const KEY_LABEL = utf8('veilcast/object-key/v1\0');
const NAME_LABEL = utf8('veilcast/object-name/v1\0');

/** Returns the 43-byte context of `role` in the title `titleId` (16 bytes). */
export function encodeRole(titleId: Bytes, role: Role): Bytes {
  const fields = new Uint8Array(8);
  const view = new DataView(fields.buffer);
  view.setUint8(0, role.kind);
  view.setUint16(1, role.rendition);
  view.setUint32(3, role.index);
  return concat(PREFIX, titleId, fields);
}

/** A title's key with the title it belongs to: all that is needed to name and open its objects. */
export class TitleKey {
  private constructor(
    readonly titleId: Bytes,
    /** Non-extractable; passes between Workers by structured clone. */
    readonly prk: CryptoKey,
  ) {}

  /** Imports 32 bytes of title key and wipes them. */
  static async import(titleId: Bytes, secret: Bytes): Promise<TitleKey> {
    const prk = await importPrk(secret, 'SHA-512');
    wipe(secret);
    return new TitleKey(titleId, prk);
  }

  /** Takes over a key that another Worker imported. */
  static adopt(titleId: Bytes, prk: CryptoKey): TitleKey {
    return new TitleKey(titleId, prk);
  }

  /** Returns the object name (32 hex digits) of `role`. */
  async name(role: Role): Promise<string> {
    const context = encodeRole(this.titleId, role);
    return toHex(await expand(this.prk, concat(NAME_LABEL, context), 16));
  }

  /** Returns the object key of `role`, as the HMAC key that opening derives from. */
  async objectKey(role: Role): Promise<CryptoKey> {
    const context = encodeRole(this.titleId, role);
    const secret = await expand(this.prk, concat(KEY_LABEL, context), 32);
    const key = await importPrk(secret, 'SHA-512');
    wipe(secret);
    return key;
  }
}
