/**
 * A part of a resource: how it is asked for, and whether an answer is that part.
 *
 * Specification: RFC 9110 §14. Knows nothing of seals. Invariant: an answer that is not exactly the part that was asked
 * for is refused before its body is read.
 */

import { PlayerFailure } from '../failure';
import { SealBroken } from './cobblestone';

/** Bytes of a resource whose length is known. */
export interface Part {
  readonly offset: number;
  readonly bytes: number;
  /** Length of the whole resource. */
  readonly of: number;
}

const CONTENT_RANGE = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15}|\*)$/i;

/** Returns the value of `Range` for `part`, which isn't empty. */
export function rangeHeader({ offset, bytes }: Part): string {
  return `bytes=${offset}-${offset + bytes - 1}`;
}

/** Tells the status of an answer to a range request as if the part were a resource of its own. */
export function statusOfPart(response: Response): number {
  if (response.status === 206) return 200;
  // The whole resource could be gigabytes; nobody wants to read past them.
  if (response.status === 200) throw new PlayerFailure('ranges-unsupported');
  // It ends before this part begins.
  if (response.status === 416) throw new SealBroken('length');
  return response.status;
}

/** Throws where a 206 announces another part, or a resource of another length. */
export function checkContentRange(response: Response, part: Part): void {
  const header = response.headers.get('content-range');
  // Another origin may keep the header to itself; the seal tells its bytes from others.
  if (header === null && response.type === 'cors') return;
  const [, first, last, whole] = CONTENT_RANGE.exec(header ?? '') ?? [];
  if (first === undefined) throw new PlayerFailure('ranges-unsupported');
  const isWhole = whole === '*' || Number(whole) === part.of;
  const isPart = Number(first) === part.offset && Number(last) === part.offset + part.bytes - 1;
  if (!isWhole || !isPart) throw new SealBroken('length');
}
