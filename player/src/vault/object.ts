/**
 * Fetches one sealed object and opens it while it arrives.
 *
 * Knows nothing of playlists or messages: where an object lies is asked from a [`Locate`]. An
 * address that the store refuses is asked for once more, then counts as the store's fault.
 */

import { PlayerFailure, type Part } from '../failure';
import { ObjectOpener, SealBroken, sealedLength } from './cobblestone';
import { download, nowMs, type NetworkTiming } from './download';
import { checkContentRange, rangeHeader, statusOfPart, type Part as RangePart } from './range';
import { encodeRole, objectKeyUnder, type Role, type TitleKey, type Variant } from './role';

/** Where an object lies and what is known of it. */
export interface Located {
  readonly url: string;
  /** Where in the resource it lies; `null` where it is all of it. */
  readonly place: { readonly offset: number; readonly of: number } | null;
  /** Plaintext length, from the sealed manifest. */
  readonly bytes: number;
  readonly part: Part;
  /** What opens a viewer's variant of a marked segment; what exists once opens under the title key. */
  readonly variantKey?: VariantKey | undefined;
}

/** The slot key of one variant, as it passes between Workers; no script can read it. */
export interface VariantKey {
  readonly variant: Exclude<Variant, 0>;
  readonly prk: CryptoKey;
}

/** Finds an object; `stale` is the URL that was refused, so that a fresh one is asked for. */
export type Locate = (role: Role, stale: string | null) => Promise<Located>;

/** An opened object and how its download went. */
export interface Opened {
  readonly plaintext: ArrayBuffer;
  readonly timing: NetworkTiming;
  /** Sealed bytes that were loaded. */
  readonly loaded: number;
  /** From the arrival of the last byte until every chunk was verified, in milliseconds. */
  readonly lagMs: number;
}

/** Told as bytes arrive. */
export type OnProgress = (loaded: number, total: number) => void;

/** Thrown where the store refuses an address that may have run out. */
class AddressRefused extends Error {}

/** Throws where `status` says that there is no object in the body. */
export function checkObjectStatus(status: number, part: Part): void {
  if (status === 200) return;
  // S3 says 403 for an expired signature, Garage says 400.
  if (status === 403 || status === 400) throw new AddressRefused();
  if (status === 404 || status === 410) throw new PlayerFailure('object-missing', part);
  throw new PlayerFailure('store-unavailable');
}

function checkAnnouncedLength(response: Response, total: number): void {
  const announced = response.headers.get('content-length');
  if (announced === null || response.headers.has('content-encoding')) return;
  if (Number(announced) !== total) throw new SealBroken('length');
}

/** Throws where an answer is not the object of `total` sealed bytes, before its body is read. */
function accept(
  response: Response,
  located: Located,
  range: RangePart | null,
  total: number,
): void {
  const status = range === null ? response.status : statusOfPart(response);
  checkObjectStatus(status, located.part);
  if (range !== null) checkContentRange(response, range);
  checkAnnouncedLength(response, total);
}

async function fetchAndOpen(
  located: Located,
  key: TitleKey,
  role: Role,
  signal: AbortSignal | undefined,
  onProgress: OnProgress | undefined,
): Promise<Opened> {
  const total = sealedLength(located.bytes);
  const range = located.place && { ...located.place, bytes: total };
  let loaded = 0;
  let arrivedMs = nowMs();
  try {
    const { variant, prk } = located.variantKey ?? { variant: 0, prk: key.prk };
    const context = encodeRole(key.titleId, role, variant);
    const opener = new ObjectOpener(await objectKeyUnder(prk, context), context, located.bytes);
    const timing = await download({
      url: located.url,
      ...(signal && { signal }),
      // A browser's cache hands out one part of a resource at a time, and asks twice after one that was given up.
      ...(range && { init: { headers: { Range: rangeHeader(range) }, cache: 'no-store' } }),
      accept: (response) => accept(response, located, range, total),
      take: async (bytes) => {
        loaded += bytes.length;
        arrivedMs = nowMs();
        onProgress?.(loaded, total);
        await opener.push(bytes);
      },
    });
    const plaintext = await opener.finish();
    return { plaintext, timing, loaded, lagMs: nowMs() - arrivedMs };
  } catch (cause) {
    if (!(cause instanceof SealBroken)) throw cause;
    throw new PlayerFailure('tampered', located.part, { cause });
  }
}

/** Opens the object of `role`; throws a [`PlayerFailure`] or an `AbortError`. */
export async function openRole(
  key: TitleKey,
  role: Role,
  locate: Locate,
  signal?: AbortSignal,
  onProgress?: OnProgress,
): Promise<Opened> {
  const first = await locate(role, null);
  try {
    return await fetchAndOpen(first, key, role, signal, onProgress);
  } catch (error) {
    if (!(error instanceof AddressRefused)) throw error;
  }
  const second = await locate(role, first.url);
  try {
    return await fetchAndOpen(second, key, role, signal, onProgress);
  } catch (error) {
    throw error instanceof AddressRefused ? new PlayerFailure('store-unavailable') : error;
  }
}
