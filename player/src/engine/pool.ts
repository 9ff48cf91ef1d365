/**
 * The Workers of a page: one vault and one or two openers, which all its players share.
 *
 * Work goes to the Worker that has least to do, whoever asks. Knows nothing of what the work is for. Invariants: a playback
 * hears of itself alone; a Worker that can't be had, or that ends, ends every playback of the pool, and the pool with them.
 */

import type {
  BeginRequest,
  OfPlayback,
  OpenerRequest,
  VaultReport,
  VaultRequest,
} from '../protocol';

/** Workers beside each other: the vault, an opener, and one more where there is a processor for it. */
const MIN_WORKERS = 2;
const MAX_WORKERS = 3;

/** Returns how many openers stand beside the vault on so many processors. */
export function openerCount(processors: number | undefined): number {
  return Math.min(Math.max(processors ?? MIN_WORKERS, MIN_WORKERS), MAX_WORKERS) - 1;
}

/** The part of a Worker that is used here. */
export interface WorkerLike {
  postMessage(message: unknown, transfer: Transferable[]): void;
  addEventListener(type: 'message' | 'error', listener: (event: Event) => void): void;
  terminate(): void;
}

/** Starts Workers. */
export interface Spawn {
  vault(): WorkerLike;
  opener(): WorkerLike;
}

/** One Worker and how much is asked of it at the moment. */
export class Hand {
  busy = 0;

  constructor(private readonly worker: WorkerLike) {}

  ask(request: VaultRequest | OpenerRequest | BeginRequest, transfer: Transferable[] = []): void {
    this.worker.postMessage(request, transfer);
  }
}

/** What a playback hears. */
export interface PoolMember {
  hear(hand: Hand, report: VaultReport): void;
  /** A Worker could not be had, or ended. */
  lose(): void;
}

/** A page's Workers. */
export class Pool {
  readonly vault: Hand;
  readonly openers: readonly Hand[];
  readonly #workers: WorkerLike[] = [];
  readonly #members = new Map<number, PoolMember>();
  #nextPlayback = 0;
  #isLost = false;

  constructor(spawn: Spawn, openers: number) {
    this.vault = this.#hire(spawn.vault());
    this.openers = Array.from({ length: openers }, () => this.#hire(spawn.opener()));
  }

  /** Whether the pool is of no more use. */
  get isLost(): boolean {
    return this.#isLost;
  }

  /** Takes a playback in; the answer is its number. */
  join(member: PoolMember): number {
    const playback = this.#nextPlayback++;
    this.#members.set(playback, member);
    return playback;
  }

  /** Has every Worker forget a playback. */
  leave(playback: number): void {
    if (!this.#members.delete(playback) || this.#isLost) return;
    for (const hand of [this.vault, ...this.openers]) hand.ask({ op: 'end', playback });
  }

  /** Returns the Worker that has least to do; of equals an opener, since the vault also answers the others. */
  idlest(): Hand {
    return [...this.openers, this.vault].reduce((a, b) => (b.busy < a.busy ? b : a));
  }

  #hire(worker: WorkerLike): Hand {
    const hand = new Hand(worker);
    this.#workers.push(worker);
    worker.addEventListener('message', (event) => {
      const { data } = event as MessageEvent<VaultReport & OfPlayback>;
      this.#members.get(data.playback)?.hear(hand, data);
    });
    worker.addEventListener('error', () => this.#lose());
    return hand;
  }

  #lose(): void {
    if (this.#isLost) return;
    this.#isLost = true;
    for (const worker of this.#workers) worker.terminate();
    const members = [...this.#members.values()];
    this.#members.clear();
    for (const member of members) member.lose();
  }
}
