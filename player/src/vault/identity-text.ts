/**
 * The text of an identity file, as age writes it.
 *
 * Specification: docs/format/envelope.md, identities. Knows nothing of locks.
 */

import { decodeBech32 } from './bech32';
import type { Bytes } from './bytes';
import { SEED_BYTES } from './xwing';

const IDENTITY_PREFIX = 'age-secret-key-pq-';

/** Longest identity file that is read: comments beside one line of 77 characters. */
export const MAX_IDENTITY_FILE_BYTES = 64 * 1024;

/** Returns the seed in the text of an identity file, or `null` where it holds not exactly one. */
export function parseIdentityFile(text: string): Bytes | null {
  const lines = text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
  const [line] = lines;
  if (line === undefined || lines.length !== 1) return null;
  const decoded = decodeBech32(line);
  if (decoded?.prefix !== IDENTITY_PREFIX || decoded.bytes.length !== SEED_BYTES) return null;
  return decoded.bytes;
}
