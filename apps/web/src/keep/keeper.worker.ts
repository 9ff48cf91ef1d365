/**
 * The keeper Worker: fetches a title's sealed objects and puts them away as they are.
 *
 * It has the link's bearer and no key: what it keeps it could not open. Invariants: what lies in a copy is as long as the
 * sealed manifest says; a copy counts as whole when its last object is there; what was fetched before is not fetched
 * again.
 */

import { failureOf, PlayerFailure, type Failure } from '../../../../player/src/failure';
import type { Link } from '../../../../player/src/protocol';
import { Connection } from '../../../../player/src/vault/connection';
import { parseLinkSecret } from '../../../../player/src/vault/identity';
import { keptAddress, keptCache } from '../../../../player/src/vault/kept-places';
import { remember, type Copy } from './copies';
import { offerOf, type Plan, type PlannedRendition } from './plan';
import { Source, type Listing } from './source';

/** What the page asks, once. */
export interface KeepRequest {
  readonly link: Link;
  readonly plan: Plan;
}

/** What the page is told. */
export type KeepReport =
  | { readonly event: 'progress'; readonly bytes: number }
  | { readonly event: 'trouble'; readonly failure: Failure | null }
  | { readonly event: 'done' }
  | { readonly event: 'full' }
  | { readonly event: 'failed'; readonly failure: Failure };

/** Objects fetched at a time: enough to fill a line, few enough to leave some of it to playing. */
const AT_ONCE = 3;
/** Objects between two notes of how far it is. */
const NOTE_EVERY = 25;

function report(message: KeepReport): void {
  postMessage(message);
}

const connection = new Connection((failure) => report({ event: 'trouble', failure }));

/** An object that a copy is to have. */
interface Wanted {
  readonly rendition: number;
  readonly index: number;
  readonly bytes: number;
}

/** A copy in the making. */
class Keeping {
  #bytes = 0;
  #count = 0;
  readonly #listings = new Map<number, Promise<Listing[]>>();

  constructor(
    private readonly source: Source,
    private readonly cache: Cache,
    private readonly plan: Plan,
    private readonly uris: readonly string[],
    private readonly note: (bytes: number) => Promise<void>,
  ) {}

  async run(): Promise<void> {
    const wanted = this.plan.renditions.flatMap((rendition, at) => wantedOf(rendition, at));
    const hands = Array.from({ length: AT_ONCE }, async () => {
      for (let next = wanted.shift(); next !== undefined; next = wanted.shift()) {
        await this.#keep(next);
      }
    });
    await Promise.all(hands);
    await this.note(this.#bytes);
  }

  /** URLs run out while a long title is fetched: then its playlist is asked for anew, once for all hands. */
  #listing(rendition: number, stale?: Promise<Listing[]>): Promise<Listing[]> {
    const known = this.#listings.get(rendition);
    if (known !== undefined && known !== stale) return known;
    const { objects } = this.plan.renditions[rendition] as PlannedRendition;
    const uri = this.uris[rendition] as string;
    const fetched = connection.persist(() => this.source.listing(uri, objects.length));
    this.#listings.set(rendition, fetched);
    return fetched;
  }

  async #keep({ rendition, index, bytes }: Wanted): Promise<void> {
    const listing = this.#listing(rendition);
    let object = (await listing)[index] as Listing;
    const address = keptAddress.object(object.name, object.range);
    if ((await this.cache.match(address)) === undefined) {
      const body = await connection.persist(async () => {
        const first = await this.source.object(object, bytes);
        if (first !== null) return first;
        object = (await this.#listing(rendition, listing))[index] as Listing;
        const second = await this.source.object(object, bytes);
        if (second === null) throw new PlayerFailure('store-unavailable');
        return second;
      });
      await this.cache.put(address, new Response(body));
    }
    this.#bytes += bytes;
    this.#count++;
    report({ event: 'progress', bytes: this.#bytes });
    // The whole of it is noted at the end, when every hand has put its object away.
    const isLast = this.#bytes >= this.plan.bytes;
    if (!isLast && this.#count % NOTE_EVERY === 0) await this.note(this.#bytes);
  }
}

function wantedOf({ objects }: PlannedRendition, rendition: number): Wanted[] {
  return objects.map((bytes, index) => ({ rendition, index, bytes }));
}

async function keep({ link, plan }: KeepRequest): Promise<void> {
  const secret = await parseLinkSecret(link.secret);
  if (secret === null) throw new PlayerFailure('link-incomplete');
  const source = new Source(link, secret.bearer);
  const { record, body, preloads } = await connection.persist(() => source.grant());
  const cache = await caches.open(keptCache(link.grantId));
  const copy: Copy = {
    v: 1,
    grantId: link.grantId,
    gateway: link.gateway,
    keptMs: Date.now(),
    expiresMs: record.expiresMs,
    height: plan.height,
    bytes: 0,
    totalBytes: plan.bytes,
  };
  const note = (bytes: number): Promise<void> => remember({ ...copy, bytes });
  await note(0);
  for (const preload of preloads) {
    const object = await connection.persist(() => source.preload(preload));
    await cache.put(keptAddress.object(preload.name, null), new Response(object));
  }
  const offer = offerOf(await connection.persist(() => source.playlist(record.index)), plan);
  for (const uri of offer.uris) {
    const name = source.nameOf(uri);
    const text = await connection.persist(() => source.playlist(name));
    await cache.put(keptAddress.playlist(name), new Response(text));
  }
  await cache.put(keptAddress.playlist(record.index), new Response(offer.text));
  await cache.put(keptAddress.grant(link.grantId), new Response(body));
  await new Keeping(source, cache, plan, offer.uris, note).run();
}

function tell(error: unknown): void {
  const isFull = error instanceof DOMException && error.name === 'QuotaExceededError';
  report(isFull ? { event: 'full' } : { event: 'failed', failure: failureOf(error) });
}

addEventListener('message', ({ data }: MessageEvent<KeepRequest>) => {
  // Two windows with one link: the second waits, and finds everything there.
  void navigator.locks
    .request(keptCache(data.link.grantId), () => keep(data))
    .then(() => report({ event: 'done' }), tell);
});
