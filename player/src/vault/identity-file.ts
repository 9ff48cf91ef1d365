/**
 * From what a person brings, or has on the device, to an identity: files, passphrases, passkeys.
 *
 * Specification: docs/format/sealed-file.md, identity files: plain text, or a sealed file with that
 * text inside. Knows nothing of grants. Invariants: a passphrase is wiped once it was tried, and
 * the opened text once it was read; a refusal is told with the next question, and never ends it.
 */

import { failureOf, PlayerFailure, type Failure, type FailureCode } from '../failure';
import type { IdentityQuestion } from '../protocol';
import { wipe, type Bytes } from './bytes';
import { MAX_IDENTITY_FILE_BYTES, parseIdentityFile } from './identity-text';
import {
  loadStretcher,
  PassphraseRefused,
  type OnProgress,
  type PassphraseFault,
} from './passphrase';
import {
  FileRefused,
  isSealedFile,
  openSealedFile,
  wantsPassphrase,
  type FileFault,
} from './sealed-file';
import {
  bringSeed,
  openIdentity,
  StoredIdentityBroken,
  type BroughtIdentity,
  type Opener,
  type StoredIdentity,
} from './stored-identity';

/** What a person brings. */
export type Brought = { readonly file: Blob } | Opener;

/** Asks the person, who may bring a file also where something else is asked for. */
export type AskPerson = (question: IdentityQuestion) => Promise<Brought>;

/** An identity that wants something to open it. */
interface Locked {
  readonly question: Omit<IdentityQuestion, 'refused'>;
  open(opener: Opener, onProgress: OnProgress | undefined): Promise<BroughtIdentity>;
}

/** Refusals that leave the locked file as good as it was. */
const PASSING: readonly FailureCode[] = ['passphrase-wrong', 'memory-short', 'page-incomplete'];

/** Faults of a locked identity file in the viewer's words; the others are a damaged file. */
const CODES: Partial<Record<FileFault | PassphraseFault, FailureCode>> = {
  passphrase: 'passphrase-wrong',
  memory: 'memory-short',
  script: 'page-incomplete',
  version: 'identity-newer',
};

function refusalOf(error: unknown): Failure {
  if (error instanceof FileRefused) return { code: CODES[error.fault] ?? 'identity-damaged' };
  if (error instanceof PassphraseRefused) return { code: CODES[error.fault] ?? 'identity-damaged' };
  if (error instanceof PlayerFailure) return failureOf(error);
  return { code: 'identity-unreadable' };
}

async function read(file: Blob): Promise<Bytes> {
  if (file.size > MAX_IDENTITY_FILE_BYTES) throw new PlayerFailure('identity-unreadable');
  return new Uint8Array(await file.arrayBuffer());
}

/** Makes the identity of an identity file's text and wipes the text. */
async function identityOf(text: Bytes): Promise<BroughtIdentity> {
  const seed = parseIdentityFile(new TextDecoder().decode(text));
  wipe(text);
  if (seed === null) throw new PlayerFailure('identity-unreadable');
  return bringSeed(seed);
}

/** A sealed file, refused where no passphrase opens it. */
async function lockedFile(file: Bytes): Promise<Locked> {
  if (!(await wantsPassphrase(file))) throw new PlayerFailure('identity-without-passphrase');
  // Needed as soon as the passphrase is there, which takes a person longer. A failure shows then.
  loadStretcher().catch(() => undefined);
  const open = async (opener: Opener, onProgress: OnProgress | undefined) => {
    if ('secret' in opener) throw new PlayerFailure('passphrase-wrong');
    const { passphrase } = opener;
    const keys = { identities: [], passphrase, ...(onProgress && { onProgress }) };
    const { plaintext } = await openSealedFile(file, keys);
    return identityOf(new Uint8Array(plaintext));
  };
  return { question: { wants: 'passphrase' }, open };
}

/** An identity on this device, which a passkey or a passphrase opens. */
function lockedHere(stored: StoredIdentity): Locked {
  const { kind } = stored.lock;
  if (kind === 'passphrase') loadStretcher().catch(() => undefined);
  const open = async (opener: Opener, onProgress: OnProgress | undefined) => {
    try {
      return { identity: await openIdentity(stored, opener, onProgress), kept: null };
    } catch (cause) {
      if (!(cause instanceof StoredIdentityBroken)) throw cause;
      // Under a passphrase nothing else than another passphrase gives another key.
      const code = kind === 'passphrase' ? 'passphrase-wrong' : 'identity-damaged';
      throw new PlayerFailure(code, undefined, { cause });
    }
  };
  if (stored.lock.kind !== 'passkey') {
    return { question: { wants: 'passphrase', isStored: true }, open };
  }
  const { credential, salt } = stored.lock;
  return { question: { wants: 'passkey', isStored: true, passkey: { credential, salt } }, open };
}

function wipeOpener(opener: Opener): void {
  wipe('secret' in opener ? opener.secret : opener.passphrase);
}

/**
 * Asks until an identity is there; `refused` says why the one before it was not taken, `stored` is one on this device that
 * would do.
 */
export async function bringIdentity(
  ask: AskPerson,
  refused: Failure | null,
  stored: StoredIdentity | null,
  onProgress?: OnProgress,
): Promise<BroughtIdentity> {
  let locked = stored && lockedHere(stored);
  let reason = refused;
  for (;;) {
    const brought = await ask({ ...(locked?.question ?? { wants: 'file' }), refused: reason });
    try {
      if ('file' in brought) {
        locked = null;
        const bytes = await read(brought.file);
        if (!isSealedFile(bytes)) return await identityOf(bytes);
        locked = await lockedFile(bytes);
        reason = null;
      } else if (locked !== null) {
        return await locked.open(brought, onProgress);
      }
    } catch (error) {
      reason = refusalOf(error);
      if (!PASSING.includes(reason.code)) locked = null;
    } finally {
      if (!('file' in brought)) wipeOpener(brought);
    }
  }
}
