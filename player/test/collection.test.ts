/**
 * Collections: the shared vectors, each of which opens as far as it says.
 */

import { describe, expect, it } from 'vitest';
import { SealBroken } from '../src/vault/cobblestone';
import { EpochKey } from '../src/vault/collection';
import { EnvelopeBroken } from '../src/vault/hpke';
import { identityFromSeed } from '../src/vault/identity';
import { parseIdentityFile } from '../src/vault/identity-text';
import { Malformed } from '../src/vault/json';
import { TitleKey } from '../src/vault/role';
import { cases, hex } from './vectors';

interface CollectionCase {
  name: string;
  identity: string;
  recipient: string;
  collection: string;
  epoch: number;
  envelope: string;
  epoch_key: string | null;
  title: string;
  wrapped: string;
  title_key: string | null;
}

const ROLE = { kind: 2, rendition: 1, index: 7 } as const;

async function open(vector: CollectionCase): Promise<EpochKey> {
  const identity = await identityFromSeed(parseIdentityFile(vector.identity)!);
  expect(identity.keyId).toBe(vector.recipient);
  const of = { collection: hex(vector.collection), epoch: vector.epoch };
  return EpochKey.open(of, identity, hex(vector.envelope));
}

describe('a collection', () => {
  it.each(cases<CollectionCase>('collection'))('$name', async (vector) => {
    if (vector.epoch_key === null) return expect(open(vector)).rejects.toThrow(EnvelopeBroken);
    const unwrapping = (await open(vector)).titleKey(hex(vector.title), hex(vector.wrapped));
    if (vector.title_key === null) {
      const error: unknown = await unwrapping.catch((thrown: unknown) => thrown);
      const expected = vector.wrapped.length === 2 * 104 ? SealBroken : Malformed;
      return expect(error).toBeInstanceOf(expected);
    }
    const expected = await TitleKey.import(hex(vector.title), hex(vector.title_key));
    expect(await (await unwrapping).name(ROLE)).toBe(await expected.name(ROLE));
  });
});
