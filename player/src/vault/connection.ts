/**
 * Trying again: the one place that decides when a request is repeated.
 *
 * Knows nothing of what is requested. A failure that may pass (no network, a store that doesn't
 * answer) is tried again for as long as somebody waits for it; every other failure goes up at
 * once. Invariant: a failed seal is never tried again.
 */

import { failureOf, isPassing, type Failure } from '../failure';

/** Waits between attempts; the last one repeats. Short first: most faults are over in a moment. */
const DELAYS_MS = [500, 1000, 2000, 4000, 8000, 15_000] as const;

/** Waits, but no longer than until the network is back. Rejects where `signal` is aborted. */
function pause(delayMs: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = (settle: () => void): void => {
      clearTimeout(timer);
      globalThis.removeEventListener('online', wake);
      signal?.removeEventListener('abort', abort);
      settle();
    };
    const wake = (): void => end(resolve);
    const abort = (): void => end(() => reject(new DOMException('aborted', 'AbortError')));
    const timer = setTimeout(wake, delayMs);
    globalThis.addEventListener('online', wake);
    signal?.addEventListener('abort', abort);
  });
}

/** A playback's view of its connection. */
export class Connection {
  readonly #troubled = new Set<symbol>();

  /** `report` is told when trouble begins, and `null` when the last of it is over; `life` ends with the playback. */
  constructor(
    private readonly report: (trouble: Failure | null) => void,
    readonly life?: AbortSignal,
  ) {}

  /**
   * Runs `work` until it succeeds, fails for good, or `signal` is aborted: the playback's where none is given. An answer
   * that comes after that is thrown away, so nobody goes on with it.
   */
  async persist<T>(work: () => Promise<T>, signal = this.life): Promise<T> {
    const ticket = Symbol('request');
    try {
      for (let attempt = 0; ; attempt++) {
        try {
          signal?.throwIfAborted();
          const done = await work();
          signal?.throwIfAborted();
          return done;
        } catch (error) {
          const failure = failureOf(error);
          if (!isPassing(failure) || signal?.aborted) throw error;
          this.#enter(ticket, failure);
          await pause(DELAYS_MS[Math.min(attempt, DELAYS_MS.length - 1)] as number, signal);
        }
      }
    } finally {
      this.#leave(ticket);
    }
  }

  #enter(ticket: symbol, failure: Failure): void {
    if (this.#troubled.size === 0) this.report(failure);
    this.#troubled.add(ticket);
  }

  #leave(ticket: symbol): void {
    if (this.#troubled.delete(ticket) && this.#troubled.size === 0) this.report(null);
  }
}
