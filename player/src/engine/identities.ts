/**
 * Identities that stay on this device: to remember the one that opened a link, to open it again, to list and to forget.
 *
 * They lie with the vault; here are the page's words about them. Never sees a seed or a key, and a passkey's secret only on its
 * way into the vault.
 */

import type { OpenedBy } from '../protocol';
import type { KnownIdentity } from '../vault/identity-store';
import type { Playback } from './playback';

/** Most viewers have none: what deals with them is loaded with the first wish. */
const dealing = () => import('./device-identities');

/** How an identity is locked on this device: by the browser alone, by a new passkey, or by a passphrase. */
export type RememberHow =
  | { readonly lock: 'device' }
  /** `name` is how the person finds the passkey among others. */
  | { readonly lock: 'passkey'; readonly name: string }
  | { readonly lock: 'passphrase'; readonly passphrase: string };

/** The identities on this device, as one player deals with them. */
export class IdentityKeeper {
  constructor(private readonly playback: () => Playback | null) {}

  /** Which identity opened the link, `null` before it is open and for a link that everybody opens who has it. */
  get openedBy(): OpenedBy | null {
    return this.playback()?.openedBy ?? null;
  }

  /** Lists what is stored, the newest first; `null` where this browser keeps nothing. */
  async list(): Promise<readonly KnownIdentity[] | null> {
    const { ask } = await dealing();
    return ask((client) => client.identities());
  }

  /** Forgets an identity, and what it opened of late; the answer is what is still stored. */
  async forget(keyId: string): Promise<readonly KnownIdentity[] | null> {
    const { ask } = await dealing();
    return ask((client) => client.forget(keyId));
  }

  /**
   * Stores the identity that was brought, as soon as it has opened the link. The answer is what is stored then: `null` where no
   * identity was brought, the person declined, or the browser keeps nothing.
   */
  async remember(how: RememberHow): Promise<readonly KnownIdentity[] | null> {
    const { lockFor } = await dealing();
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
    const { hasPasskeys } = await dealing();
    return hasPasskeys();
  }
}
