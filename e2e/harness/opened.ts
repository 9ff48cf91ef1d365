/**
 * Opens a whole title from the bucket with the player's own vault code, in Node.
 *
 * It gives a test what a decoder may see: the SHA-256 of every piece of plaintext. Benches take the pieces themselves.
 */

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { openObject } from '../../player/src/vault/cobblestone';
import { openGrant, parseGrantAnswer } from '../../player/src/vault/grant';
import { parseLinkSecret } from '../../player/src/vault/identity';
import { parseManifest } from '../../player/src/vault/manifest';
import { RenditionFile } from '../../player/src/vault/rendition-file';
import { encodeRole, Kind, type Role, type TitleKey } from '../../player/src/vault/role';
import type { VariantList } from '../../player/src/vault/variants';
import type { Rendition, Title } from '../../player/src/title';
import type { TitleFolder } from './bucket';

/** What a link opens first. */
export interface UnlockedTitle {
  readonly key: TitleKey;
  readonly title: Title;
  /** The viewer's slot keys, where the title is marked. */
  readonly slots: VariantList | null;
}

/** A title as its viewer sees it. */
export interface OpenedTitle extends UnlockedTitle {
  /** SHA-256 of the plaintext of every initialisation and media segment. */
  readonly pieces: ReadonlySet<string>;
}

/** One initialisation or media segment in clear, under the name that its sealed object has in the bucket. */
export interface Piece {
  readonly name: string;
  readonly role: Role;
  readonly bytes: Uint8Array;
}

/** Opens the title of a link from the files of its folder. */
export async function openTitle(
  folder: TitleFolder,
  link: string,
  grant: string,
): Promise<OpenedTitle> {
  const unlocked = await unlockTitle(folder, link, grant);
  const pieces = new Set<string>();
  for await (const { bytes } of piecesOf(folder, unlocked)) pieces.add(sha256(bytes));
  return { ...unlocked, pieces };
}

/** Opens the grant and the manifest alone. */
export async function unlockTitle(
  folder: TitleFolder,
  link: string,
  grant: string,
): Promise<UnlockedTitle> {
  const secret = await parseLinkSecret(new URL(link).hash.slice(1));
  if (!secret) throw new Error('the link has no secret');
  const record = JSON.parse(await readFile(`${folder.bucket}/g/${grant}`, 'utf8')) as object;
  const answer = { grant: record, now: '2026-01-01T00:00:00Z', index_url: '', urls: {} };
  const parsed = parseGrantAnswer(new TextEncoder().encode(JSON.stringify(answer)), grant);
  const { title: key, variants } = await openGrant(parsed.record, await secret.identity());
  const title = parseManifest(await plaintext(folder, key, role(Kind.manifest, 0, 0)));
  const sealed = variants && (await readFile(folder.path(await variants.name())));
  const slots = sealed && variants ? await variants.open(new Uint8Array(sealed)) : null;
  return { key, title, slots };
}

/** Opens every initialisation and media segment, one after another. */
export async function* piecesOf(
  folder: TitleFolder,
  { key, title, slots }: UnlockedTitle,
): AsyncGenerator<Piece> {
  for (const rendition of title.renditions) {
    const { id, segments, type } = rendition;
    const file = fileOfRendition(rendition);
    const isMarked = type === 'video' && rendition.isMarked;
    const roles = segments.map((_, index) => role(Kind.segment, id, index));
    if (type !== 'subtitles') roles.unshift(role(Kind.init, id, 0));
    for (const one of roles) {
      const isVariant = isMarked && one.kind === Kind.segment;
      const slot = isVariant ? ((await slots?.get(one.index)) ?? null) : null;
      if (slot === null) {
        const bytes = await plaintext(folder, key, one, file);
        yield { name: await key.name(one), role: one, bytes };
      } else {
        const name = await slot.name(id);
        const sealed = new Uint8Array(await readFile(folder.path(name)));
        const opened = openObject(await slot.objectKey(id), slot.context(id), sealed);
        yield { name, role: one, bytes: new Uint8Array(await opened) };
      }
    }
  }
}

/** Where the objects of a rendition lie in its file, `null` where each lies on its own. */
export function fileOfRendition(rendition: Rendition): RenditionFile | null {
  const isFile = rendition.type !== 'subtitles' && rendition.isSingleFile;
  return isFile ? new RenditionFile(rendition) : null;
}

/** The file of an object. */
export async function fileOf(folder: TitleFolder, key: TitleKey, of: Role): Promise<string> {
  return folder.path(await key.name(of));
}

/** A role, written short. */
export function role(kind: Kind, rendition: number, index: number): Role {
  return { kind, rendition, index };
}

async function plaintext(
  folder: TitleFolder,
  key: TitleKey,
  of: Role,
  file: RenditionFile | null = null,
): Promise<Uint8Array> {
  const sealed = await readFile(await fileOf(folder, key, file?.role ?? of));
  const place = of.kind === Kind.init ? file?.init : file?.segment(of.index);
  const { offset, bytes } = place ?? { offset: 0, bytes: sealed.length };
  const object = new Uint8Array(sealed.subarray(offset, offset + bytes));
  const context = encodeRole(key.titleId, of);
  return new Uint8Array(await openObject(await key.objectKey(of), context, object));
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
