/**
 * Forensic variants: the shared vectors, and what a viewer's list does and does not open.
 *
 * The studio's side (mark key to slot keys) is computed here from the specification, on Node's own
 * crypto; the player never sees a mark key.
 */

import { describe, expect, it } from 'vitest';
import { concat, toHex, u32, utf8, type Bytes } from '../src/vault/bytes';
import { openObject, SealBroken } from '../src/vault/cobblestone';
import { importPrk } from '../src/vault/hkdf';
import { Malformed } from '../src/vault/json';
import { ListKey, MAX_SLOTS, SlotKey, VariantList } from '../src/vault/variants';
import { expandSha512, seal } from './sealer';
import { cases, hex } from './vectors';

interface VariantCase {
  name: string;
  title: string;
  mark_key: string;
  slot: number;
  variant: 1 | 2;
  slot_key: string;
  rendition: number;
  role: string;
  object_key: string;
  object_name: string;
}

interface ListCase {
  name: string;
  title: string;
  list_key: string;
  object_name: string;
  sealed: string;
  entries: { slot: number; variant: 1 | 2; slot_key: string }[] | null;
}

const TITLE = hex('a5'.repeat(16));
const ENTRY_BYTES = 37;

function slotKeyBytes(markKey: Bytes, title: Bytes, slot: number, variant: number): Buffer {
  const place = concat(title, u32(slot), Uint8Array.of(variant));
  return expandSha512(markKey, concat(utf8('veilcast/slot-key/v1\0'), place), 32);
}

function entry(slot: number, variant: number): Bytes {
  return concat(u32(slot), Uint8Array.of(variant), new Uint8Array(32).fill(slot));
}

async function slotKey(vector: VariantCase): Promise<SlotKey> {
  const prk = await importPrk(hex(vector.slot_key), 'SHA-512');
  return new SlotKey(hex(vector.title), vector.slot, vector.variant, prk);
}

describe('a slot key', () => {
  it.each(cases<VariantCase>('variants'))('names and opens: $name', async (vector) => {
    const title = hex(vector.title);
    const secret = slotKeyBytes(hex(vector.mark_key), title, vector.slot, vector.variant);
    expect(toHex(secret)).toBe(vector.slot_key);
    const key = await slotKey(vector);
    expect(toHex(key.context(vector.rendition))).toBe(vector.role);
    expect(await key.name(vector.rendition)).toBe(vector.object_name);
    const sealed = seal(hex(vector.object_key), new Uint8Array(24), hex(vector.role), utf8('x'));
    const objectKey = await key.objectKey(vector.rendition);
    const opened = await openObject(objectKey, key.context(vector.rendition), sealed);
    expect(new TextDecoder().decode(opened)).toBe('x');
  });

  it('does not open the other variant of its slot', async () => {
    const [a, b] = cases<VariantCase>('variants') as [VariantCase, VariantCase];
    expect([a.slot, a.variant, b.slot, b.variant]).toEqual([0, 1, 0, 2]);
    const sealed = seal(hex(b.object_key), new Uint8Array(24), hex(b.role), utf8('x'));
    const key = await slotKey(a);
    for (const context of [hex(a.role), hex(b.role)]) {
      const opening = openObject(await key.objectKey(1), context, sealed);
      await expect(opening).rejects.toThrow(SealBroken);
    }
  });
});

describe('a variant list', () => {
  it.each(cases<ListCase>('variant-list'))('is read or refused: $name', async (vector) => {
    const key = await ListKey.import(hex(vector.title), hex(vector.list_key));
    expect(await key.name()).toBe(vector.object_name);
    const opening = key.open(hex(vector.sealed));
    if (vector.entries === null) return expect(opening).rejects.toThrow(Malformed);
    const list = await opening;
    expect(list.slotCount).toBe(vector.entries.length);
    for (const { slot, variant, slot_key } of vector.entries) {
      const expected = await importPrk(hex(slot_key), 'SHA-512');
      const found = await list.get(slot);
      expect(found).toMatchObject({ slot, variant });
      const name = await new SlotKey(hex(vector.title), slot, variant, expected).name(3);
      expect(await found?.name(3)).toBe(name);
    }
    expect(list.slotCount).toBe(vector.entries.length);
  });

  it('of another grant or title does not open', async () => {
    const [vector] = cases<ListCase>('variant-list') as [ListCase];
    const otherKey = await ListKey.import(hex(vector.title), new Uint8Array(32));
    const otherTitle = await ListKey.import(new Uint8Array(16), hex(vector.list_key));
    for (const key of [otherKey, otherTitle]) {
      await expect(key.open(hex(vector.sealed))).rejects.toThrow(SealBroken);
    }
  });

  it('has no key for a slot that exists once', async () => {
    const list = VariantList.parse(TITLE, concat(entry(1, 1), entry(3, 2)));
    expect(await list.get(2)).toBeNull();
    expect(await list.get(3)).toMatchObject({ slot: 3, variant: 2 });
  });

  it('hands out one key a slot and wipes its bytes', async () => {
    const bytes = concat(entry(1, 1), entry(3, 2));
    const list = VariantList.parse(TITLE, bytes);
    const [first, second] = await Promise.all([list.get(3), list.get(3)]);
    expect(first).toBe(second);
    expect(toHex(bytes)).toBe(toHex(concat(entry(1, 1), new Uint8Array(ENTRY_BYTES))));
  });

  it('that is refused is wiped', () => {
    const bytes = concat(entry(3, 2), entry(1, 1));
    expect(() => VariantList.parse(TITLE, bytes)).toThrow(Malformed);
    expect(bytes.every((byte) => byte === 0)).toBe(true);
  });

  it('has a most of slots', () => {
    const list = (count: number): Bytes => {
      const bytes = new Uint8Array(count * ENTRY_BYTES);
      const view = new DataView(bytes.buffer);
      for (let slot = 0; slot < count; slot++) {
        view.setUint32(slot * ENTRY_BYTES, slot);
        bytes[slot * ENTRY_BYTES + 4] = 1;
      }
      return bytes;
    };
    expect(VariantList.parse(TITLE, list(MAX_SLOTS)).slotCount).toBe(MAX_SLOTS);
    expect(() => VariantList.parse(TITLE, list(MAX_SLOTS + 1))).toThrow(Malformed);
  });
});
