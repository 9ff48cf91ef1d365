/**
 * The messages between the page and its pool of Workers, and between the Workers.
 *
 * Types alone. Invariants: no message to or from the page carries a key, a bearer or a URL; the
 * link's secret, the identity file and its passphrase go one way, into the vault. Whatever the page
 * says or hears is about one playback, by its number; what Workers say to each other goes over a
 * port that this playback alone has, so that no key can be taken for another's.
 */

import type { Failure } from './failure';
import type { Title } from './title';
import type { NetworkTiming } from './vault/download';
import type { Located, Opened } from './vault/object';
import type { KnownIdentity } from './vault/identity-store';
import type { Role } from './vault/role';
import type { Passkey, WantedLock } from './vault/stored-identity';

/** What of an identity is asked for, and why what was brought before was not taken. */
export interface IdentityQuestion {
  /**
   * `passphrase`: the file that was brought, or the identity on this device, is locked; `passkey`: the identity on this
   * device is. Another file is as welcome.
   */
  readonly wants: 'file' | 'passphrase' | 'passkey';
  /** What is locked lies on this device. */
  readonly isStored?: true;
  /** Which passkey opens it. */
  readonly passkey?: Passkey;
  readonly refused: Failure | null;
}

/** Which identity opened a link that is for one. */
export interface OpenedBy {
  readonly keyId: string;
  /** It lies on this device; else it was brought, and may be remembered. */
  readonly isStored: boolean;
}

/** A link, taken apart. */
export interface Link {
  /** Absolute URL that stands before `/v1`, without a slash at its end. */
  readonly gateway: string;
  readonly grantId: string;
  /** The fragment, without `#`. */
  readonly secret: string;
  /** Whether the vault may remember the unwrapped key for five minutes; it may unless told `false`. */
  readonly cacheKey?: boolean;
}

/** A number that is given once in a page's life: which of its playbacks a message is about. */
export interface OfPlayback {
  readonly playback: number;
}

/** What the page asks of every Worker of the pool. */
export type OpenerRequest = OfPlayback &
  (
    | { readonly op: 'open'; readonly id: number; readonly role: Role }
    | { readonly op: 'abort'; readonly id: number }
    /** Forgets everything of the playback; nothing of it is asked or told afterwards. */
    | { readonly op: 'end' }
  );

/** The first that an opener hears of a playback: the port over which its vault will tell the key. */
export type BeginRequest = OfPlayback & { readonly op: 'begin'; readonly port: MessagePort };

/** What the page asks of the vault. */
export type VaultRequest =
  | OpenerRequest
  | (OfPlayback &
      (
        | { readonly op: 'start'; readonly link: Link; readonly ports: readonly MessagePort[] }
        | { readonly op: 'identity'; readonly file: File }
        /** UTF-8 as typed; transferred. */
        | { readonly op: 'passphrase'; readonly passphrase: Uint8Array<ArrayBuffer> }
        /** What a passkey gave; transferred. */
        | { readonly op: 'passkey'; readonly secret: Uint8Array<ArrayBuffer> }
        | { readonly op: 'playlist'; readonly id: number; readonly rendition: number | null }
        /** Stores the identity that was brought, once it has opened the link; secrets are transferred. */
        | { readonly op: 'remember'; readonly id: number; readonly lock: WantedLock }
      ))
  | StoreRequest;

/** What the page asks of the identities on this device, whatever is playing. */
export type StoreRequest = OfPlayback &
  (
    | { readonly op: 'identities'; readonly id: number }
    | { readonly op: 'forget'; readonly id: number; readonly keyId: string }
  );

/** What any Worker tells the page of a playback. */
export type OpenerReport =
  | {
      readonly event: 'progress';
      readonly id: number;
      readonly startMs: number;
      readonly firstByteMs: number;
      readonly loaded: number;
      readonly total: number;
    }
  | ({ readonly event: 'opened'; readonly id: number } & Opened)
  | { readonly event: 'failed'; readonly id: number; readonly failure: Failure }
  | { readonly event: 'trouble'; readonly failure: Failure | null };

/** What the vault tells the page of a playback. */
export type VaultReport =
  | OpenerReport
  | {
      readonly event: 'title';
      readonly title: Title;
      readonly provider: 'native' | 'noble';
      readonly openedBy: OpenedBy | null;
    }
  | {
      readonly event: 'identity-needed';
      /** Key id of the wanted recipient. */
      readonly recipient: string;
      readonly question: IdentityQuestion;
    }
  /** How much of the work on a passphrase is done, from 0 to 1. */
  | { readonly event: 'unlocking'; readonly done: number }
  | { readonly event: 'stopped'; readonly failure: Failure }
  /** What lies on this device; `null` where the browser keeps nothing, or there was nothing to keep. */
  | {
      readonly event: 'identities';
      readonly id: number;
      readonly identities: readonly KnownIdentity[] | null;
    }
  | {
      readonly event: 'playlist';
      readonly id: number;
      readonly text: string;
      readonly timing: NetworkTiming;
      readonly loaded: number;
    };

/** Vault to opener, over the playback's own port. */
export type VaultToOpener =
  | {
      readonly tell: 'key';
      readonly titleId: Uint8Array<ArrayBuffer>;
      readonly prk: CryptoKey;
      readonly expiresMs: number | null;
    }
  | { readonly tell: 'located'; readonly id: number; readonly located: Located }
  | { readonly tell: 'lost'; readonly id: number; readonly failure: Failure };

/** Opener to vault, over the playback's own port. */
export interface OpenerToVault {
  readonly ask: 'locate';
  readonly id: number;
  readonly role: Role;
  readonly stale: string | null;
}
