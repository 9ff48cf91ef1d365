/**
 * From the files and passphrases that a person brings to an identity.
 *
 * Specification: docs/format/sealed-file.md, identity files: plain text, or a sealed file with that
 * text inside. Knows nothing of grants. Invariants: a passphrase is wiped once it was tried, and
 * the opened text once it was read; a refusal is told with the next question, and never ends it.
 */

import { failureOf, PlayerFailure, type Failure, type FailureCode } from '../failure';
import type { IdentityQuestion } from '../protocol';
import { wipe, type Bytes } from './bytes';
import {
  identityFromSeed,
  MAX_IDENTITY_FILE_BYTES,
  parseIdentityFile,
  type Identity,
} from './identity';
import { loadStretcher, type OnProgress } from './passphrase';
import {
  FileRefused,
  isSealedFile,
  openSealedFile,
  wantsPassphrase,
  type FileFault,
} from './sealed-file';

/** What a person brings. A passphrase is UTF-8 as typed. */
export type Brought = { readonly file: Blob } | { readonly passphrase: Bytes };

/** Asks the person, who may bring another file also where a passphrase is asked for. */
export type AskPerson = (question: IdentityQuestion) => Promise<Brought>;

/** Refusals that leave the locked file as good as it was. */
const PASSING: readonly FailureCode[] = ['passphrase-wrong', 'memory-short', 'page-incomplete'];

/** Faults of a locked identity file in the viewer's words; the others are a damaged file. */
const CODES: Partial<Record<FileFault, FailureCode>> = {
  passphrase: 'passphrase-wrong',
  memory: 'memory-short',
  script: 'page-incomplete',
  version: 'identity-newer',
};

function refusalOf(error: unknown): Failure {
  if (error instanceof FileRefused) return { code: CODES[error.fault] ?? 'identity-damaged' };
  if (error instanceof PlayerFailure) return failureOf(error);
  return { code: 'identity-unreadable' };
}

async function read(file: Blob): Promise<Bytes> {
  if (file.size > MAX_IDENTITY_FILE_BYTES) throw new PlayerFailure('identity-unreadable');
  return new Uint8Array(await file.arrayBuffer());
}

/** Makes the identity of an identity file's text and wipes the text. */
async function identityOf(text: Bytes): Promise<Identity> {
  const seed = parseIdentityFile(new TextDecoder().decode(text));
  wipe(text);
  if (seed === null) throw new PlayerFailure('identity-unreadable');
  return identityFromSeed(seed);
}

async function unlock(
  locked: Bytes,
  passphrase: Bytes,
  onProgress: OnProgress | undefined,
): Promise<Identity> {
  try {
    const keys = { identities: [], passphrase, ...(onProgress && { onProgress }) };
    const { plaintext } = await openSealedFile(locked, keys);
    return await identityOf(new Uint8Array(plaintext));
  } finally {
    wipe(passphrase);
  }
}

/** Refuses a sealed file that no passphrase opens. */
async function checkLock(file: Bytes): Promise<void> {
  if (!(await wantsPassphrase(file))) throw new PlayerFailure('identity-without-passphrase');
  // Needed as soon as the passphrase is there, which takes a person longer. A failure shows then.
  loadStretcher().catch(() => undefined);
}

/** Asks until an identity is there; `refused` says why the one before it was not taken. */
export async function bringIdentity(
  ask: AskPerson,
  refused: Failure | null,
  onProgress?: OnProgress,
): Promise<Identity> {
  let locked: Bytes | null = null;
  let reason = refused;
  for (;;) {
    const brought = await ask({ wants: locked === null ? 'file' : 'passphrase', refused: reason });
    try {
      if ('file' in brought) {
        locked = null;
        const bytes = await read(brought.file);
        if (!isSealedFile(bytes)) return await identityOf(bytes);
        await checkLock(bytes);
        locked = bytes;
        reason = null;
      } else if (locked !== null) {
        return await unlock(locked, brought.passphrase, onProgress);
      }
    } catch (error) {
      reason = refusalOf(error);
      if (!PASSING.includes(reason.code)) locked = null;
    }
  }
}
