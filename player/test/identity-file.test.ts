/**
 * A person brings identity files, plain and locked, and passphrases: what is asked for next, what
 * is said of what was brought, and what is wiped. The formats are for the other files.
 */

import { describe, expect, it, vi } from 'vitest';
import type { IdentityQuestion } from '../src/protocol';
import { utf8, type Bytes } from '../src/vault/bytes';
import type { Identity } from '../src/vault/identity';
import { bringIdentity, type Brought } from '../src/vault/identity-file';
import { CHEAP, HALF_BYTES, lock } from './locked';
import { cases, hex } from './vectors';

const [VECTOR] = cases<{ identity: string; key_id: string }>('envelope') as [
  { identity: string; key_id: string },
];
const TEXT = `# mine\n${VECTOR.identity}\n`;
const PASSPHRASE = 'correct horse';

const file = (content: string | Bytes): Brought => ({ file: new Blob([content]) });
const passphrase = (text: string): Brought => ({ passphrase: utf8(text) });

/** Brings one thing after the other; returns the identity and every question, as `wants: why`. */
async function bring(...all: Brought[]): Promise<{ identity: Identity; questions: string[] }> {
  const questions: string[] = [];
  const rest = all.slice();
  const ask = async ({ wants, refused }: IdentityQuestion): Promise<Brought> => {
    questions.push(refused === null ? wants : `${wants}: ${refused.code}`);
    const next = rest.shift();
    if (next === undefined) throw new Error(`nothing left to bring: ${questions.join(', ')}`);
    return next;
  };
  const { identity } = await bringIdentity(ask, null, null);
  expect(rest).toEqual([]);
  return { identity, questions };
}

async function checkQuestions(all: Brought[], expected: string[]): Promise<void> {
  const { identity, questions } = await bring(...all);
  expect(questions).toEqual(expected);
  expect(identity.keyId).toBe(VECTOR.key_id);
}

describe('an identity file', () => {
  it('in plain text is taken at once', () => checkQuestions([file(TEXT)], ['file']));

  it('that is none is told, and asked for again', () =>
    checkQuestions(
      [file('Dear Sir or Madam'), file(`${TEXT}#${'x'.repeat(64 * 1024)}`), file(TEXT)],
      ['file', 'file: identity-unreadable', 'file: identity-unreadable'],
    ));

  it('that is locked asks for its passphrase until it is right', () =>
    checkQuestions(
      [
        file(lock(TEXT, PASSPHRASE)),
        passphrase('correct hors'),
        passphrase(''),
        passphrase(PASSPHRASE),
      ],
      ['file', 'passphrase', 'passphrase: passphrase-wrong', 'passphrase: passphrase-wrong'],
    ));

  it('may be exchanged for another while a passphrase is asked for', () =>
    checkQuestions(
      [file(lock('another', 'another')), passphrase('x'), file(TEXT)],
      ['file', 'passphrase', 'passphrase: passphrase-wrong'],
    ));

  it('with something else inside is told once it is open', () =>
    checkQuestions(
      [file(lock('Dear Sir or Madam', PASSPHRASE)), passphrase(PASSPHRASE), file(TEXT)],
      ['file', 'passphrase', 'file: identity-unreadable'],
    ));

  it('that is damaged or of another version is told', () => {
    const torn = lock(TEXT, PASSPHRASE);
    torn[40] = (torn[40] as number) ^ 1;
    const cut = lock(TEXT, PASSPHRASE).slice(0, -1);
    const newer = lock(TEXT, PASSPHRASE);
    newer[15] = '2'.charCodeAt(0);
    return checkQuestions(
      [file(torn), file(newer), file(cut), passphrase(PASSPHRASE), file(TEXT)],
      [
        'file',
        'file: identity-damaged',
        'file: identity-newer',
        'passphrase',
        'file: identity-damaged',
      ],
    );
  });

  it('that was sealed for identities alone is told', () => {
    const vector = cases<{ halves: string[]; body: string }>('sealed-file')[0]!;
    const sealed = new Uint8Array(2 * HALF_BYTES + 200);
    vector.halves.forEach((half, at) => sealed.set(hex(half), at * HALF_BYTES));
    return checkQuestions(
      [file(sealed), file(TEXT)],
      ['file', 'file: identity-without-passphrase'],
    );
  });

  it('that can no longer be read is told', () => {
    const gone = { file: { size: 1, arrayBuffer: () => Promise.reject(new Error('gone')) } };
    const brought = gone as unknown as Brought;
    return checkQuestions([brought, file(TEXT)], ['file', 'file: identity-unreadable']);
  });

  it('for which memory runs out may be tried again', async () => {
    const words = (CHEAP.memoryKib * 1024) / 4;
    let isShort = true;
    const construct = (target: typeof Uint32Array, args: [number]): Uint32Array => {
      if (args[0] !== words || !isShort) return Reflect.construct(target, args);
      isShort = false;
      throw new RangeError('Array buffer allocation failed');
    };
    const locked = file(lock(TEXT, PASSPHRASE));
    vi.stubGlobal('Uint32Array', new Proxy(Uint32Array, { construct }));
    try {
      await checkQuestions(
        [locked, passphrase(PASSPHRASE), passphrase(PASSPHRASE)],
        ['file', 'passphrase', 'passphrase: memory-short'],
      );
    } finally {
      vi.unstubAllGlobals();
    }
  });
});

describe('a passphrase', () => {
  it('is wiped once it was tried, right or wrong', async () => {
    const [wrong, right] = [utf8('wrong'), utf8(PASSPHRASE)];
    await bring(file(lock(TEXT, PASSPHRASE)), { passphrase: wrong }, { passphrase: right });
    expect([...wrong, ...right].every((byte) => byte === 0)).toBe(true);
  });

  it('that comes without a locked file is not taken for one', () =>
    checkQuestions([passphrase('x'), file(TEXT)], ['file', 'file']));
});
