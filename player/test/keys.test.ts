/**
 * From a link or an identity to an object's key: base64url, Bech32, X-Wing, HPKE, grant, schedule.
 *
 * Held against the shared vectors, and against every way to show the wrong identity, purpose or
 * place. What the keys open is for `cobblestone.test.ts`.
 */

import { describe, expect, it } from 'vitest';
import { decodeBech32 } from '../src/vault/bech32';
import { fromBase64Url, toBase64Url, toHex, utf8 } from '../src/vault/bytes';
import { openGrant, type GrantKeys, type GrantRecord } from '../src/vault/grant';
import { EnvelopeBroken, openEnvelope } from '../src/vault/hpke';
import { identityFromSeed, parseLinkSecret } from '../src/vault/identity';
import { parseIdentityFile } from '../src/vault/identity-text';
import { Malformed } from '../src/vault/json';
import { encodeRole, TitleKey, type Kind } from '../src/vault/role';
import { ListKey } from '../src/vault/variants';
import { BadEncapsulation, isLowOrder, keyFromSeed } from '../src/vault/xwing';
import { seal } from './sealer';
import { cases, hex, type GrantCase } from './vectors';

interface ScheduleCase {
  name: string;
  title: string;
  title_key: string;
  kind: Kind;
  rendition: number;
  index: number;
  role: string;
  object_key: string;
  object_name: string;
}

interface EnvelopeCase {
  name: string;
  seed: string;
  identity: string;
  recipient: string;
  recipient_bytes: string;
  key_id: string;
  info: string;
  aad: string;
  envelope: string;
  payload: string | null;
}

interface LowOrderCase {
  name: string;
  share: string;
  low_order: boolean;
}

interface LinkCase {
  fragment: string;
  bearer: string;
  identity: string;
  key_id: string;
}

describe('the key schedule', () => {
  it.each(cases<ScheduleCase>('key-schedule'))('names and keys: $name', async (vector) => {
    const role = { kind: vector.kind, rendition: vector.rendition, index: vector.index };
    expect(toHex(encodeRole(hex(vector.title), role))).toBe(vector.role);
    const key = await TitleKey.import(hex(vector.title), hex(vector.title_key));
    expect(await key.name(role)).toBe(vector.object_name);
    // The object key can't be read back: it is right if it opens what was sealed under it.
    const sealed = seal(hex(vector.object_key), new Uint8Array(24), hex(vector.role), utf8('x'));
    const { openObject } = await import('../src/vault/cobblestone');
    const opened = await openObject(await key.objectKey(role), hex(vector.role), sealed);
    expect(new TextDecoder().decode(opened)).toBe('x');
  });

  it('wipes the title key that it imports', async () => {
    const secret = hex('5a'.repeat(32));
    await TitleKey.import(hex('a5'.repeat(16)), secret);
    expect(secret.every((byte) => byte === 0)).toBe(true);
  });
});

describe('an envelope', () => {
  const [good, lowOrder] = cases<EnvelopeCase>('envelope') as [EnvelopeCase, EnvelopeCase];

  it('opens for its identity', async () => {
    const identity = await identityFromSeed(hex(good.seed));
    expect(toHex(identity.key.recipient)).toBe(good.recipient_bytes);
    expect(identity.keyId).toBe(good.key_id);
    const args = [utf8(good.info), hex(good.aad), hex(good.envelope)] as const;
    expect(toHex(await openEnvelope(identity.key, ...args))).toBe(good.payload);
  });

  it('is refused for another purpose, place or identity, or where a byte differs', async () => {
    const key = await keyFromSeed(hex(good.seed));
    const other = await keyFromSeed(hex('78'.repeat(32)));
    const [info, aad, envelope] = [utf8(good.info), hex(good.aad), hex(good.envelope)];
    const flipped = envelope.slice();
    flipped[5] = (flipped[5] as number) ^ 1;
    for (const attempt of [
      () => openEnvelope(key, utf8('veilcast/title-key/v1'), aad, envelope),
      () => openEnvelope(key, info, aad.slice(1), envelope),
      () => openEnvelope(other, info, aad, envelope),
      () => openEnvelope(key, info, aad, flipped),
      () => openEnvelope(key, info, aad, envelope.slice(0, 1000)),
    ]) {
      await expect(attempt()).rejects.toThrow(EnvelopeBroken);
    }
  });

  it('with a share of low order is refused before its secret is used', async () => {
    expect(lowOrder.payload).toBeNull();
    const key = await keyFromSeed(hex(lowOrder.seed));
    const encapsulation = hex(lowOrder.envelope).slice(0, 1120);
    await expect(key.decapsulate(encapsulation)).rejects.toThrow(BadEncapsulation);
  });

  it.each(cases<LowOrderCase>('low-order'))('is judged by its share: $name', (vector) => {
    expect(isLowOrder(hex(vector.share))).toBe(vector.low_order);
  });
});

describe('a link', () => {
  const [vector] = cases<LinkCase>('link') as [LinkCase];

  it('gives its bearer and its identity', async () => {
    const secret = await parseLinkSecret(vector.fragment);
    expect(secret?.bearer).toBe(vector.bearer);
    expect((await secret?.identity())?.keyId).toBe(vector.key_id);
    const seed = parseIdentityFile(vector.identity);
    expect(seed && (await identityFromSeed(seed)).keyId).toBe(vector.key_id);
  });

  it('that is cut, too long or no base64url gives nothing', async () => {
    const whole = vector.fragment;
    for (const fragment of [
      '',
      whole.slice(1),
      `${whole}A`,
      whole.replace('A', '+'),
      `${whole}=`,
    ]) {
      expect(await parseLinkSecret(fragment)).toBeNull();
    }
    // The last character's two unused bits must be zero.
    expect(whole.endsWith('8')).toBe(true);
    expect(await parseLinkSecret(`${whole.slice(0, -1)}9`)).toBeNull();
  });
});

describe('a grant', () => {
  const [vector] = cases<GrantCase>('grant') as [GrantCase];
  const [marked] = cases<GrantCase>('grant-marked') as [GrantCase];

  function recordOf(given: GrantCase): GrantRecord {
    return {
      id: given.grant,
      title: given.title,
      epoch: given.epoch,
      kind: 'link',
      recipient: given.recipient,
      expiresMs: Date.parse(given.expires),
      index: '0'.repeat(32),
      preload: [],
      envelope: fromBase64Url(given.envelope) ?? new Uint8Array(0),
    };
  }

  async function open(given: GrantCase, changed: Partial<GrantRecord> = {}): Promise<GrantKeys> {
    const identity = await (await parseLinkSecret(given.fragment))?.identity();
    if (identity === undefined) throw new Error('the vector has no identity');
    return openGrant({ ...recordOf(given), ...changed }, identity);
  }

  it.each([vector, marked])('gives the title key: $name', async (given) => {
    const expected = await TitleKey.import(hex(given.title), hex(given.title_key));
    const role = { kind: 2, rendition: 1, index: 7 } as const;
    const { title } = await open(given);
    expect(await title.name(role)).toBe(await expected.name(role));
  });

  it('of a marked title gives the key of a variant list, and only that one', async () => {
    expect((await open(vector)).variants).toBeNull();
    const { variants } = await open(marked);
    expect(await variants?.name()).toBe(marked.list_name);
    const expected = await ListKey.import(hex(marked.title), hex(marked.list_key ?? ''));
    expect(await expected.name()).toBe(marked.list_name);
  });

  it('is bound to its ids and its epoch', async () => {
    for (const changed of [
      { id: '5'.repeat(32) },
      { title: '5'.repeat(32) },
      { epoch: 2 },
      { recipient: '5'.repeat(32) },
    ]) {
      await expect(open(vector, changed)).rejects.toThrow(EnvelopeBroken);
    }
  });

  it('whose record was given another end is refused', async () => {
    const expiresMs = Date.parse(vector.expires) + 1000;
    await expect(open(vector, { expiresMs: null })).rejects.toThrow(Malformed);
    await expect(open(vector, { expiresMs })).rejects.toThrow(Malformed);
  });
});

describe('Bech32', () => {
  const { identity, recipient, recipient_bytes } = cases<EnvelopeCase>('envelope')[0]!;

  it('decodes identities and recipients', () => {
    expect(decodeBech32(identity)?.prefix).toBe('age-secret-key-pq-');
    expect(decodeBech32(recipient)).toMatchObject({ prefix: 'age1pq' });
    expect(toHex(decodeBech32(recipient)!.bytes)).toBe(recipient_bytes);
  });

  it('decodes the valid strings of BIP 173', () => {
    for (const text of ['A12UEL5L', 'a12uel5l', 'abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw']) {
      expect(decodeBech32(text)).not.toBeNull();
    }
  });

  it('refuses a changed character, mixed case and texts without a prefix', () => {
    expect(decodeBech32(identity.replace('WAMH', 'WAMG'))).toBeNull();
    expect(decodeBech32(identity.replace('AGE', 'age'))).toBeNull();
    for (const text of ['', '1nwldj5', '10a06t8', 'x1b4n0q5v', 'li1dgmt3', 'A1G7SGD8', 'nothing']) {
      expect(decodeBech32(text)).toBeNull();
    }
  });
});

describe('an identity file', () => {
  const { identity, seed, recipient } = cases<EnvelopeCase>('envelope')[0]!;

  it('may have comments, empty lines and other line ends', () => {
    const text = `# created: today\r\n# public key: ${recipient}\r\n\r\n${identity}\r\n`;
    expect(toHex(parseIdentityFile(text)!)).toBe(seed);
  });

  it('without exactly one identity is refused', () => {
    for (const text of ['', '# nothing', `${identity}\n${identity}`, recipient, 'hello']) {
      expect(parseIdentityFile(text)).toBeNull();
    }
  });
});

describe('base64url', () => {
  it('is read as it is written', () => {
    for (let length = 0; length < 70; length++) {
      const bytes = Uint8Array.from({ length }, (_, i) => (i * 37) & 0xff);
      expect(fromBase64Url(toBase64Url(bytes))).toEqual(bytes);
    }
  });
});
