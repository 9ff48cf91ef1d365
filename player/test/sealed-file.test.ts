/**
 * Sealed files: the shared vectors open or are refused by name, limits hold before anything is
 * paid, and a passphrase at the default cost gives what another implementation of Argon2id gives.
 */

import { describe, expect, it } from 'vitest';
import { utf8, type Bytes } from '../src/vault/bytes';
import { MAX_PASSPHRASE_BYTES } from '../src/vault/passphrase';
import {
  FileRefused,
  isSealedFile,
  MAX_BODY_BYTES,
  openSealedFile,
  wantsPassphrase,
  type FileFault,
} from '../src/vault/sealed-file';
import { keyFromSeed, type XWingKey } from '../src/vault/xwing';
import { CHEAP, DEFAULT, HALF_BYTES, lock, sum, type Cost } from './locked';
import { patterned } from './sealer';
import { cases, hex } from './vectors';

interface Case {
  name: string;
  half_bytes: number;
  halves: string[];
  body: string;
  identities: string[];
  passphrase: string | null;
  opened: { plaintext_length: number; recipients: string[]; sequence: number } | null;
  refused: FileFault | null;
}

const PASSPHRASE = 'correct horse – 電池';

/** Puts a vector's file together: its halves are written without the zeros at their ends. */
function fileOf({ half_bytes, halves, body }: Case): Bytes {
  const bodyBytes = hex(body);
  const file = new Uint8Array(2 * half_bytes + bodyBytes.length);
  halves.forEach((half, at) => file.set(hex(half), at * half_bytes));
  file.set(bodyBytes, 2 * half_bytes);
  return file;
}

async function open(file: Bytes, passphrase: string | null, identities: XWingKey[] = []) {
  const keys = { identities, passphrase: passphrase === null ? null : utf8(passphrase) };
  return openSealedFile(file, keys);
}

async function faultOf(work: Promise<unknown>): Promise<FileFault | null> {
  return work.then(
    () => null,
    (error: unknown) => {
      if (error instanceof FileRefused) return error.fault;
      throw error;
    },
  );
}

/** A locked file whose stanza says another cost than was paid, its checksum made right. */
function claiming(cost: Partial<Cost>): Bytes {
  const file = lock('text', PASSPHRASE);
  const { memoryKib, passes, lanes } = { ...CHEAP, ...cost };
  const view = new DataView(file.buffer, 64 + 16);
  [memoryKib, passes, lanes].forEach((value, at) => view.setUint32(4 * at, value));
  sum(file);
  return file;
}

describe('the shared vectors', () => {
  const vectors = cases<Case>('sealed-file');

  it.each(vectors)('hold: $name', async (vector) => {
    const identities = await Promise.all(vector.identities.map((seed) => keyFromSeed(hex(seed))));
    const opening = open(fileOf(vector), vector.passphrase, identities);
    expect(await faultOf(opening)).toBe(vector.refused);
    if (vector.opened === null) return;
    const { plaintext, recipients, sequence } = await opening;
    const { plaintext_length, ...told } = vector.opened;
    expect(Buffer.from(plaintext).equals(Buffer.from(patterned(plaintext_length)))).toBe(true);
    expect({ recipients, sequence: Number(sequence) }).toEqual(told);
  });

  it('are told apart by whether a passphrase may open them', async () => {
    const wanting = [];
    for (const vector of vectors.filter(({ opened }) => opened !== null)) {
      if (await wantsPassphrase(fileOf(vector))) wanting.push(vector.name);
    }
    expect(wanting).toEqual(['a passphrase alone', 'a passphrase beside a recipient']);
  });
});

describe('a sealed file', () => {
  it('is told by how it begins, also in another version', () => {
    expect(isSealedFile(lock('', PASSPHRASE))).toBe(true);
    expect(isSealedFile(utf8('veilcast/file/v2 and more'))).toBe(true);
    for (const text of ['', 'veilcast/file', 'AGE-SECRET-KEY-PQ-1', 'age-encryption.org/v1\n']) {
      expect(isSealedFile(utf8(text))).toBe(false);
    }
  });

  it('that ends too early is refused, wherever it ends', async () => {
    const file = lock('text', PASSPHRASE);
    for (const [length, fault] of [
      [0, 'not-sealed'],
      [19, 'not-sealed'],
      [20, 'body'],
      [2 * HALF_BYTES - 1, 'body'],
      [2 * HALF_BYTES, 'body'],
      [file.length - 1, 'body'],
    ] as const) {
      expect(await faultOf(open(file.slice(0, length), PASSPHRASE))).toBe(fault);
    }
  });

  it('whose keyring has no possible size is refused before its halves are read', async () => {
    for (const size of [0, 1, 4095, 4097, 2_097_152 + 4096, 0xffff_ffff]) {
      const file = lock('text', PASSPHRASE);
      new DataView(file.buffer).setUint32(16, size);
      expect(await faultOf(open(file, PASSPHRASE))).toBe('keyring');
    }
  });

  it('with something after its directory is refused, the checksum made right', async () => {
    const file = lock('text', PASSPHRASE);
    sum(file);
    expect(await faultOf(open(file, PASSPHRASE))).toBeNull();
    file[HALF_BYTES - 1] = 1;
    sum(file);
    expect(await faultOf(open(file, PASSPHRASE))).toBe('keyring');
  });

  it('whose halves are both whole opens by the one that was written later', async () => {
    const name = 'both halves whole: the higher counts';
    const vector = cases<Case>('sealed-file').find((one) => one.name === name)!;
    const first = await keyFromSeed(hex('01'.repeat(32)));
    expect((await open(fileOf(vector), null, [first])).sequence).toBe(2n);
  });

  it('with a changed byte anywhere in its keyring is refused', async () => {
    const whole = lock('text', PASSPHRASE);
    for (let at = 0; at < HALF_BYTES; at += at < 300 ? 1 : 97) {
      const file = whole.slice();
      file[at] = (file[at] as number) ^ 0x10;
      expect(await faultOf(open(file, PASSPHRASE)), `byte ${at}`).not.toBeNull();
    }
  });

  it('longer than is held in memory is refused before a passphrase is tried', async () => {
    const file = lock('text', PASSPHRASE);
    const long = new Uint8Array(2 * HALF_BYTES + MAX_BODY_BYTES + 1);
    long.set(file);
    expect(await faultOf(open(long, PASSPHRASE))).toBe('too-long');
    expect(await faultOf(open(long.slice(0, -1), PASSPHRASE))).toBe('body');
  });
});

describe('a passphrase', () => {
  it('opens what it locked, and another spelling of it does not', async () => {
    const file = lock('text', PASSPHRASE);
    const { plaintext, recipients } = await open(file, PASSPHRASE);
    expect(Buffer.from(plaintext).toString()).toBe('text');
    expect(recipients).toEqual([]);
    for (const wrong of [`${PASSPHRASE} `, PASSPHRASE.toUpperCase(), PASSPHRASE.slice(1)]) {
      expect(await faultOf(open(file, wrong))).toBe('passphrase');
    }
  });

  it('that is empty or endless is refused', async () => {
    const most = 'x'.repeat(MAX_PASSPHRASE_BYTES);
    expect(await faultOf(open(lock('text', most), most))).toBeNull();
    for (const wrong of ['', `${most}x`]) {
      expect(await faultOf(open(lock('text', wrong), wrong))).toBe('passphrase');
    }
  });

  it('with a cost beyond the limits is refused before it is paid', async () => {
    for (const cost of [
      { memoryKib: 1_048_577 },
      { passes: 17 },
      { lanes: 17, memoryKib: 1024 },
      { passes: 0 },
      { lanes: 0 },
      { memoryKib: 7 },
    ]) {
      expect(await faultOf(open(claiming(cost), PASSPHRASE)), JSON.stringify(cost)).toBe('keyring');
    }
    expect(await faultOf(open(claiming({ passes: 2 }), PASSPHRASE))).toBe('passphrase');
  });

  it('tells how far it is, from nothing to everything', async () => {
    const seen: number[] = [];
    await openSealedFile(lock('text', PASSPHRASE, { memoryKib: 1024, passes: 2, lanes: 2 }), {
      identities: [],
      passphrase: utf8(PASSPHRASE),
      onProgress: (done) => seen.push(done),
    });
    expect(seen.length).toBeGreaterThan(100);
    expect(seen).toEqual(seen.toSorted((a, b) => a - b));
    expect(seen[0]).toBeLessThan(0.01);
    expect(seen.at(-1)).toBe(1);
  });

  it('at the default cost gives the key that another Argon2id gives, in seconds', async () => {
    // What PyPI's cryptography (OpenSSL's Argon2id) makes of the passphrase, salt and cost.
    const key = hex('a597a7f55c7f67513ee99ad9fb43d35f8b4c4a4676410c49bcf5163910555b1f');
    const { plaintext } = await open(lock('text', PASSPHRASE, DEFAULT, key), PASSPHRASE);
    expect(Buffer.from(plaintext).toString()).toBe('text');
  }, 60_000);
});
