/**
 * The messages between the page and its two Workers, and between the Workers.
 *
 * Types alone. Invariant: no message to or from the page carries a key, a bearer or a URL; the
 * link's secret, the identity file and its passphrase go one way, into the vault.
 */

import type { Failure } from './failure';
import type { Title } from './title';
import type { NetworkTiming } from './vault/download';
import type { Located } from './vault/object';
import type { Role } from './vault/role';

/** What of an identity is asked for, and why what was brought before was not taken. */
export interface IdentityQuestion {
  /** `passphrase`: the file that was brought is locked; another file is as welcome. */
  readonly wants: 'file' | 'passphrase';
  readonly refused: Failure | null;
}

/** A link, taken apart. */
export interface Link {
  /** Absolute URL that stands before `/v1`, without a slash at its end. */
  readonly gateway: string;
  readonly grantId: string;
  /** The fragment, without `#`. */
  readonly secret: string;
}

/** What the page asks of either Worker. */
export type OpenerRequest =
  | { readonly op: 'connect'; readonly port: MessagePort }
  | { readonly op: 'open'; readonly id: number; readonly role: Role }
  | { readonly op: 'abort'; readonly id: number };

/** What the page asks of the vault. */
export type VaultRequest =
  | OpenerRequest
  | ({ readonly op: 'start' } & Link)
  | { readonly op: 'identity'; readonly file: File }
  /** UTF-8 as typed; transferred. */
  | { readonly op: 'passphrase'; readonly passphrase: Uint8Array<ArrayBuffer> }
  | { readonly op: 'playlist'; readonly id: number; readonly rendition: number | null };

/** What either Worker tells the page. */
export type OpenerReport =
  | {
      readonly event: 'progress';
      readonly id: number;
      readonly startMs: number;
      readonly firstByteMs: number;
      readonly loaded: number;
      readonly total: number;
    }
  | {
      readonly event: 'opened';
      readonly id: number;
      readonly plaintext: ArrayBuffer;
      readonly timing: NetworkTiming;
      readonly loaded: number;
    }
  | { readonly event: 'failed'; readonly id: number; readonly failure: Failure }
  | { readonly event: 'trouble'; readonly failure: Failure | null };

/** What the vault tells the page. */
export type VaultReport =
  | OpenerReport
  | { readonly event: 'title'; readonly title: Title; readonly provider: 'native' | 'noble' }
  | ({
      readonly event: 'identity-needed';
      /** Key id of the wanted recipient. */
      readonly recipient: string;
    } & IdentityQuestion)
  /** How much of the work on a passphrase is done, from 0 to 1. */
  | { readonly event: 'unlocking'; readonly done: number }
  | { readonly event: 'stopped'; readonly failure: Failure }
  | {
      readonly event: 'playlist';
      readonly id: number;
      readonly text: string;
      readonly timing: NetworkTiming;
      readonly loaded: number;
    };

/** Vault to opener, over their own port. */
export type VaultToOpener =
  | {
      readonly tell: 'key';
      readonly titleId: Uint8Array<ArrayBuffer>;
      readonly prk: CryptoKey;
      readonly expiresMs: number | null;
    }
  | { readonly tell: 'located'; readonly id: number; readonly located: Located }
  | { readonly tell: 'lost'; readonly id: number; readonly failure: Failure };

/** Opener to vault, over their own port. */
export interface OpenerToVault {
  readonly ask: 'locate';
  readonly id: number;
  readonly role: Role;
  readonly stale: string | null;
}
