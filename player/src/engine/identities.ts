/**
 * The identities that are stored on this device, whatever is playing: to list and to forget.
 *
 * They lie with the vault; here are its words about them. Never sees a seed or a key.
 */

import type { KnownIdentity } from '../vault/identity-store';
import { VaultClient } from './client';
import { pagePool } from './page-pool';

async function ask<T>(work: (client: VaultClient) => Promise<T>): Promise<T> {
  const ignore = (): void => undefined;
  const client = new VaultClient(pagePool(), {
    onTitle: ignore,
    onIdentityNeeded: ignore,
    onUnlocking: ignore,
    onStopped: ignore,
    onTrouble: ignore,
  });
  try {
    return await work(client);
  } finally {
    client.destroy();
  }
}

/** Lists what is stored, the newest first; `null` where this browser keeps nothing. */
export function storedIdentities(): Promise<readonly KnownIdentity[] | null> {
  return ask((client) => client.identities());
}

/** Forgets an identity; the answer is what is still stored. */
export function forgetIdentity(keyId: string): Promise<readonly KnownIdentity[] | null> {
  return ask((client) => client.forget(keyId));
}
