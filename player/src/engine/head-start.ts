/**
 * Opening a link before there is a player for it: the vault is at work while the page is still being put together.
 *
 * What the vault tells meanwhile is kept, in order, for the player that opens the same link. Invariant: there is one such link
 * at a time, and what no player takes over is ended.
 */

import type { Link } from '../protocol';
import { VaultClient, type ClientEvents } from './client';
import { findObstacle } from './obstacle';
import { pagePool } from './page-pool';

/** A link that the vault has been told of. */
export interface Begun {
  readonly client: VaultClient;
  /** When that was, on the page's clock. */
  readonly atMs: number;
}

type Tell = (events: ClientEvents) => void;

class HeadStart implements Begun {
  readonly atMs = performance.now();
  readonly client: VaultClient;
  #kept: Tell[] = [];
  #events: ClientEvents | null = null;

  constructor(readonly link: Link) {
    this.client = new VaultClient(pagePool(), {
      onTitle: (...told) => this.#tell((events) => events.onTitle(...told)),
      onIdentityNeeded: (...told) => this.#tell((events) => events.onIdentityNeeded(...told)),
      onUnlocking: (done) => this.#tell((events) => events.onUnlocking(done)),
      onStopped: (failure) => this.#tell((events) => events.onStopped(failure)),
      onTrouble: (failure) => this.#tell((events) => events.onTrouble(failure)),
    });
    this.client.start(link);
  }

  /** Tells `events` all that was told before, soon, and from then on what follows. */
  async follow(events: ClientEvents): Promise<void> {
    await Promise.resolve();
    this.#events = events;
    for (const tell of this.#kept) tell(events);
    this.#kept = [];
  }

  #tell(tell: Tell): void {
    if (this.#events === null) this.#kept.push(tell);
    else tell(this.#events);
  }
}

let early: HeadStart | null = null;

/** A link with the whole address of its gateway, without a slash at its end. */
export function wholeLink({ gateway, ...link }: Link): Link {
  return { ...link, gateway: new URL(gateway, document.baseURI).href.replace(/\/+$/, '') };
}

function isSame(a: Link, b: Link): boolean {
  const isSamePlace = a.gateway === b.gateway && a.grantId === b.grantId;
  return isSamePlace && a.secret === b.secret && a.cacheKey === b.cacheKey;
}

/**
 * Begins to open a link, for a page that makes its player a moment later: the first `open` of the same link goes on from there.
 * A browser that can't play it is told of by `open` alone.
 */
export function openAhead(link: Link): void {
  if (findObstacle() !== null) return;
  early?.client.destroy();
  early = new HeadStart(wholeLink(link));
}

/** Hands a whole link to the vault, or takes over what was begun with it. */
export function beginLink(link: Link, events: ClientEvents): Begun {
  const ahead = early;
  early = null;
  const isAhead = ahead !== null && isSame(ahead.link, link);
  if (!isAhead) ahead?.client.destroy();
  const begun = isAhead ? ahead : new HeadStart(link);
  void begun.follow(events);
  return begun;
}
