/**
 * The player's own cryptographic code held to others: Wycheproof, and age's identities live.
 *
 * What WebCrypto and `@noble/post-quantum` do inside is theirs; the browser's answer is for `e2e`.
 */

import { createHash, createHmac } from 'node:crypto';
import { inflateSync } from 'node:zlib';
import { generateHybridIdentity, identityToRecipient } from 'age-encryption';
import { describe, expect, it } from 'vitest';
import { decodeBech32 } from '../src/vault/bech32';
import { toHex } from '../src/vault/bytes';
import { openObject } from '../src/vault/cobblestone';
import { expand, importPrk, type Hash } from '../src/vault/hkdf';
import { parseIdentityFile } from '../src/vault/identity-text';
import { isLowOrder, keyFromSeed } from '../src/vault/xwing';
import { hex } from './vectors';
import { wycheproof, type WycheproofCase } from './wycheproof';

interface ObjectCase extends WycheproofCase {
  key: string;
  ctx: string;
  ct: string;
  msgLength?: number;
  msgSha512?: string;
}

describe('Cobblestone-256', () => {
  const all = wycheproof<ObjectCase>('c2sp_chunked_encryption_aes_256_gcm', 35);
  // Keys of another size can't be said here: `role.ts` derives 32 bytes and nobody brings any.
  const ours = all.filter((vector) => !vector.flags.includes('InvalidKeySize'));

  it('leaves out only the keys of a wrong size', () => {
    expect(all.length - ours.length).toBeLessThanOrEqual(2);
  });

  it.each(ours)('$tcId: $comment', async (vector) => {
    const key = await importPrk(hex(vector.key), 'SHA-512');
    const sealed = new Uint8Array(inflateSync(hex(vector.ct)));
    const opened = openObject(key, hex(vector.ctx), sealed);
    if (vector.result === 'invalid') {
      await expect(opened).rejects.toThrow('does not open');
      return;
    }
    const plaintext = new Uint8Array(await opened);
    expect(plaintext.length).toBe(vector.msgLength);
    expect(createHash('sha512').update(plaintext).digest('hex')).toBe(vector.msgSha512);
  });
});

interface HkdfCase extends WycheproofCase {
  ikm: string;
  salt: string;
  info: string;
  size: number;
  okm: string;
}

describe('HKDF-Expand', () => {
  it.each<[string, Hash, string]>([
    ['hkdf_sha256', 'SHA-256', 'sha256'],
    ['hkdf_sha512', 'SHA-512', 'sha512'],
  ])('%s', async (name, hash, node) => {
    // More than 255 blocks, which Wycheproof wants refused, are never asked for: lengths are constants.
    const ours = wycheproof<HkdfCase>(name, 83).filter((vector) => vector.result === 'valid');
    for (const vector of ours) {
      const prk = createHmac(node, hex(vector.salt)).update(hex(vector.ikm)).digest();
      const key = await importPrk(new Uint8Array(prk), hash);
      const okm = await expand(key, hex(vector.info), vector.size, hash);
      expect(toHex(okm), `case ${vector.tcId}`).toBe(vector.okm);
    }
  });
});

describe('points of low order', () => {
  it('are those that give Wycheproof a shared secret of zeros, and no others', () => {
    const vectors = wycheproof<WycheproofCase & { public: string; shared: string }>('x25519', 518);
    for (const vector of vectors) {
      const isZero = /^0+$/.test(vector.shared);
      expect(isLowOrder(hex(vector.public)), `case ${vector.tcId}`).toBe(isZero);
    }
  });
});

describe('identities of age', () => {
  it.each([1, 2, 3, 4])('are read as age reads them (%i)', async () => {
    const text = await generateHybridIdentity();
    const seed = parseIdentityFile(`# made by age\n${text}\n`);
    expect(seed).not.toBeNull();
    const recipient = decodeBech32(await identityToRecipient(text));
    expect(recipient?.prefix).toBe('age1pq');
    expect(toHex(recipient!.bytes)).toBe(toHex((await keyFromSeed(seed!)).recipient));
  });
});
