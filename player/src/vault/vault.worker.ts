/**
 * The vault Worker: owns the link's secret, the identity, the bearer and the title key.
 *
 * Everything that the page learns leaves through `report`: the opened manifest, checked playlists,
 * opened objects and failures. Invariant: one vault serves one link in its life.
 */

import { failureOf, PlayerFailure } from '../failure';
import type { Link, OpenerToVault, VaultReport, VaultRequest, VaultToOpener } from '../protocol';
import { Connection } from './connection';
import { Gateway } from './gateway';
import { parseLinkSecret } from './identity';
import { bringIdentity, type AskPerson, type Brought } from './identity-file';
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

let take: ((brought: Brought) => void) | null = null;

/** Hands what the page brought to who asked for it; what nobody asked for is forgotten. */
function bring(brought: Brought): void {
  take?.(brought);
  take = null;
}

/** Reports whole hundredths: a message for each block of memory would be more work than the work. */
function progress(): (done: number) => void {
  let reported = -1;
  return (done) => {
    const hundredths = Math.floor(done * 100);
    if (hundredths === reported) return;
    reported = hundredths;
    report({ event: 'unlocking', done: hundredths / 100 });
  };
}

const askIdentity: AskIdentity = (recipient, wrong) => {
  const ask: AskPerson = (question) => {
    report({ event: 'identity-needed', recipient, ...question });
    return new Promise((resolve) => {
      take = resolve;
    });
  };
  return bringIdentity(ask, wrong ? { code: 'identity-wrong' } : null, progress());
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
      return bring({ file: data.file });
    case 'passphrase':
      return bring({ passphrase: data.passphrase });
    case 'playlist':
      return void sendPlaylist(data.id, data.rendition);
    case 'open':
      return void jobs.open(data.id, data.role);
    case 'abort':
      return jobs.abort(data.id);
  }
});
