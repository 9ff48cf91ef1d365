/**
 * Opens one sealed object as often as it is asked, by the vault's own opener, from pieces as a network brings them.
 */

import { ObjectOpener } from '../../../player/src/vault/cobblestone';
import { importPrk } from '../../../player/src/vault/hkdf';
import { CONTEXT, KEY, OBJECT_BYTES } from './sizes';

/** What Chromium's network hands over at a time where there is enough of it. */
const PIECE_BYTES = 65_536;

const key = importPrk(KEY, 'SHA-512');
let sealed = new Uint8Array(0);

async function open(): Promise<void> {
  const opener = new ObjectOpener(await key, CONTEXT, OBJECT_BYTES);
  for (let at = 0; at < sealed.length; at += PIECE_BYTES) {
    await opener.push(sealed.subarray(at, at + PIECE_BYTES));
  }
  const plaintext = await opener.finish();
  postMessage(plaintext, { transfer: [plaintext] });
}

addEventListener('message', ({ data }: MessageEvent<ArrayBuffer | 'open'>) => {
  if (data === 'open') return void open();
  sealed = new Uint8Array(data);
  postMessage('ready');
});
