/**
 * The vault Worker: leads messages to the playbacks that they are about.
 *
 * One vault serves every playback of a page. Invariants: a playback is a [`Viewing`] of its own, which sees no other; what
 * they share is the memory of unwrapped keys, whose entries are found only by who could unwrap them again.
 */

import type { VaultReport, VaultRequest } from '../protocol';
import { UnwrapCache } from './unwrap-cache';
import { openDesk } from './identity-desk';
import { Viewing } from './viewing';

const cache = new UnwrapCache();
const viewings = new Map<number, Viewing>();

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

/** Does something to the identities on this device and tells the page what lies there then. */
async function tellIdentities(
  { playback, id }: { readonly playback: number; readonly id: number },
  change: () => Promise<unknown>,
): Promise<void> {
  const tell = (identities: Extract<VaultReport, { event: 'identities' }>['identities']): void =>
    postMessage({ event: 'identities', playback, id, identities });
  try {
    const { knownIdentities } = await openDesk();
    tell((await change()) === false ? null : await knownIdentities());
  } catch {
    // A browser that keeps nothing, or a database that is broken: nothing is stored, and the page may say so.
    tell(null);
  }
}

async function forget(keyId: string): Promise<void> {
  cache.clear();
  const { forgetIdentity } = await openDesk();
  await forgetIdentity(keyId);
}

function hear({ data }: MessageEvent<VaultRequest>): void {
  const viewing = viewings.get(data.playback);
  switch (data.op) {
    case 'start':
      return start(data);
    case 'identity':
      return viewing?.bring({ file: data.file });
    case 'passphrase':
      return viewing?.bring({ passphrase: data.passphrase });
    case 'passkey':
      return viewing?.bring({ secret: data.secret });
    case 'remember':
      return void tellIdentities(data, async () => (await viewing?.remember(data.lock)) ?? false);
    case 'identities':
      return void tellIdentities(data, async () => undefined);
    case 'forget':
      return void tellIdentities(data, () => forget(data.keyId));
    case 'playlist':
      return void viewing?.playlist(data.id, data.rendition);
    case 'open':
      return viewing?.open(data.id, data.role);
    case 'abort':
      return viewing?.abort(data.id);
    case 'end':
      return end(data.playback);
  }
}

/** Makes this Worker the vault. */
export function serveAsVault(): void {
  addEventListener('message', hear);
}
