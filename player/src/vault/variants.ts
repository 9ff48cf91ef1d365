/**
 * Forensic variants: the list of slot keys that one viewer gets, and what each of them opens.
 *
 * Specification: docs/format/key-schedule.md, "Variants". Knows nothing of marks, and of networks
 * no more than an object's name. Invariant: a slot key leaves the list as a key that no script can
 * read, and its bytes are wiped then.
 */

import type { Bytes } from './bytes';
import { wipe } from './bytes';
import { openObject } from './cobblestone';
import { importPrk } from './hkdf';
import { Malformed } from './json';
import type { VariantKey } from './object';
import { encodeRole, Kind, nameUnder, objectKeyUnder, type Role, type Variant } from './role';

/** The most slots of a list (docs/format/key-schedule.md). */
export const MAX_SLOTS = 100_000;
const VARIANT_AT = 4;
const SECRET_AT = 5;
const ENTRY_BYTES = SECRET_AT + 32;
/** Longest list, opened. */
export const MAX_LIST_BYTES = MAX_SLOTS * ENTRY_BYTES;

const LIST: Role = { kind: Kind.variantList, rendition: 0, index: 0 };

/** The key of one variant of one slot, in every rendition. */
export class SlotKey {
  constructor(
    readonly titleId: Bytes,
    readonly slot: number,
    readonly variant: Exclude<Variant, 0>,
    private readonly prk: CryptoKey,
  ) {}

  /** What another Worker needs to open the slot's segments in this variant. */
  get shared(): VariantKey {
    return { variant: this.variant, prk: this.prk };
  }

  /** Returns the context of the slot's segment in `rendition`, in this variant. */
  context(rendition: number): Bytes {
    const role: Role = { kind: Kind.segment, rendition, index: this.slot };
    return encodeRole(this.titleId, role, this.variant);
  }

  /** Returns the object name of the slot's segment in `rendition`, in this variant. */
  name(rendition: number): Promise<string> {
    return nameUnder(this.prk, this.context(rendition));
  }

  /** Returns the object key of the slot's segment in `rendition`, in this variant. */
  objectKey(rendition: number): Promise<CryptoKey> {
    return objectKeyUnder(this.prk, this.context(rendition));
  }
}

/** The slot keys of one viewer, at most one a slot. */
export class VariantList {
  readonly #keys = new Map<number, Promise<SlotKey>>();
  /** Places of the entries whose keys nobody has asked for yet. */
  readonly #entries = new Map<number, Bytes>();

  private constructor(private readonly titleId: Bytes) {}

  /** Takes over an opened list, or throws [`Malformed`] and wipes it. */
  static parse(titleId: Bytes, bytes: Bytes): VariantList {
    try {
      return VariantList.#read(titleId, bytes);
    } catch (error) {
      wipe(bytes);
      throw error;
    }
  }

  static #read(titleId: Bytes, bytes: Bytes): VariantList {
    const count = bytes.length / ENTRY_BYTES;
    if (!Number.isInteger(count) || count === 0 || count > MAX_SLOTS) {
      throw new Malformed('the variant list has a wrong length');
    }
    const list = new VariantList(titleId);
    let last = -1;
    for (let at = 0; at < bytes.length; at += ENTRY_BYTES) {
      const entry = bytes.subarray(at, at + ENTRY_BYTES);
      const slot = new DataView(entry.buffer, entry.byteOffset).getUint32(0);
      const variant = entry[VARIANT_AT];
      if (slot <= last || (variant !== 1 && variant !== 2)) {
        throw new Malformed('an entry of the variant list is out of order or of no variant');
      }
      list.#entries.set(slot, entry);
      last = slot;
    }
    return list;
  }

  /** How many slots have variants. */
  get slotCount(): number {
    return this.#entries.size + this.#keys.size;
  }

  /** Returns the key of a slot, `null` where its segment exists once. */
  async get(slot: number): Promise<SlotKey | null> {
    const known = this.#keys.get(slot);
    if (known !== undefined) return known;
    const entry = this.#entries.get(slot);
    if (entry === undefined) return null;
    this.#entries.delete(slot);
    const key = this.#import(slot, entry);
    this.#keys.set(slot, key);
    return key;
  }

  async #import(slot: number, entry: Bytes): Promise<SlotKey> {
    const variant = entry[VARIANT_AT] as Exclude<Variant, 0>;
    const prk = await importPrk(entry.subarray(SECRET_AT), 'SHA-512');
    wipe(entry);
    return new SlotKey(this.titleId, slot, variant, prk);
  }
}

/** The key of one grant's variant list. */
export class ListKey {
  private constructor(
    private readonly titleId: Bytes,
    private readonly prk: CryptoKey,
  ) {}

  /** Imports 32 bytes of list key and wipes them. */
  static async import(titleId: Bytes, secret: Bytes): Promise<ListKey> {
    const prk = await importPrk(secret, 'SHA-512');
    wipe(secret);
    return new ListKey(titleId, prk);
  }

  /** Returns the object name of the list. */
  name(): Promise<string> {
    return nameUnder(this.prk, encodeRole(this.titleId, LIST));
  }

  /** Opens the list, or throws `SealBroken` or [`Malformed`]. */
  async open(sealed: Bytes): Promise<VariantList> {
    const context = encodeRole(this.titleId, LIST);
    const key = await objectKeyUnder(this.prk, context);
    const opened = await openObject(key, context, sealed);
    return VariantList.parse(this.titleId, new Uint8Array(opened));
  }
}
