/**
 * The page's offer of a feed: the player takes it where the browser has no Media Source Extensions.
 *
 * Holds one function. The player itself has no service worker, since only a page can have one.
 */

import type { Feed } from './feeding';

let offered: Feed | null = null;

/** Lets players of this page play the second way where the first is missing. */
export function offerFeed(feed: Feed): void {
  offered = feed;
}

/** What the page offered. */
export function offeredFeed(): Feed | null {
  return offered;
}
