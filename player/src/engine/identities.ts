/**
 * Identities that stay on this device: to remember the one that opened a link, to open it again, to list and to forget.
 *
 * They lie with the vault; here are the page's words about them. Never sees a seed or a key, and a passkey's secret only on its
 * way into the vault.
 */

import type { KnownIdentity } from '../vault/identity-store';
import type { WantedLock } from '../vault/stored-identity';
import { VaultClient, type Identities } from './client';
import { pagePool } from './page-pool';
import type { Playback } from './playback';

/** How an identity is locked on this device: by the browser alone, by a new passkey, or by a passphrase. */
export type RememberHow =
  | { readonly lock: 'device' }
  /** `name` is how the person finds the passkey among others. */
  | { readonly lock: 'passkey'; readonly name: string }
  | { readonly lock: 'passphrase'; readonly passphrase: string };

async function lockFor(how: RememberHow): Promise<WantedLock | null> {
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

/** The identities on this device, as one player deals with them. */
export class IdentityKeeper {
  constructor(private readonly playback: () => Playback | null) {}

  /** Lists what is stored, the newest first; `null` where this browser keeps nothing. */
  list(): Promise<readonly KnownIdentity[] | null> {
    return ask((client) => client.identities());
  }

  /** Forgets an identity, and what it opened of late; the answer is what is still stored. */
  forget(keyId: string): Promise<readonly KnownIdentity[] | null> {
    return ask((client) => client.forget(keyId));
  }

  /**
   * Stores the identity that was brought, as soon as it has opened the link. The answer is what is stored then: `null` where no
   * identity was brought, the person declined, or the browser keeps nothing.
   */
  async remember(how: RememberHow): Promise<readonly KnownIdentity[] | null> {
    const lock = await lockFor(how);
    return (lock && (await this.playback()?.rememberIdentity(lock))) ?? null;
  }

  /**
   * Has the person show the passkey that `veil-identity` wants, best on a press of a button; `false` where it gives nothing, and
   * the question stands.
   */
  async unlockWithPasskey(): Promise<boolean> {
    return (await this.playback()?.unlockWithPasskey()) ?? false;
  }

  /** Tells whether passkeys that lock identities may be had here. */
  async hasPasskeys(): Promise<boolean> {
    return (await import('./passkey')).hasPasskeys();
  }
}
