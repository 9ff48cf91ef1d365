/**
 * `fetch`, with the copies that a viewer keeps on the device behind it.
 *
 * A copy is what the gateway and the bucket would send, sealed as it is there: the grant with its envelope, playlists,
 * objects. Nothing of it opens without the link. Who writes copies is the page's business. Invariant: where there are none,
 * nothing is loaded for them, and a request costs no more than ever.
 */

/** Before the grant's id in the name of a copy's cache. */
export const COPIES = 'veilcast-kept-';

let known: Promise<boolean> | null = null;

async function look(): Promise<boolean> {
  if (globalThis.caches === undefined) return false;
  const names = await caches.keys().catch((): string[] => []);
  return names.some((name) => name.startsWith(COPIES));
}

/** Whether there are copies at all. */
function hasCopies(): Promise<boolean> {
  known ??= look();
  return known;
}

/** Asks the network or a copy: see `kept-answers.ts` for which. */
export async function fetchOrKept(url: string, init: RequestInit): Promise<Response> {
  // A playback begins with its grant: what was kept since the one before counts from here on.
  if (/\/v1\/grants\/\w+$/.test(url)) known = null;
  if (await hasCopies()) return (await import('./kept-answers')).answer(url, init);
  try {
    return await fetch(url, init);
  } catch (error) {
    known = null;
    if (init.signal?.aborted || !(await hasCopies())) throw error;
    const kept = await (await import('./kept-answers')).copyFor(url, init);
    if (kept === null) throw error;
    return kept;
  }
}
