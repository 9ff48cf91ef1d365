/**
 * One playback as the vault sees it: its link's secret, its identity, its bearer and its title key.
 *
 * Everything that the page learns leaves through `report`: the opened manifest, checked playlists, opened objects and
 * failures. Knows nothing of other playbacks. Invariants: the title key, and slot keys as segments want them, go to the
 * ports that came with the link and to nobody else; after `end` nothing is reported, asked or held any more.
 */

import { failureOf, PlayerFailure } from '../failure';
import type { Link, OpenedBy, OpenerToVault, VaultReport, VaultToOpener } from '../protocol';
import { wipe } from './bytes';
import { Connection } from './connection';
import { Gateway } from './gateway';
import { parseLinkSecret, type Identity } from './identity';
import { openDesk } from './identity-desk';
import type { AskPerson, Brought } from './identity-file';
import { Jobs, type OpenRight } from './jobs';
import type { Role } from './role';
import { Shelf } from './shelf';
import type { StoredIdentity, WantedLock } from './stored-identity';
import { fetchGrant, unlock } from './unlock';
import type { UnwrapCache } from './unwrap-cache';
import { hasNativeXWing, prepareXWing } from './xwing';

const GRANT_ID = /^[0-9a-f]{32}$/;

/** Sends a report to the page. */
export type ReportViewing = (report: VaultReport, transfer?: Transferable[]) => void;

interface Opened {
  readonly shelf: Shelf;
  readonly right: OpenRight;
}

/** A link that is being watched. */
export class Viewing {
  readonly #life = new AbortController();
  readonly #report: ReportViewing;
  readonly #connection: Connection;
  readonly #jobs: Jobs;
  readonly #opened: Promise<Opened>;
  /** The identity that was brought, in case it shall be stored. */
  #kept: StoredIdentity | null = null;
  #openedBy: OpenedBy | null = null;
  #take: ((brought: Brought) => void) | null = null;

  constructor(
    link: Link,
    private readonly ports: readonly MessagePort[],
    private readonly cache: UnwrapCache,
    report: ReportViewing,
  ) {
    const { signal } = this.#life;
    this.#report = (message, transfer) => {
      if (!signal.aborted) report(message, transfer);
    };
    const tellTrouble = (failure: PlayerFailure['failure'] | null): void =>
      this.#report({ event: 'trouble', failure });
    this.#connection = new Connection(tellTrouble, signal);
    this.#opened = this.#open(link);
    this.#jobs = new Jobs(
      this.#opened.then(({ right }) => right),
      async (role, stale) => (await this.#opened).shelf.locate(role, stale),
      this.#connection,
      this.#report,
    );
    for (const port of ports) this.#serve(port);
    void this.#begin();
  }

  /** Fetches and opens one object. */
  open(id: number, role: Role): void {
    void this.#jobs.open(id, role);
  }

  /** Ends one request without an answer. */
  abort(id: number): void {
    this.#jobs.abort(id);
  }

  /** Hands what the page brought to who asked for it; what nobody asked for is forgotten. */
  bring(brought: Brought): void {
    if (this.#take === null) {
      if ('passphrase' in brought) wipe(brought.passphrase);
      if ('secret' in brought) wipe(brought.secret);
    }
    this.#take?.(brought);
    this.#take = null;
  }

  /** Sends the multivariant playlist (`null`) or a rendition's. */
  async playlist(id: number, rendition: number | null): Promise<void> {
    try {
      const { shelf } = await this.#opened;
      this.#report({ event: 'playlist', id, ...(await shelf.playlist(rendition)) });
    } catch (error) {
      this.#report({ event: 'failed', id, failure: failureOf(error) });
    }
  }

  /** Stores the identity that was brought, once it has opened the link; `false` where there is none to store. */
  async remember(lock: WantedLock): Promise<boolean> {
    await this.#opened;
    if (this.#kept === null || this.#life.signal.aborted) return false;
    const { keepIdentity, relock } = await openDesk();
    await keepIdentity(await relock(this.#kept, lock));
    return true;
  }

  /** Ends everything that is under way and lets go of every key. */
  end(): void {
    this.#life.abort();
    this.#jobs.end();
    this.#take = null;
    this.#kept = null;
    for (const port of this.ports) port.close();
  }

  async #open({ gateway: base, grantId, secret: fragment, cacheKey }: Link): Promise<Opened> {
    const secret = await parseLinkSecret(fragment);
    if (secret === null || !GRANT_ID.test(grantId)) throw new PlayerFailure('link-incomplete');
    const gateway = new Gateway(base, grantId, secret.bearer, this.#life.signal);
    const ask = (recipient: string, wrong: boolean) => this.#askIdentity(recipient, wrong);
    const cache = cacheKey === false ? null : this.cache;
    const asked = fetchGrant(gateway, this.#connection);
    // While the answer travels; whoever needs it sees a failure again.
    prepareXWing().catch(() => undefined);
    const grant = await asked;
    const keys = unlock(grant.record, secret, ask, cache);
    const shelf = new Shelf(gateway, this.#connection, grant, keys);
    // Told by who asks for it next.
    shelf.title().catch(() => undefined);
    return { shelf, right: { key: (await keys).title, expiresMs: grant.record.expiresMs } };
  }

  async #begin(): Promise<void> {
    try {
      const { shelf } = await this.#opened;
      const title = await shelf.title();
      const provider = (await hasNativeXWing()) ? 'native' : 'noble';
      this.#report({ event: 'title', title, provider, openedBy: this.#openedBy });
    } catch (error) {
      this.#report({ event: 'stopped', failure: failureOf(error) });
    }
  }

  /** Takes the identity on this device, or asks for one; `wrong` tells that the one before did not fit. */
  async #askIdentity(recipient: string, wrong: boolean): Promise<Identity> {
    const { bringIdentity, findIdentity, openIdentity } = await openDesk();
    const stored = wrong ? null : await findIdentity(recipient);
    if (stored?.lock.kind === 'device') {
      const identity = await openIdentity(stored, null).catch(() => null);
      if (identity !== null) {
        this.#openedBy = { keyId: identity.keyId, isStored: true };
        return identity;
      }
    }
    const ask: AskPerson = (question) => {
      this.#life.signal.throwIfAborted();
      this.#report({ event: 'identity-needed', recipient, question });
      return new Promise((resolve) => (this.#take = resolve));
    };
    const refused = wrong ? ({ code: 'identity-wrong' } as const) : null;
    const locked = stored?.lock.kind === 'device' ? null : stored;
    const { identity, kept } = await bringIdentity(ask, refused, locked, this.#progress());
    this.#kept = kept;
    this.#openedBy = { keyId: identity.keyId, isStored: kept === null };
    return identity;
  }

  /** Reports whole hundredths: a message for each block of memory would be more work than the work. */
  #progress(): (done: number) => void {
    let reported = -1;
    return (done) => {
      // Thrown into the work itself, which nobody waits for any more.
      this.#life.signal.throwIfAborted();
      const hundredths = Math.floor(done * 100);
      if (hundredths === reported) return;
      reported = hundredths;
      this.#report({ event: 'unlocking', done: hundredths / 100 });
    };
  }

  /** Tells one opener the title key, and where objects lie as often as it asks. */
  #serve(port: MessagePort): void {
    const tell = (message: VaultToOpener): void => port.postMessage(message);
    port.addEventListener('message', ({ data }: MessageEvent<OpenerToVault>) => {
      void this.#answer(data, tell);
    });
    port.start();
    this.#opened.then(
      ({ right: { key, expiresMs } }) => {
        tell({ tell: 'key', titleId: key.titleId, prk: key.prk, expiresMs });
      },
      // `#begin` reports why there is no key; the opener waits until the page ends the playback.
      () => undefined,
    );
  }

  async #answer({ id, role, stale }: OpenerToVault, tell: (message: VaultToOpener) => void) {
    try {
      const { shelf } = await this.#opened;
      tell({ tell: 'located', id, located: await shelf.locate(role, stale) });
    } catch (error) {
      tell({ tell: 'lost', id, failure: failureOf(error) });
    }
  }
}
