/**
 * One playback as an opener sees it: a title key that no script can read, and a port to ask where objects lie.
 *
 * The other end of the port is the same playback's in the vault. Never sees the link, the bearer or the identity. Invariant:
 * after `end` nothing is reported, and the key is let go.
 */

import { PlayerFailure } from '../failure';
import type { OpenerToVault, VaultToOpener } from '../protocol';
import { Connection } from './connection';
import { Jobs, type OpenRight, type Report } from './jobs';
import type { Located } from './object';
import { TitleKey, type Role } from './role';

interface Asked {
  resolve(located: Located): void;
  reject(error: PlayerFailure): void;
}

/** What an opener does for one playback. */
export class Opening {
  readonly #life = new AbortController();
  readonly #asked = new Map<number, Asked>();
  readonly #jobs: Jobs;
  #grantRight: (right: OpenRight) => void = () => undefined;
  #nextAsk = 0;

  constructor(
    private readonly vault: MessagePort,
    report: Report,
  ) {
    const { signal } = this.#life;
    const reportLiving: Report = (message, transfer) => {
      if (!signal.aborted) report(message, transfer);
    };
    this.#jobs = new Jobs(
      new Promise((resolve) => (this.#grantRight = resolve)),
      (role, stale) => this.#locate(role, stale),
      new Connection((failure) => reportLiving({ event: 'trouble', failure }), signal),
      reportLiving,
    );
    vault.addEventListener('message', ({ data }) => this.#hear(data as VaultToOpener));
    vault.start();
  }

  /** Fetches and opens one object. */
  open(id: number, role: Role): void {
    void this.#jobs.open(id, role);
  }

  /** Ends one request without an answer. */
  abort(id: number): void {
    this.#jobs.abort(id);
  }

  /** Ends everything that is under way. */
  end(): void {
    this.#life.abort();
    this.#jobs.end();
    this.#asked.clear();
    this.vault.close();
  }

  #locate(role: Role, stale: string | null): Promise<Located> {
    return new Promise((resolve, reject) => {
      const id = this.#nextAsk++;
      this.#asked.set(id, { resolve, reject });
      const question: OpenerToVault = { ask: 'locate', id, role, stale };
      this.vault.postMessage(question);
    });
  }

  #hear(told: VaultToOpener): void {
    if (told.tell === 'key') {
      const { titleId, prk, expiresMs } = told;
      return this.#grantRight({ key: TitleKey.adopt(titleId, prk), expiresMs });
    }
    const waiting = this.#asked.get(told.id);
    this.#asked.delete(told.id);
    if (told.tell === 'located') waiting?.resolve(told.located);
    else waiting?.reject(new PlayerFailure(told.failure.code, told.failure.part));
  }
}
