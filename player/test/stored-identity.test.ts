/**
 * Identities at rest: each lock opens with what belongs to it and with nothing else, secrets are wiped, and a person is asked
 * for the right thing. The database is for `e2e`.
 */

import { describe, expect, it, vi } from 'vitest';
import type { IdentityQuestion } from '../src/protocol';
import { utf8, type Bytes } from '../src/vault/bytes';
import { bringIdentity, type Brought } from '../src/vault/identity-file';
import { parseIdentityFile } from '../src/vault/identity-text';
import {
  bringSeed,
  openIdentity,
  relock,
  sealIdentity,
  StoredIdentityBroken,
  type StoredIdentity,
  type WantedLock,
} from '../src/vault/stored-identity';
import { CHEAP, lock } from './locked';
import { cases, hex } from './vectors';

const [VECTOR] = cases<{ identity: string; key_id: string }>('envelope') as [
  { identity: string; key_id: string },
];
const seed = (): Bytes => parseIdentityFile(VECTOR.identity) as Bytes;
const secret = (): Bytes => hex('3c'.repeat(32));
const PASSKEY = { credential: utf8('a credential'), salt: hex('aa'.repeat(32)) };
const byPasskey = (): WantedLock => ({ kind: 'passkey', ...PASSKEY, secret: secret() });
const byPassphrase = (text = 'correct horse'): WantedLock => ({
  kind: 'passphrase',
  passphrase: utf8(text),
  cost: CHEAP,
});
const seal = (wanted: WantedLock): Promise<StoredIdentity> =>
  sealIdentity(VECTOR.key_id, seed(), wanted);

const isWiped = (bytes: Uint8Array): boolean => bytes.every((byte) => byte === 0);

describe('a stored identity', () => {
  it('opens on its device without a word, by a key that no script can read', async () => {
    const stored = await seal({ kind: 'device' });
    expect((await openIdentity(stored, null)).keyId).toBe(VECTOR.key_id);
    if (stored.lock.kind !== 'device') throw new Error('another lock');
    expect(stored.lock.key.extractable).toBe(false);
    expect(stored.sealed).toHaveLength(48);
    expect(stored).not.toHaveProperty('seed');
  });

  it('opens with its passkey’s secret and with no other', async () => {
    const stored = await seal(byPasskey());
    expect((await openIdentity(stored, { secret: secret() })).keyId).toBe(VECTOR.key_id);
    for (const wrong of [
      { secret: hex('3d'.repeat(32)) },
      { secret: hex('3c'.repeat(31)) },
      null,
    ]) {
      await expect(openIdentity(stored, wrong)).rejects.toThrow(StoredIdentityBroken);
    }
  });

  it('opens with its passphrase and with no other', async () => {
    const stored = await seal(byPassphrase());
    const right = { passphrase: utf8('correct horse') };
    const onProgress = vi.fn();
    expect((await openIdentity(stored, right, onProgress)).keyId).toBe(VECTOR.key_id);
    expect(onProgress).toHaveBeenLastCalledWith(1);
    const wrong = openIdentity(stored, { passphrase: utf8('correct hors') });
    await expect(wrong).rejects.toThrow(StoredIdentityBroken);
    await expect(openIdentity(stored, { secret: secret() })).rejects.toThrow(StoredIdentityBroken);
  });

  it('is bound to its identity, to its lock and to every bit', async () => {
    const stored = await seal({ kind: 'device' });
    if (stored.lock.kind !== 'device') throw new Error('another lock');
    const other: StoredIdentity = { ...stored, keyId: '0'.repeat(32) };
    await expect(openIdentity(other, null)).rejects.toThrow(StoredIdentityBroken);
    const changed: StoredIdentity = { ...stored, sealed: stored.sealed.slice() };
    changed.sealed[0] = (changed.sealed[0] as number) ^ 1;
    await expect(openIdentity(changed, null)).rejects.toThrow(StoredIdentityBroken);
    const passkey = await seal(byPasskey());
    const moved: StoredIdentity = { ...passkey, lock: stored.lock };
    await expect(openIdentity(moved, null)).rejects.toThrow(StoredIdentityBroken);
  });

  it('leaves no seed and no secret behind', async () => {
    const [seedBytes, prf, passphrase] = [seed(), secret(), utf8('correct horse')];
    await sealIdentity(VECTOR.key_id, seedBytes, { kind: 'passkey', ...PASSKEY, secret: prf });
    await sealIdentity(VECTOR.key_id, seed(), {
      kind: 'passphrase',
      passphrase,
      cost: CHEAP,
    });
    expect([seedBytes, prf, passphrase].every(isWiped)).toBe(true);
    const again = secret();
    await openIdentity(await seal(byPasskey()), { secret: again });
    expect(isWiped(again)).toBe(true);
  });

  it('is made of one that was just brought, under any lock', async () => {
    const { identity, kept } = await bringSeed(seed());
    if (kept === null) throw new Error('nothing was kept');
    expect(identity.keyId).toBe(VECTOR.key_id);
    expect((await openIdentity(await relock(kept, { kind: 'device' }), null)).keyId).toBe(
      VECTOR.key_id,
    );
    const passkey = await relock(kept, byPasskey());
    expect((await openIdentity(passkey, { secret: secret() })).keyId).toBe(VECTOR.key_id);
  });
});

describe('a person with an identity on the device', () => {
  async function bring(stored: StoredIdentity, ...all: Brought[]) {
    const questions: IdentityQuestion[] = [];
    const ask = async (question: IdentityQuestion): Promise<Brought> => {
      questions.push(question);
      return all.shift() as Brought;
    };
    const { identity, kept } = await bringIdentity(ask, null, stored);
    expect(identity.keyId).toBe(VECTOR.key_id);
    return { questions, kept };
  }

  it('is asked for the passkey, and may bring a file instead', async () => {
    const stored = await seal(byPasskey());
    const { questions, kept } = await bring(stored, { secret: secret() });
    expect(questions).toEqual([
      { wants: 'passkey', isStored: true, passkey: PASSKEY, refused: null },
    ]);
    expect(kept).toBeNull();
    const file = { file: new Blob([VECTOR.identity]) };
    const other = await bring(stored, { secret: hex('3d'.repeat(32)) }, file);
    expect(other.questions[1]).toEqual({ wants: 'file', refused: { code: 'identity-damaged' } });
    expect(other.kept?.keyId).toBe(VECTOR.key_id);
  });

  it('is asked for the passphrase until it is right', async () => {
    const stored = await seal(byPassphrase());
    const tries = ['', 'correct hors', 'correct horse'].map((text) => ({ passphrase: utf8(text) }));
    const { questions } = await bring(stored, ...tries);
    expect(
      questions.map(({ wants, isStored, refused }) => [wants, isStored, refused?.code]),
    ).toEqual([
      ['passphrase', true, undefined],
      ['passphrase', true, 'passphrase-wrong'],
      ['passphrase', true, 'passphrase-wrong'],
    ]);
    expect(tries.every(({ passphrase }) => isWiped(passphrase))).toBe(true);
  });

  it('who brings a locked file is asked for that file’s passphrase', async () => {
    const file = { file: new Blob([lock(VECTOR.identity, 'another')]) };
    const { questions } = await bring(await seal(byPasskey()), file, {
      passphrase: utf8('another'),
    });
    expect(questions[1]).toEqual({ wants: 'passphrase', refused: null });
  });
});
