/**
 * What a browser has to play sealed video with.
 */

import type { Failure } from '../failure';
import { offeredFeed } from '../whole/offer';

type MediaSourceLike = Pick<typeof MediaSource, 'isTypeSupported'>;

/** The browser's media source, `undefined` where it has none. */
export function mediaSource(): MediaSourceLike | undefined {
  const { ManagedMediaSource, MediaSource: plain } = globalThis as {
    ManagedMediaSource?: MediaSourceLike;
    MediaSource?: MediaSourceLike;
  };
  return ManagedMediaSource ?? plain;
}

/** Tells what this browser lacks to play sealed video, `null` for nothing. */
export function findObstacle(): Failure | null {
  if (!globalThis.isSecureContext) return { code: 'insecure-context' };
  const canPlay = mediaSource() !== undefined || offeredFeed() !== null;
  const hasAll = 'subtle' in crypto && 'Worker' in globalThis && canPlay;
  return hasAll ? null : { code: 'browser-unsupported' };
}
