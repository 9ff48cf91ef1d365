/**
 * From a link to its keys: fetch the grant, find the identity, open the envelope.
 *
 * Specification: docs/format/grant.md. Knows nothing of media. Invariant: keys are returned
 * only for a grant that has not ended by either clock and whose record names the objects that its
 * keys themselves name.
 */

import { PlayerFailure } from '../failure';
import type { Connection } from './connection';
import type { Gateway } from './gateway';
import { isExpired, openGrant, type GrantAnswer, type GrantKeys, type GrantRecord } from './grant';
import { EnvelopeBroken } from './hpke';
import type { Identity, LinkSecret } from './identity';
import { Malformed } from './json';
import { Kind } from './role';
import { placeOf, type UnwrapCache } from './unwrap-cache';

/** Asks the viewer for an identity; `wrong` tells that the one before did not fit. */
export type AskIdentity = (recipient: string, wrong: boolean) => Promise<Identity>;

async function identityOfLink(record: GrantRecord, link: LinkSecret): Promise<Identity> {
  const identity = await link.identity();
  if (identity.keyId === record.recipient) return identity;
  identity.key.destroy();
  throw new PlayerFailure('secret-wrong');
}

async function askFor(record: GrantRecord, ask: AskIdentity): Promise<Identity> {
  for (let wrong = false; ; wrong = true) {
    const identity = await ask(record.recipient, wrong);
    if (identity.keyId === record.recipient) return identity;
    identity.key.destroy();
  }
}

async function open(record: GrantRecord, identity: Identity): Promise<GrantKeys> {
  try {
    return await openGrant(record, identity);
  } catch (cause) {
    if (cause instanceof EnvelopeBroken || cause instanceof Malformed) {
      throw new PlayerFailure('tampered', 'the grant', { cause });
    }
    throw cause;
  } finally {
    identity.key.destroy();
  }
}

/** Opens an envelope, or remembers what was in it; in both cases the identity is let go. */
async function openOnce(
  record: GrantRecord,
  identity: Identity,
  cache: UnwrapCache | null,
  holder: string,
): Promise<GrantKeys> {
  if (cache === null) return open(record, identity);
  const place = await placeOf(record, holder);
  const known = cache.get(place);
  if (known !== null) {
    identity.key.destroy();
    return known;
  }
  const keys = await open(record, identity);
  cache.put(place, keys);
  return keys;
}

async function keysOf(
  record: GrantRecord,
  link: LinkSecret,
  ask: AskIdentity,
  cache: UnwrapCache | null,
): Promise<GrantKeys> {
  if (record.kind === 'recipient') {
    const identity = await askFor(record, ask);
    return openOnce(record, identity, cache, identity.keyId);
  }
  // The bearer follows from the link's secret alone: whoever has it needs no identity made for what is remembered.
  const known = cache?.get(await placeOf(record, link.bearer));
  return known ?? openOnce(record, await identityOfLink(record, link), cache, link.bearer);
}

async function checkNames(record: GrantRecord, keys: GrantKeys): Promise<void> {
  const { title, variants } = keys;
  const index = await title.name({ kind: Kind.multivariantPlaylist, rendition: 0, index: 0 });
  const manifest = await title.name({ kind: Kind.manifest, rendition: 0, index: 0 });
  const isListed = variants === null || record.preload.includes(await variants.name());
  if (record.index !== index || record.preload[0] !== manifest || !isListed) {
    throw new PlayerFailure('tampered', 'the grant');
  }
}

/** Fetches a grant, or throws a [`PlayerFailure`] where it can't be had or has ended. */
export async function fetchGrant(gateway: Gateway, connection: Connection): Promise<GrantAnswer> {
  const answer = await connection.persist(() => gateway.grant());
  if (isExpired(answer.record, Date.now(), answer.nowMs)) throw new PlayerFailure('grant-expired');
  return answer;
}

/**
 * Opens a grant, or finds its keys in `cache`; throws a [`PlayerFailure`] that says why it can't.
 *
 * The gateway has been asked for the grant each time, so what was revoked stays closed.
 */
export async function unlock(
  record: GrantRecord,
  link: LinkSecret,
  ask: AskIdentity,
  cache: UnwrapCache | null,
): Promise<GrantKeys> {
  const keys = await keysOf(record, link, ask, cache);
  await checkNames(record, keys);
  return keys;
}
