/**
 * A playback's side of the pool: starts its link, shares its work out, pairs answers with requests.
 *
 * Knows nothing of streaming or of what plaintext is for, and never holds a key: the link's secret,
 * the identity file and its passphrase pass through on their way into the vault.
 */

import { PlayerFailure, type Failure } from '../failure';
import type { IdentityQuestion, Link, OpenerReport, VaultReport, VaultRequest } from '../protocol';
import type { Title } from '../title';
import type { Bytes } from '../vault/bytes';
import type { NetworkTiming } from '../vault/download';
import type { KnownIdentity } from '../vault/identity-store';
import type { Opened } from '../vault/object';
import type { Role } from '../vault/role';
import type { WantedLock } from '../vault/stored-identity';
import type { Hand, Pool } from './pool';

/** What lies on this device. */
export type Identities = readonly KnownIdentity[] | null;

/** An opened object. */
export type OpenedObject = Opened;

/** A download under way. */
export interface Progress {
  readonly startMs: number;
  readonly firstByteMs: number;
  readonly loaded: number;
  readonly total: number;
}

/** A checked playlist. */
export interface Playlist {
  readonly text: string;
  readonly timing: NetworkTiming;
  readonly loaded: number;
}

/** A request that can be taken back. After `abort`, `done` never settles. */
export interface Job {
  readonly done: Promise<OpenedObject>;
  abort(): void;
}

/** What opened a title. */
export type HowOpened = Pick<Extract<VaultReport, { event: 'title' }>, 'provider' | 'openedBy'>;

/** Told what the Workers report by themselves. */
export interface ClientEvents {
  onTitle(title: Title, how: HowOpened): void;
  onIdentityNeeded(recipient: string, question: IdentityQuestion): void;
  /** How much of the work on a passphrase is done, from 0 to 1. */
  onUnlocking(done: number): void;
  onStopped(failure: Failure): void;
  /** Trouble with the network begins, or is over (`null`). */
  onTrouble(failure: Failure | null): void;
}

interface Pending {
  readonly hand: Hand;
  resolve(opened: OpenedObject): void;
  reject(error: PlayerFailure): void;
  onProgress?: ((progress: Progress) => void) | undefined;
}

/** Leaves out members of each request. */
type Without<T, Key extends string> = T extends unknown ? Omit<T, Key> : never;

type IdentitiesRequest = Without<
  Extract<VaultRequest, { op: 'remember' | 'identities' | 'forget' }>,
  'playback' | 'id'
>;

function secretOf(lock: WantedLock): Bytes | null {
  if (lock.kind === 'device') return null;
  return lock.kind === 'passkey' ? lock.secret : lock.passphrase;
}

/** The Workers of one playback. */
export class VaultClient {
  readonly #objects = new Map<number, Pending>();
  readonly #playlists = new Map<
    number,
    { resolve(playlist: Playlist): void; reject(error: PlayerFailure): void }
  >();
  readonly #identities = new Map<number, (identities: Identities) => void>();
  readonly #troubles = new Map<Hand, Failure>();
  readonly #playback: number;
  #nextId = 0;

  constructor(
    private readonly pool: Pool,
    private readonly events: ClientEvents,
  ) {
    this.#playback = pool.join({
      hear: (hand, report) => this.#hear(hand, report),
      lose: () => events.onStopped({ code: 'browser-unsupported' }),
    });
  }

  /** Hands the link to the vault, and each opener a port to it. */
  start(link: Link): void {
    const channels = this.pool.openers.map(() => new MessageChannel());
    const ports = channels.map(({ port1 }) => port1);
    this.#ask({ op: 'start', link, ports }, ports);
    channels.forEach(({ port2: port }, at) => {
      this.pool.openers[at]?.ask({ op: 'begin', playback: this.#playback, port }, [port]);
    });
  }

  /** Hands an identity file to the vault, unread. */
  provideIdentity(file: File): void {
    this.#ask({ op: 'identity', file });
  }

  /** Hands the passphrase of a locked identity file to the vault; no copy stays here. */
  providePassphrase(text: string): void {
    const passphrase = new TextEncoder().encode(text);
    this.#ask({ op: 'passphrase', passphrase }, [passphrase.buffer]);
  }

  /** Hands what a passkey gave to the vault; no copy stays here. */
  providePasskey(secret: Bytes): void {
    this.#ask({ op: 'passkey', secret }, [secret.buffer]);
  }

  /** Stores the identity that was brought, once it has opened the link; `null` where there is none or nothing is kept. */
  remember(lock: WantedLock): Promise<Identities> {
    const secret = secretOf(lock);
    return this.#askIdentities({ op: 'remember', lock }, secret ? [secret.buffer] : []);
  }

  /** Lists the identities on this device; `null` where the browser keeps none. */
  identities(): Promise<Identities> {
    return this.#askIdentities({ op: 'identities' });
  }

  /** Forgets an identity. */
  forget(keyId: string): Promise<Identities> {
    return this.#askIdentities({ op: 'forget', keyId });
  }

  /** Fetches the multivariant playlist (`null`) or a rendition's. */
  playlist(rendition: number | null): Promise<Playlist> {
    const id = this.#nextId++;
    this.#ask({ op: 'playlist', id, rendition });
    return new Promise((resolve, reject) => this.#playlists.set(id, { resolve, reject }));
  }

  /** Fetches and opens one object in the Worker that has less to do. */
  open(role: Role, onProgress?: (progress: Progress) => void): Job {
    const hand = this.pool.idlest();
    const playback = this.#playback;
    const id = this.#nextId++;
    hand.busy++;
    const done = new Promise<OpenedObject>((resolve, reject) => {
      this.#objects.set(id, { hand, resolve, reject, onProgress });
    });
    hand.ask({ op: 'open', playback, id, role });
    return {
      done,
      abort: () => {
        if (this.#settle(id) !== undefined) hand.ask({ op: 'abort', playback, id });
      },
    };
  }

  /** Has the Workers forget this playback. */
  destroy(): void {
    this.pool.leave(this.#playback);
    for (const id of this.#objects.keys()) this.#settle(id);
    this.#playlists.clear();
    for (const resolve of this.#identities.values()) resolve(null);
    this.#identities.clear();
  }

  #askIdentities(request: IdentitiesRequest, transfer: Transferable[] = []): Promise<Identities> {
    const id = this.#nextId++;
    this.#ask({ ...request, id }, transfer);
    return new Promise((resolve) => this.#identities.set(id, resolve));
  }

  #ask(request: Without<VaultRequest, 'playback'>, transfer: Transferable[] = []): void {
    this.pool.vault.ask({ ...request, playback: this.#playback } as VaultRequest, transfer);
  }

  #settle(id: number): Pending | undefined {
    const pending = this.#objects.get(id);
    if (pending !== undefined) pending.hand.busy--;
    this.#objects.delete(id);
    return pending;
  }

  #hear(hand: Hand, report: VaultReport): void {
    switch (report.event) {
      case 'title':
        return this.events.onTitle(report.title, report);
      case 'identity-needed':
        return this.events.onIdentityNeeded(report.recipient, report.question);
      case 'unlocking':
        return this.events.onUnlocking(report.done);
      case 'stopped':
        return this.events.onStopped(report.failure);
      case 'identities':
        this.#identities.get(report.id)?.(report.identities);
        this.#identities.delete(report.id);
        return;
      case 'trouble':
        return this.#hearOfTrouble(hand, report.failure);
      case 'playlist':
        this.#playlists.get(report.id)?.resolve(report);
        this.#playlists.delete(report.id);
        return;
      default:
        return this.#hearOfObject(report);
    }
  }

  #hearOfTrouble(hand: Hand, failure: Failure | null): void {
    if (failure === null) this.#troubles.delete(hand);
    else this.#troubles.set(hand, failure);
    const [first] = this.#troubles.values();
    this.events.onTrouble(first ?? null);
  }

  #hearOfObject(report: Exclude<OpenerReport, { event: 'trouble' }>): void {
    if (report.event === 'progress') {
      this.#objects.get(report.id)?.onProgress?.(report);
    } else if (report.event === 'opened') {
      this.#settle(report.id)?.resolve(report);
    } else {
      const error = new PlayerFailure(report.failure.code, report.failure.part);
      this.#settle(report.id)?.reject(error);
      this.#playlists.get(report.id)?.reject(error);
      this.#playlists.delete(report.id);
    }
  }
}
