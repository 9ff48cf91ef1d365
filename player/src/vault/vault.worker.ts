/**
 * The vault Worker: owns the link's secret, the identity, the bearer and the title key.
 *
 * Everything that the page learns leaves through `report`: the opened manifest, checked playlists,
 * opened objects and failures. Invariant: one vault serves one link in its life.
 */

import { failureOf, PlayerFailure, type Failure } from '../failure';
import type { Link, OpenerToVault, VaultReport, VaultRequest, VaultToOpener } from '../protocol';
import { wipe } from './bytes';
import { Connection } from './connection';
import { Gateway } from './gateway';
import {
  identityFromSeed,
  MAX_IDENTITY_FILE_BYTES,
  parseIdentityFile,
  parseLinkSecret,
  type Identity,
} from './identity';
import { Jobs, type OpenRight } from './jobs';
import { Shelf } from './shelf';
import { unlock, type AskIdentity } from './unlock';
import { hasNativeXWing } from './xwing';

const GRANT_ID = /^[0-9a-f]{32}$/;

function report(message: VaultReport, transfer: Transferable[] = []): void {
  postMessage(message, { transfer });
}

interface Opened {
  readonly shelf: Shelf;
  readonly right: OpenRight;
}

let settleOpened: (opened: Promise<Opened>) => void;
const opened = new Promise<Opened>((resolve) => {
  settleOpened = resolve;
});
// Its failure is reported once, by `start`; requests that wait for it see it again on their own.
opened.catch(() => undefined);

const connection = new Connection((failure) => report({ event: 'trouble', failure }));
const jobs = new Jobs(
  opened.then(({ right }) => right),
  async (role, stale) => (await opened).shelf.locate(role, stale),
  connection,
  report,
);

let takeFile: ((file: File) => void) | null = null;

function nextFile(recipient: string, refused: Failure | null): Promise<File> {
  report({ event: 'identity-needed', recipient, refused });
  return new Promise((resolve) => {
    takeFile = resolve;
  });
}

async function readIdentity(file: File): Promise<Identity | null> {
  if (file.size > MAX_IDENTITY_FILE_BYTES) return null;
  const bytes = new Uint8Array(await file.arrayBuffer());
  const seed = parseIdentityFile(new TextDecoder().decode(bytes));
  wipe(bytes);
  return seed && identityFromSeed(seed);
}

const askIdentity: AskIdentity = async (recipient, wrong) => {
  let refused: Failure | null = wrong ? { code: 'identity-wrong' } : null;
  for (;;) {
    const identity = await readIdentity(await nextFile(recipient, refused)).catch(() => null);
    if (identity !== null) return identity;
    refused = { code: 'identity-unreadable' };
  }
};

async function open(link: Link): Promise<Opened> {
  const secret = await parseLinkSecret(link.secret);
  if (secret === null || !GRANT_ID.test(link.grantId)) throw new PlayerFailure('link-incomplete');
  // The answer is needed right after the grant's: ask while the network is busy.
  void hasNativeXWing();
  const gateway = new Gateway(link.gateway, link.grantId, secret.bearer);
  const unlocked = await unlock(gateway, secret, connection, askIdentity);
  const shelf = new Shelf(gateway, connection, unlocked);
  return { shelf, right: { key: unlocked.key, expiresMs: unlocked.record.expiresMs } };
}

async function start(link: Link): Promise<void> {
  const opening = open(link);
  settleOpened(opening);
  try {
    const { shelf } = await opening;
    const title = await shelf.title();
    const provider = (await hasNativeXWing()) ? 'native' : 'noble';
    report({ event: 'title', title, provider });
  } catch (error) {
    report({ event: 'stopped', failure: failureOf(error) });
  }
}

async function sendPlaylist(id: number, rendition: number | null): Promise<void> {
  try {
    const { shelf } = await opened;
    report({ event: 'playlist', id, ...(await shelf.playlist(rendition)) });
  } catch (error) {
    report({ event: 'failed', id, failure: failureOf(error) });
  }
}

async function answer(port: MessagePort, question: OpenerToVault): Promise<void> {
  const tell = (message: VaultToOpener): void => port.postMessage(message);
  const { id, role, stale } = question;
  try {
    const { shelf } = await opened;
    tell({ tell: 'located', id, located: await shelf.locate(role, stale) });
  } catch (error) {
    tell({ tell: 'lost', id, failure: failureOf(error) });
  }
}

async function connect(port: MessagePort): Promise<void> {
  port.addEventListener('message', ({ data }: MessageEvent<OpenerToVault>) => {
    void answer(port, data);
  });
  port.start();
  try {
    const { key, expiresMs } = (await opened).right;
    const message: VaultToOpener = { tell: 'key', titleId: key.titleId, prk: key.prk, expiresMs };
    port.postMessage(message);
  } catch {
    // `start` reports why there is no key; the opener waits and is ended with the page's player.
  }
}

addEventListener('message', ({ data }: MessageEvent<VaultRequest>) => {
  switch (data.op) {
    case 'connect':
      return void connect(data.port);
    case 'start':
      return void start(data);
    case 'identity':
      takeFile?.(data.file);
      takeFile = null;
      return;
    case 'playlist':
      return void sendPlaylist(data.id, data.rendition);
    case 'open':
      return void jobs.open(data.id, data.role);
    case 'abort':
      return jobs.abort(data.id);
  }
});
