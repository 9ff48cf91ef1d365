/**
 * The role of an object, and the key and the name that a title key gives it.
 *
 * Specification: docs/format/sealed-object.md (context) and docs/format/key-schedule.md. Knows
 * nothing of networks or of what is inside an object. Invariants: the encoding of a role has a
 * fixed width for every field, so no two roles share one; a title key names and opens only what
 * exists once (variants have keys of their own, in `variants.ts`).
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
  variantList: 7,
  renditionFile: 8,
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

/** Which of a segment's variants: 0 for what exists once, 1 for A, 2 for B. */
export type Variant = 0 | 1 | 2;

/** Returns the 43-byte context of `role` in the title `titleId` (16 bytes). */
export function encodeRole(titleId: Bytes, role: Role, variant: Variant = 0): Bytes {
  const fields = new Uint8Array(8);
  const view = new DataView(fields.buffer);
  view.setUint8(0, role.kind);
  view.setUint16(1, role.rendition);
  view.setUint32(3, role.index);
  view.setUint8(7, variant);
  return concat(PREFIX, titleId, fields);
}

/** Returns the name (32 hex digits) that `parent` gives the object with this encoded role. */
export async function nameUnder(parent: CryptoKey, context: Bytes): Promise<string> {
  return toHex(await expand(parent, concat(NAME_LABEL, context), 16));
}

/** Returns the key that `parent` gives the object with this encoded role, ready to derive from. */
export async function objectKeyUnder(parent: CryptoKey, context: Bytes): Promise<CryptoKey> {
  const secret = await expand(parent, concat(KEY_LABEL, context), 32);
  const key = await importPrk(secret, 'SHA-512');
  wipe(secret);
  return key;
}

/** A title's key with the title it belongs to: names and opens its objects that exist once. */
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
  name(role: Role): Promise<string> {
    return nameUnder(this.prk, encodeRole(this.titleId, role));
  }

  /** Returns the object key of `role`, as the HMAC key that opening derives from. */
  objectKey(role: Role): Promise<CryptoKey> {
    return objectKeyUnder(this.prk, encodeRole(this.titleId, role));
  }
}
