/**
 * A hundred megabytes through the vault's own opener, in as many Workers as the player's pool has, from memory to the page.
 *
 * What is opened was sealed for the bench, in objects of a segment's size; nothing comes over a network while it is timed. The
 * bytes come in pieces, as a network would bring them, and leave by transfer.
 */

import { seal } from '../../player/test/sealer';
import type { Files } from '../first-frame/server';
import { CONTEXT, KEY, OBJECT_BYTES } from './page/sizes';

/** The sealed object that every Worker opens again and again, under the path that the page asks for. */
export function sealedFile(): Files {
  const plaintext = new Uint8Array(OBJECT_BYTES).map((_, at) => (at * 31) & 0xff);
  const body = Buffer.from(seal(KEY, new Uint8Array(24), CONTEXT, plaintext));
  return new Map([['/sealed', { type: 'application/octet-stream', cache: 'no-cache', body }]]);
}
