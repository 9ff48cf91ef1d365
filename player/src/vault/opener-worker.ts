/**
 * The opener Worker: more hands for fetching and opening objects, lent to every playback of the page.
 *
 * Invariant: a playback is an [`Opening`] of its own, with a port of its own to its vault; it sees no other's key.
 */

import type { BeginRequest, OpenerRequest } from '../protocol';
import { Opening } from './opening';

const openings = new Map<number, Opening>();

function begin({ playback, port }: BeginRequest): void {
  const opening = new Opening(port, (report, transfer = []) =>
    postMessage({ ...report, playback }, { transfer }),
  );
  openings.set(playback, opening);
}

function hear({ data }: MessageEvent<OpenerRequest | BeginRequest>): void {
  const opening = openings.get(data.playback);
  switch (data.op) {
    case 'begin':
      return begin(data);
    case 'open':
      return opening?.open(data.id, data.role);
    case 'abort':
      return opening?.abort(data.id);
    case 'end':
      opening?.end();
      openings.delete(data.playback);
  }
}

/** Makes this Worker an opener. */
export function serveAsOpener(): void {
  addEventListener('message', hear);
}
