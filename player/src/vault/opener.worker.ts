/**
 * The opener Worker: a second pair of hands for fetching and opening objects.
 *
 * Gets the title key from the vault Worker over their own port, as a key that no script can read,
 * and asks it where objects lie. Never sees the link, the bearer or the identity.
 */

import { PlayerFailure } from '../failure';
import type { OpenerRequest, OpenerToVault, VaultToOpener } from '../protocol';
import { Connection } from './connection';
import { Jobs, type OpenRight, type Report } from './jobs';
import type { Located } from './object';
import { TitleKey, type Role } from './role';

interface Asked {
  resolve(located: Located): void;
  reject(error: PlayerFailure): void;
}

const report: Report = (message, transfer = []) => postMessage(message, { transfer });
const asked = new Map<number, Asked>();
let nextAsk = 0;
let vault: MessagePort | null = null;
let grantRight: (right: OpenRight) => void;
const right = new Promise<OpenRight>((resolve) => {
  grantRight = resolve;
});

function locate(role: Role, stale: string | null): Promise<Located> {
  return new Promise((resolve, reject) => {
    const id = nextAsk++;
    asked.set(id, { resolve, reject });
    const question: OpenerToVault = { ask: 'locate', id, role, stale };
    vault?.postMessage(question);
  });
}

function hear({ data }: MessageEvent<VaultToOpener>): void {
  if (data.tell === 'key') {
    grantRight({ key: TitleKey.adopt(data.titleId, data.prk), expiresMs: data.expiresMs });
    return;
  }
  const waiting = asked.get(data.id);
  asked.delete(data.id);
  if (data.tell === 'located') waiting?.resolve(data.located);
  else waiting?.reject(new PlayerFailure(data.failure.code, data.failure.part));
}

const connection = new Connection((failure) => report({ event: 'trouble', failure }));
const jobs = new Jobs(right, locate, connection, report);

addEventListener('message', ({ data }: MessageEvent<OpenerRequest>) => {
  switch (data.op) {
    case 'connect':
      vault = data.port;
      vault.addEventListener('message', hear);
      vault.start();
      break;
    case 'open':
      void jobs.open(data.id, data.role);
      break;
    case 'abort':
      jobs.abort(data.id);
      break;
  }
});
