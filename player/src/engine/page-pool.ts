/**
 * The pool of this page, begun when the page loads the player: a Worker takes longer to start than a grant to arrive.
 *
 * Invariant: there is one at a time; another takes its place only after it was lost.
 */

import { openerCount, Pool } from './pool';
import { startOpener, startVault } from './trusted-urls';

let pool: Pool | null = null;

/** Returns the page's pool. */
export function pagePool(): Pool {
  if (pool === null || pool.isLost) {
    const spawn = { vault: startVault, opener: startOpener };
    pool = new Pool(spawn, openerCount(navigator.hardwareConcurrency));
  }
  return pool;
}
