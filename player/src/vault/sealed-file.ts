/**
 * Opens sealed files that are wholly at hand: a keyring in front, a Cobblestone-256 body behind.
 *
 * Specification: docs/format/sealed-file.md. Knows nothing of what is inside, and makes no files.
 * Invariants: nothing of the body is opened before the directory has authenticated every field of
 * the keyring; a half that fails is passed over, since a crash may have torn it.
 */

import { concat, equalInConstantTime, toHex, utf8, wipe, type Bytes } from './bytes';
import { MAX_PLAINTEXT_BYTES, openObject, SealBroken, sealedLength } from './cobblestone';
import { expand, importPrk } from './hkdf';
import { EnvelopeBroken, openEnvelope } from './hpke';
import { PassphraseRefused, STANZA_BYTES, unwrapFileKey, type OnProgress } from './passphrase';
import type { XWingKey } from './xwing';

const MAGIC = utf8('veilcast/file/v1');
/** What files of every version begin with. */
const FAMILY = MAGIC.subarray(0, 14);
const PREFIX_BYTES = 20;
const MIN_HALF_BYTES = 4096;
const MAX_HALF_BYTES = 2_097_152;
const MAX_RECIPIENTS = 1023;
const FIELDS_BYTES = 64;
const CHECKSUM_AT = 32;
const CHECKSUM_BYTES = 32;
const ENVELOPE_BYTES = 1168;
const KEY_BYTES = 32;
const KEY_ID_BYTES = 16;

const FILE_KEY_INFO = utf8('veilcast/file-key/v1');
const DIRECTORY_KEY_LABEL = utf8('veilcast/file/directory-key/v1');
const DIRECTORY_CONTEXT = utf8('veilcast/file/directory/v1\0');
const BODY_KEY_LABEL = utf8('veilcast/file/body-key/v1');
const BODY_CONTEXT = utf8('veilcast/file/body/v1');
const EMPTY: Bytes = new Uint8Array(0);

/** Largest body that is opened here, all of it in memory at once. */
export const MAX_BODY_BYTES = sealedLength(MAX_PLAINTEXT_BYTES);

/**
 * Why a file doesn't open: it is none, or of another version; no identity or passphrase fits; its
 * keyring or its body was changed or cut; it is too long. Or this device is why: memory or a
 * script that is wanted can't be had.
 */
export type FileFault =
  | 'not-sealed'
  | 'version'
  | 'identity'
  | 'passphrase'
  | 'keyring'
  | 'body'
  | 'too-long'
  | 'memory'
  | 'script';

/** Thrown where a file doesn't open. */
export class FileRefused extends Error {
  constructor(
    readonly fault: FileFault,
    options?: ErrorOptions,
  ) {
    super(`the sealed file does not open (${fault})`, options);
    this.name = 'FileRefused';
  }
}

/** What somebody has to open files with. */
export interface FileKeys {
  readonly identities: readonly XWingKey[];
  /** UTF-8 as typed. */
  readonly passphrase: Bytes | null;
  /** Told how far the work on the passphrase is. */
  readonly onProgress?: OnProgress;
}

/** A file that is open. */
export interface OpenedFile {
  readonly plaintext: ArrayBuffer;
  /** Key ids of its recipients, as the keyring vouches for them. */
  readonly recipients: readonly string[];
  /** How often the keyring was written. */
  readonly sequence: bigint;
}

/** A keyring whose checksum holds. */
interface Half {
  readonly sequence: bigint;
  readonly envelopes: readonly Bytes[];
  readonly stanza: Bytes | null;
  readonly directory: Bytes;
  readonly directoryContext: Bytes;
}

/** What comes before the body, and the body. */
interface Parts {
  /** The higher sequence first. */
  readonly halves: readonly Half[];
  readonly body: Bytes;
}

function startsWith(bytes: Bytes, start: Bytes): boolean {
  return bytes.length >= start.length && start.every((byte, at) => bytes[at] === byte);
}

function viewOf(bytes: Bytes): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Tells whether bytes are a sealed file, of this version or another. */
export function isSealedFile(bytes: Bytes): boolean {
  return startsWith(bytes, FAMILY);
}

function readHalfBytes(file: Bytes): number {
  if (!isSealedFile(file) || file.length < PREFIX_BYTES) throw new FileRefused('not-sealed');
  if (!startsWith(file, MAGIC)) throw new FileRefused('version');
  const size = viewOf(file).getUint32(16);
  const fits = size % MIN_HALF_BYTES === 0 && size >= MIN_HALF_BYTES && size <= MAX_HALF_BYTES;
  if (!fits) throw new FileRefused('keyring');
  return size;
}

async function hasChecksum(bytes: Bytes): Promise<boolean> {
  const unsummed = bytes.slice();
  unsummed.fill(0, CHECKSUM_AT, FIELDS_BYTES);
  const sum = new Uint8Array(await crypto.subtle.digest('SHA-256', unsummed));
  return equalInConstantTime(sum, bytes.subarray(CHECKSUM_AT, CHECKSUM_AT + CHECKSUM_BYTES));
}

/** Reads a half; `null` where it is empty, torn or none. */
async function parseHalf(bytes: Bytes): Promise<Half | null> {
  const view = viewOf(bytes);
  const [sequence, recipients, passphrases] = [
    view.getBigUint64(20),
    view.getUint16(28),
    view.getUint16(30),
  ];
  const isOfFile = startsWith(bytes, MAGIC) && view.getUint32(16) === bytes.length;
  const isSome = sequence > 0n && recipients + passphrases > 0;
  if (!isOfFile || !isSome || recipients > MAX_RECIPIENTS || passphrases > 1) return null;
  const stanzaAt = FIELDS_BYTES + recipients * ENVELOPE_BYTES;
  const directoryAt = stanzaAt + passphrases * STANZA_BYTES;
  const end = directoryAt + sealedLength(recipients * KEY_ID_BYTES);
  if (end > bytes.length || bytes.subarray(end).some((byte) => byte !== 0)) return null;
  if (!(await hasChecksum(bytes))) return null;
  const fields = bytes.subarray(0, CHECKSUM_AT);
  return {
    sequence,
    envelopes: Array.from({ length: recipients }, (_, at) =>
      bytes.slice(FIELDS_BYTES + at * ENVELOPE_BYTES, FIELDS_BYTES + (at + 1) * ENVELOPE_BYTES),
    ),
    stanza: passphrases === 1 ? bytes.slice(stanzaAt, directoryAt) : null,
    directory: bytes.slice(directoryAt, end),
    directoryContext: concat(DIRECTORY_CONTEXT, fields, bytes.subarray(FIELDS_BYTES, directoryAt)),
  };
}

async function parse(file: Bytes): Promise<Parts> {
  const halfBytes = readHalfBytes(file);
  if (file.length < 2 * halfBytes) throw new FileRefused('body');
  const body = file.subarray(2 * halfBytes);
  if (body.length > MAX_BODY_BYTES) throw new FileRefused('too-long');
  const [first, second] = [file.subarray(0, halfBytes), file.subarray(halfBytes, 2 * halfBytes)];
  const halves = [await parseHalf(first), await parseHalf(second)].filter((half) => half !== null);
  if (halves.length === 0) throw new FileRefused('keyring');
  return { halves: halves.toSorted((a, b) => Number(b.sequence - a.sequence)), body };
}

/** Tells whether a passphrase may open the file; nobody vouches for that yet. */
export async function wantsPassphrase(file: Bytes): Promise<boolean> {
  const { halves } = await parse(file);
  return halves.some(({ stanza }) => stanza !== null);
}

/** Returns the file key, `null` where no envelope is for one of the identities. */
async function fromEnvelopes(half: Half, identities: readonly XWingKey[]): Promise<Bytes | null> {
  for (const envelope of half.envelopes) {
    for (const identity of identities) {
      try {
        return await openEnvelope(identity, FILE_KEY_INFO, EMPTY, envelope);
      } catch (error) {
        if (!(error instanceof EnvelopeBroken)) throw error;
      }
    }
  }
  return null;
}

async function fromStanza({ stanza }: Half, keys: FileKeys): Promise<Bytes | null> {
  if (stanza === null || keys.passphrase === null) return null;
  try {
    return await unwrapFileKey(stanza, keys.passphrase, keys.onProgress);
  } catch (cause) {
    if (!(cause instanceof PassphraseRefused)) throw cause;
    if (cause.fault === 'passphrase') return null;
    throw new FileRefused(cause.fault === 'cost' ? 'keyring' : cause.fault, { cause });
  }
}

async function derive(fileKey: CryptoKey, label: Bytes): Promise<CryptoKey> {
  const secret = await expand(fileKey, label, KEY_BYTES);
  const key = await importPrk(secret, 'SHA-512');
  wipe(secret);
  return key;
}

async function openAs(
  fault: FileFault,
  key: CryptoKey,
  context: Bytes,
  sealed: Bytes,
): Promise<ArrayBuffer> {
  try {
    return await openObject(key, context, sealed);
  } catch (cause) {
    throw cause instanceof SealBroken ? new FileRefused(fault, { cause }) : cause;
  }
}

/** A keyring that somebody could open. */
interface Unlocked {
  readonly fileKey: CryptoKey;
  readonly recipients: readonly string[];
  readonly sequence: bigint;
}

/** Unwraps the file key and authenticates the keyring; `null` where nothing at hand fits. */
async function unlockHalf(half: Half, keys: FileKeys): Promise<Unlocked | null> {
  const secret = (await fromEnvelopes(half, keys.identities)) ?? (await fromStanza(half, keys));
  if (secret === null) return null;
  const fileKey = await importPrk(secret, 'SHA-512');
  wipe(secret);
  const key = await derive(fileKey, DIRECTORY_KEY_LABEL);
  const { directoryContext, directory } = half;
  const ids = new Uint8Array(await openAs('keyring', key, directoryContext, directory));
  const recipients = half.envelopes.map((_, at) =>
    toHex(ids.subarray(at * KEY_ID_BYTES, (at + 1) * KEY_ID_BYTES)),
  );
  return { fileKey, recipients, sequence: half.sequence };
}

/** Takes the first half that opens; one that doesn't may be torn. */
async function unlock(halves: readonly Half[], keys: FileKeys): Promise<Unlocked> {
  let refused = new FileRefused(keys.passphrase === null ? 'identity' : 'passphrase');
  for (const half of halves) {
    try {
      const unlocked = await unlockHalf(half, keys);
      if (unlocked !== null) return unlocked;
    } catch (error) {
      if (!(error instanceof FileRefused)) throw error;
      refused = error;
    }
  }
  throw refused;
}

/** Opens a whole file, or throws [`FileRefused`]. The passphrase stays the caller's to wipe. */
export async function openSealedFile(file: Bytes, keys: FileKeys): Promise<OpenedFile> {
  const { halves, body } = await parse(file);
  const { fileKey, recipients, sequence } = await unlock(halves, keys);
  const key = await derive(fileKey, BODY_KEY_LABEL);
  return { plaintext: await openAs('body', key, BODY_CONTEXT, body), recipients, sequence };
}
