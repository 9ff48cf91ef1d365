/** Reads the test vectors that the Rust code and this code share. */

import { readFileSync } from 'node:fs';
import type { Bytes } from '../src/vault/bytes';

/** A case of `vectors/grant.json`, or of `vectors/grant-marked.json`. */
export interface GrantCase {
  name: string;
  fragment: string;
  grant: string;
  title: string;
  epoch: number;
  recipient: string;
  expires: string;
  envelope: string;
  title_key: string;
  /** Of a marked title's grant. */
  list_key?: string;
  list_name?: string;
}

/** Returns the cases of `vectors/<name>.json`. */
export function cases<Case>(name: string): Case[] {
  const file = new URL(`../../vectors/${name}.json`, import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { cases: Case[] }).cases;
}

/** Decodes hex of any length. */
export function hex(text: string): Bytes {
  return new Uint8Array(Buffer.from(text, 'hex'));
}
