/**
 * What is done about identities on this device when somebody wishes it: making locks, asking the vault.
 *
 * Never sees a seed or a key, and a passkey's secret only on its way into the vault.
 */

import type { WantedLock } from '../vault/stored-identity';
import { VaultClient, type Identities } from './client';
import type { RememberHow } from './identities';
import { pagePool } from './page-pool';
import { makePasskey } from './passkey';

export { hasPasskeys } from './passkey';

/** Makes the lock that a person wishes, `null` where the person declines. */
export async function lockFor(how: RememberHow): Promise<WantedLock | null> {
  if (how.lock === 'device') return { kind: 'device' };
  if (how.lock === 'passphrase') {
    return { kind: 'passphrase', passphrase: new TextEncoder().encode(how.passphrase) };
  }
  const made = await makePasskey(how.name);
  return made && { kind: 'passkey', ...made };
}

/** Asks the vault whatever is playing. */
export async function ask(work: (client: VaultClient) => Promise<Identities>): Promise<Identities> {
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
