/**
 * The page's side of the two Workers: starts them, shares work out, pairs answers with requests.
 *
 * Knows nothing of streaming or of what plaintext is for, and never holds a key: the link's secret,
 * the identity file and its passphrase pass through on their way into the vault.
 */

import { PlayerFailure, type Failure } from '../failure';
import type {
  IdentityQuestion,
  Link,
  OpenerReport,
  OpenerRequest,
  VaultReport,
  VaultRequest,
} from '../protocol';
import type { Title } from '../title';
import type { NetworkTiming } from '../vault/download';
import type { Role } from '../vault/role';
import { startOpener, startVault } from './trusted-urls';

/** An opened object. */
export interface OpenedObject {
  readonly plaintext: ArrayBuffer;
  readonly timing: NetworkTiming;
  /** Sealed bytes that were loaded. */
  readonly loaded: number;
}

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

/** Told what the Workers report by themselves. */
export interface ClientEvents {
  onTitle(title: Title, provider: 'native' | 'noble'): void;
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

/** One Worker and what is asked of it at the moment. */
interface Hand {
  readonly worker: Worker;
  busy: number;
  trouble: Failure | null;
}

/** Both Workers of one player. */
export class VaultClient {
  readonly #vault: Hand = { worker: startVault(), busy: 0, trouble: null };
  readonly #opener: Hand = { worker: startOpener(), busy: 0, trouble: null };
  readonly #objects = new Map<number, Pending>();
  readonly #playlists = new Map<
    number,
    { resolve(playlist: Playlist): void; reject(error: PlayerFailure): void }
  >();
  #nextId = 0;

  constructor(private readonly events: ClientEvents) {
    const { port1, port2 } = new MessageChannel();
    this.#ask(this.#vault, { op: 'connect', port: port1 }, [port1]);
    this.#ask(this.#opener, { op: 'connect', port: port2 }, [port2]);
    for (const hand of [this.#vault, this.#opener]) {
      hand.worker.addEventListener('message', ({ data }) => this.#hear(hand, data as VaultReport));
      hand.worker.addEventListener('error', () => {
        events.onStopped({ code: 'browser-unsupported' });
      });
    }
  }

  /** Hands the link to the vault. */
  start(link: Link): void {
    this.#ask(this.#vault, { op: 'start', ...link });
  }

  /** Hands an identity file to the vault, unread. */
  provideIdentity(file: File): void {
    this.#ask(this.#vault, { op: 'identity', file });
  }

  /** Hands the passphrase of a locked identity file to the vault; no copy stays here. */
  providePassphrase(text: string): void {
    const passphrase = new TextEncoder().encode(text);
    this.#ask(this.#vault, { op: 'passphrase', passphrase }, [passphrase.buffer]);
  }

  /** Fetches the multivariant playlist (`null`) or a rendition's. */
  playlist(rendition: number | null): Promise<Playlist> {
    const id = this.#nextId++;
    this.#ask(this.#vault, { op: 'playlist', id, rendition });
    return new Promise((resolve, reject) => this.#playlists.set(id, { resolve, reject }));
  }

  /** Fetches and opens one object in the Worker that has less to do. */
  open(role: Role, onProgress?: (progress: Progress) => void): Job {
    const hand = this.#opener.busy <= this.#vault.busy ? this.#opener : this.#vault;
    const id = this.#nextId++;
    hand.busy++;
    const done = new Promise<OpenedObject>((resolve, reject) => {
      this.#objects.set(id, { hand, resolve, reject, onProgress });
    });
    this.#ask(hand, { op: 'open', id, role });
    return {
      done,
      abort: () => {
        if (this.#settle(id) !== undefined) this.#ask(hand, { op: 'abort', id });
      },
    };
  }

  /** Ends both Workers; what they held is gone with them. */
  destroy(): void {
    this.#vault.worker.terminate();
    this.#opener.worker.terminate();
    this.#objects.clear();
    this.#playlists.clear();
  }

  #ask(hand: Hand, request: VaultRequest | OpenerRequest, transfer: Transferable[] = []): void {
    hand.worker.postMessage(request, transfer);
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
        return this.events.onTitle(report.title, report.provider);
      case 'identity-needed':
        return this.events.onIdentityNeeded(report.recipient, report);
      case 'unlocking':
        return this.events.onUnlocking(report.done);
      case 'stopped':
        return this.events.onStopped(report.failure);
      case 'trouble':
        hand.trouble = report.failure;
        return this.events.onTrouble(this.#vault.trouble ?? this.#opener.trouble);
      case 'playlist':
        this.#playlists.get(report.id)?.resolve(report);
        this.#playlists.delete(report.id);
        return;
      default:
        return this.#hearOfObject(report);
    }
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
