/** Where the programs under test and the repository's files are. */

import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository. */
export const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

const BINARIES = process.env['VEILCAST_BIN_DIR'] ?? join(ROOT, 'target/debug');

/** One of our programs, as it was built last. */
export function program(name: string): string {
  return join(BINARIES, name);
}
