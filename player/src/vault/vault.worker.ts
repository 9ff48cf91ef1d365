/**
 * The vault Worker: leads messages to the playbacks that they are about.
 *
 * One vault serves every playback of a page. Invariants: a playback is a [`Viewing`] of its own, which sees no other; what
 * they share is the memory of unwrapped keys, whose entries are found only by who could unwrap them again.
 */

import type { VaultRequest } from '../protocol';
import { UnwrapCache } from './unwrap-cache';
import { Viewing } from './viewing';
import { prepareXWing } from './xwing';

const cache = new UnwrapCache();
const viewings = new Map<number, Viewing>();

// Whoever needs it sees a failure again.
prepareXWing().catch(() => undefined);

function start({ playback, link, ports }: Extract<VaultRequest, { op: 'start' }>): void {
  const viewing = new Viewing(link, ports, cache, (report, transfer = []) =>
    postMessage({ ...report, playback }, { transfer }),
  );
  viewings.set(playback, viewing);
}

function end(playback: number): void {
  viewings.get(playback)?.end();
  viewings.delete(playback);
}

addEventListener('message', ({ data }: MessageEvent<VaultRequest>) => {
  const viewing = viewings.get(data.playback);
  switch (data.op) {
    case 'start':
      return start(data);
    case 'identity':
      return viewing?.bring({ file: data.file });
    case 'passphrase':
      return viewing?.bring({ passphrase: data.passphrase });
    case 'playlist':
      return void viewing?.playlist(data.id, data.rendition);
    case 'open':
      return viewing?.open(data.id, data.role);
    case 'abort':
      return viewing?.abort(data.id);
    case 'end':
      return end(data.playback);
  }
});
