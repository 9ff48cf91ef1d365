/**
 * Opens one sealed object as often as it is asked, by the vault's own opener, from pieces as a network brings them.
 *
 * Or has the browser decrypt as many bytes in as many calls, and does nothing with them: less no page can take.
 */

import { CHUNK_BYTES, ObjectOpener } from '../../../player/src/vault/cobblestone';
import { importPrk } from '../../../player/src/vault/hkdf';
import { CONTEXT, KEY, OBJECT_BYTES } from './sizes';

/** What Chromium's network hands over at a time where there is enough of it. */
const PIECE_BYTES = 65_536;

/** Calls of WebCrypto under way at once. */
const CALLS_IN_FLIGHT = 64;

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

interface Chunk {
  readonly algorithm: AesGcmParams;
  readonly key: CryptoKey;
  readonly bytes: ArrayBuffer;
}

/** A chunk that is nobody's. */
async function makeChunk(): Promise<Chunk> {
  const algorithm = { name: 'AES-GCM', iv: new Uint8Array(12) };
  const made = await crypto.subtle.importKey('raw', KEY, 'AES-GCM', false, ['encrypt', 'decrypt']);
  const bytes = await crypto.subtle.encrypt(algorithm, made, new Uint8Array(CHUNK_BYTES));
  return { algorithm, key: made, bytes };
}

const chunk = makeChunk();

async function decrypt(): Promise<void> {
  const { algorithm, key: its, bytes } = await chunk;
  const pending: Promise<void>[] = [];
  for (let done = 0; done < OBJECT_BYTES; done += CHUNK_BYTES) {
    const decrypted: Promise<ArrayBuffer & { transfer(bytes: number): ArrayBuffer }> =
      crypto.subtle.decrypt(algorithm, its, bytes) as never;
    pending.push(decrypted.then((plaintext) => void plaintext.transfer(0)));
    if (pending.length > CALLS_IN_FLIGHT) await pending.shift();
  }
  await Promise.all(pending);
  postMessage({ byteLength: OBJECT_BYTES });
}

addEventListener('message', ({ data }: MessageEvent<ArrayBuffer | 'open' | 'decrypt'>) => {
  if (data === 'open') return void open();
  if (data === 'decrypt') return void decrypt();
  sealed = new Uint8Array(data);
  postMessage('ready');
});
