/**
 * What remembering, listing and forgetting identities takes, loaded when somebody does.
 *
 * Never sees a seed or a key, and a passkey's secret only on its way into the vault.
 */

import type { WantedLock } from '../vault/stored-identity';
import { VaultClient, type Identities } from './client';
import type { RememberHow } from './identities';
import { pagePool } from './page-pool';

export { hasPasskeys } from './passkey';

/** Makes what a lock needs; `null` where the person declined. */
export async function lockFor(how: RememberHow): Promise<WantedLock | null> {
  if (how.lock === 'device') return { kind: 'device' };
  if (how.lock === 'passphrase') {
    return { kind: 'passphrase', passphrase: new TextEncoder().encode(how.passphrase) };
  }
  const { makePasskey } = await import('./passkey');
  const made = await makePasskey(how.name);
  return made && { kind: 'passkey', ...made };
}

/** Asks the vault whatever is playing. */
async function ask(work: (client: VaultClient) => Promise<Identities>): Promise<Identities> {
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

/** Lists what is stored. */
export const list = (): Promise<Identities> => ask((client) => client.identities());

/** Forgets an identity; the answer is what is still stored. */
export const forget = (keyId: string): Promise<Identities> => ask((client) => client.forget(keyId));
