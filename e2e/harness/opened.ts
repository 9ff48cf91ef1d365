/**
 * Opens a whole title from the bucket with the player's own vault code, in Node.
 *
 * It gives a test what a decoder may see: the SHA-256 of every piece of plaintext.
 */

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { openObject } from '../../player/src/vault/cobblestone';
import { openGrant, parseGrantAnswer } from '../../player/src/vault/grant';
import { parseLinkSecret } from '../../player/src/vault/identity';
import { parseManifest } from '../../player/src/vault/manifest';
import { encodeRole, Kind, type Role, type TitleKey } from '../../player/src/vault/role';
import type { Title } from '../../player/src/title';
import type { TitleFolder } from './bucket';

/** A title as its viewer sees it. */
export interface OpenedTitle {
  readonly key: TitleKey;
  readonly title: Title;
  /** SHA-256 of the plaintext of every initialisation and media segment. */
  readonly pieces: ReadonlySet<string>;
}

/** Opens the title of a link from the files of its folder. */
export async function openTitle(
  folder: TitleFolder,
  link: string,
  grant: string,
): Promise<OpenedTitle> {
  const secret = await parseLinkSecret(new URL(link).hash.slice(1));
  if (!secret) throw new Error('the link has no secret');
  const record = JSON.parse(await readFile(`${folder.bucket}/g/${grant}`, 'utf8')) as object;
  const answer = { grant: record, now: '2026-01-01T00:00:00Z', index_url: '', urls: {} };
  const parsed = parseGrantAnswer(new TextEncoder().encode(JSON.stringify(answer)), grant);
  const { title: key } = await openGrant(parsed.record, await secret.identity());
  const title = parseManifest(await plaintext(folder, key, role(Kind.manifest, 0, 0)));
  const pieces = new Set<string>();
  for (const { id, segments, type } of title.renditions) {
    const roles = segments.map((_, index) => role(Kind.segment, id, index));
    if (type !== 'subtitles') roles.unshift(role(Kind.init, id, 0));
    for (const one of roles) pieces.add(sha256(await plaintext(folder, key, one)));
  }
  return { key, title, pieces };
}

/** The file of an object. */
export async function fileOf(folder: TitleFolder, key: TitleKey, of: Role): Promise<string> {
  return folder.path(await key.name(of));
}

/** A role, written short. */
export function role(kind: Kind, rendition: number, index: number): Role {
  return { kind, rendition, index };
}

async function plaintext(folder: TitleFolder, key: TitleKey, of: Role): Promise<Uint8Array> {
  const sealed = new Uint8Array(await readFile(await fileOf(folder, key, of)));
  const context = encodeRole(key.titleId, of);
  return new Uint8Array(await openObject(await key.objectKey(of), context, sealed));
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
