/**
 * Sealed bodies: the shared vectors open, and whatever differs from what was sealed is refused at
 * its place. Knows no network: the bytes are here already.
 */

import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { toHex, type Bytes } from '../src/vault/bytes';
import {
  ObjectOpener,
  openObject,
  plaintextLength,
  SealBroken,
  sealedLength,
  type SealFault,
} from '../src/vault/cobblestone';
import { importPrk } from '../src/vault/hkdf';
import { patterned, seal } from './sealer';
import { cases, hex } from './vectors';

interface Case {
  name: string;
  key: string;
  context: string;
  salt: string;
  plaintext_length: number;
  sealed: string | null;
  sealed_sha256: string;
}

const KEY = hex('11'.repeat(32));
const SALT = hex('22'.repeat(24));
const CONTEXT = hex('33'.repeat(43));

async function open(sealed: Bytes, context = CONTEXT): Promise<ArrayBuffer> {
  return openObject(await importPrk(KEY.slice(), 'SHA-512'), context, sealed);
}

async function checkFault(sealed: Bytes, fault: SealFault, context = CONTEXT): Promise<void> {
  const error = await open(sealed, context).then(
    () => null,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(SealBroken);
  expect((error as SealBroken).fault).toBe(fault);
}

describe('the shared vectors', () => {
  it.each(cases<Case>('sealed-object'))('open: $name', async (vector) => {
    const plaintext = patterned(vector.plaintext_length);
    const context = hex(vector.context);
    const sealed = seal(hex(vector.key), hex(vector.salt), context, plaintext);
    expect(createHash('sha256').update(sealed).digest('hex')).toBe(vector.sealed_sha256);
    if (vector.sealed !== null) expect(toHex(sealed)).toBe(vector.sealed);
    const key = await importPrk(hex(vector.key), 'SHA-512');
    const opened = await openObject(key, context, sealed);
    expect(Buffer.from(opened).equals(Buffer.from(plaintext))).toBe(true);
  });
});

describe('lengths', () => {
  it.each([0, 1, 16_383, 16_384, 16_385, 32_768, 5_000_000])('agree both ways for %i', (length) => {
    expect(plaintextLength(sealedLength(length))).toBe(length);
    expect(seal(KEY, SALT, CONTEXT, new Uint8Array(length)).length).toBe(sealedLength(length));
  });

  it('of no object are refused', () => {
    for (const length of [0, 55, 56, 71, 56 + 16_400, 56 + 16_400 + 15]) {
      expect(plaintextLength(length)).toBeNull();
    }
  });
});

describe('an object', () => {
  it.each([1, 7, 56, 57, 16_400, 100_000])('opens from pieces of %i bytes', async (step) => {
    const plaintext = patterned(20 * 16_384 + 5);
    const sealed = seal(KEY, SALT, CONTEXT, plaintext);
    const key = await importPrk(KEY.slice(), 'SHA-512');
    const opener = new ObjectOpener(key, CONTEXT, plaintext.length);
    const stride = step === 1 ? 997 : step;
    for (let at = 0; at < sealed.length; at += stride) {
      await opener.push(sealed.subarray(at, at + stride));
    }
    const opened = await opener.finish();
    expect(Buffer.from(opened).equals(Buffer.from(plaintext))).toBe(true);
  });

  it('longer than a player opens is refused before anything is allocated', async () => {
    const key = await importPrk(KEY.slice(), 'SHA-512');
    expect(() => new ObjectOpener(key, CONTEXT, 64 * 1024 * 1024 + 1)).toThrow(SealBroken);
  });
});

describe('a changed object is refused', () => {
  const sealed = seal(KEY, SALT, CONTEXT, patterned(40_000));

  function flipped(at: number): Bytes {
    const changed = sealed.slice();
    changed[at] = (changed[at] as number) ^ 1;
    return changed;
  }

  it('at its commitment, where salt, commitment or role differ', async () => {
    await checkFault(flipped(0), 'commitment');
    await checkFault(flipped(55), 'commitment');
    await checkFault(sealed, 'commitment', hex(`${'33'.repeat(42)}34`));
  });

  it('at its chunk, wherever a byte differs', async () => {
    for (const at of [56, 56 + 16_399, 56 + 16_400, sealed.length - 1]) {
      await checkFault(flipped(at), 'chunk');
    }
  });

  it('where two chunks were swapped', async () => {
    const changed = sealed.slice();
    changed.set(sealed.subarray(56, 56 + 16_400), 56 + 16_400);
    changed.set(sealed.subarray(56 + 16_400, 56 + 32_800), 56);
    await checkFault(changed, 'chunk');
  });

  it('where its end is missing', async () => {
    await checkFault(sealed.slice(0, 56 + 32_800), 'length');
    await checkFault(sealed.slice(0, 56 + 16_400 + 100), 'chunk');
    await checkFault(sealed.slice(0, 30), 'length');
  });

  it('where it is shorter or longer than the manifest says', async () => {
    const key = await importPrk(KEY.slice(), 'SHA-512');
    const short = new ObjectOpener(key, CONTEXT, 40_000);
    await short.push(sealed.subarray(0, sealed.length - 1));
    await expect(short.finish()).rejects.toThrow(SealBroken);
    const long = new ObjectOpener(key, CONTEXT, 40_000);
    await long.push(sealed);
    await expect(long.push(Uint8Array.of(0))).rejects.toThrow(SealBroken);
    const cut = new ObjectOpener(key, CONTEXT, 30_000);
    const all = async () => (
      await cut.push(sealed.subarray(0, sealedLength(30_000))),
      cut.finish()
    );
    await expect(all()).rejects.toThrow(SealBroken);
  });
});
