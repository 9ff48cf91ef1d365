/**
 * One playback's open requests, as every Worker of the pool serves them.
 *
 * Knows nothing of which Worker it runs in. Invariants: an aborted request is never answered; a
 * plaintext leaves by transfer and only after [`openRole`] has verified all of it; nothing is
 * opened for a grant that has ended.
 */

import { failureOf, PlayerFailure } from '../failure';
import type { OpenerReport } from '../protocol';
import type { Connection } from './connection';
import { nowMs } from './download';
import { openRole, type Locate } from './object';
import type { Role, TitleKey } from './role';

/** Shortest time between two progress reports of a request: what bandwidth estimation needs. */
const PROGRESS_INTERVAL_MS = 50;

/** Requests served at once; more than the player ever makes, so more is a defect. */
const MAX_REQUESTS = 64;

/** The right to open objects. */
export interface OpenRight {
  readonly key: TitleKey;
  /** The grant's end, in milliseconds since 1970. */
  readonly expiresMs: number | null;
}

/** Sends a report to the page. */
export type Report = (report: OpenerReport, transfer?: Transferable[]) => void;

/** Open requests under way. */
export class Jobs {
  readonly #live = new Map<number, AbortController>();

  constructor(
    private readonly right: Promise<OpenRight>,
    private readonly locate: Locate,
    private readonly connection: Connection,
    private readonly report: Report,
  ) {
    // Told by every request that waits for it; without requests there is nobody to tell.
    right.catch(() => undefined);
  }

  /** Serves one request and reports its end. */
  async open(id: number, role: Role): Promise<void> {
    const controller = new AbortController();
    this.#live.set(id, controller);
    try {
      if (this.#live.size > MAX_REQUESTS) throw new PlayerFailure('playback-failed');
      const right = await this.right;
      const { signal } = controller;
      const opened = await this.connection.persist(
        () => this.#attempt(id, role, right, signal),
        signal,
      );
      if (!signal.aborted) this.report({ event: 'opened', id, ...opened }, [opened.plaintext]);
    } catch (error) {
      if (!controller.signal.aborted) {
        this.report({ event: 'failed', id, failure: failureOf(error) });
      }
    } finally {
      this.#live.delete(id);
    }
  }

  /** Ends a request without an answer. */
  abort(id: number): void {
    this.#live.get(id)?.abort();
  }

  /** Ends every request. */
  end(): void {
    for (const controller of this.#live.values()) controller.abort();
  }

  #attempt(id: number, role: Role, right: OpenRight, signal: AbortSignal) {
    if (right.expiresMs !== null && Date.now() >= right.expiresMs) {
      throw new PlayerFailure('grant-expired');
    }
    const startMs = nowMs();
    let firstByteMs = 0;
    let reportedMs = 0;
    return openRole(right.key, role, this.locate, signal, (loaded, total) => {
      const now = nowMs();
      firstByteMs ||= now;
      if (now - reportedMs < PROGRESS_INTERVAL_MS) return;
      reportedMs = now;
      this.report({ event: 'progress', id, startMs, firstByteMs, loaded, total });
    });
  }
}
