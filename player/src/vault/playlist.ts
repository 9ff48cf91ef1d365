/**
 * Holds the gateway's playlists against the manifest.
 *
 * Specification: docs/format/title-manifest.md, "How a player checks a playlist", and
 * docs/format/bucket.md. Knows nothing of HTTP. Invariant: of the gateway's text nothing survives
 * but the objects' URLs, and those stay in the vault; where an object lies in a rendition file is
 * computed from the manifest, and the playlist's word for it is only compared.
 */

import type { Rendition, Title } from '../title';
import type { Slots } from './marked';
import {
  readMediaPlaylist,
  readMultivariantPlaylist,
  refuse,
  type ByteRange,
  type Listed,
  type ListedMedia,
} from './playlist-reader';
import { RenditionFile } from './rendition-file';
import { Kind, type TitleKey } from './role';

/** Durations may differ by rounding alone. */
const DURATION_TOLERANCE_US = 1000;

/** Names derived at once: enough to keep WebCrypto busy, few enough to stay small. */
const NAMES_AT_ONCE = 256;

/** Longest playlist: a presigned URL with a session token has up to 2 KiB. */
export const MAX_PLAYLIST_BYTES = 64 * 1024 * 1024;

/** The URLs of a rendition whose objects lie on their own, as the gateway signed them. */
export interface ObjectUrls {
  readonly init: string | null;
  readonly segments: readonly string[];
}

/** The one URL of a rendition that lies in one file, and where its objects lie in it. */
export interface FileUrl {
  readonly url: string;
  readonly file: RenditionFile;
}

/** Where a rendition lies. */
export type RenditionUrls = ObjectUrls | FileUrl;

/** Resolves `uri` and returns it where its last path segment is `name`. */
function urlOfName(uri: string, base: string, name: string): string {
  if (!URL.canParse(uri, base)) return refuse('a URI that is none');
  const url = new URL(uri, base);
  if (!/^https?:$/.test(url.protocol)) return refuse('a URL of a strange kind');
  return url.pathname.split('/').pop() === name ? url.href : refuse('an object out of its place');
}

/** Names the segments: a marked rendition's by the viewer's slot keys, where there is one for a segment. */
async function segmentNames(key: TitleKey, rendition: Rendition, slots?: Slots): Promise<string[]> {
  const nameOf = async (index: number): Promise<string> =>
    (await slots?.name(rendition.id, index)) ??
    key.name({ kind: Kind.segment, rendition: rendition.id, index });
  const names: string[] = [];
  for (let at = 0; at < rendition.segments.length; at += NAMES_AT_ONCE) {
    const count = Math.min(NAMES_AT_ONCE, rendition.segments.length - at);
    const batch = Array.from({ length: count }, (_, i) => nameOf(at + i));
    names.push(...(await Promise.all(batch)));
  }
  return names;
}

function checkDurations(listed: ListedMedia, rendition: Rendition): void {
  if (listed.segments.length !== rendition.segments.length) refuse('another number of segments');
  rendition.segments.forEach((sealed, index) => {
    const durationUs = listed.segments[index]?.durationUs ?? Number.NaN;
    // Not a number is not within it either.
    if (!(Math.abs(durationUs - sealed.durationUs) <= DURATION_TOLERANCE_US)) {
      refuse('another duration');
    }
  });
}

function whole({ uri, range }: Listed): string {
  return range === null ? uri : refuse('a byte range of an object');
}

async function checkObjects(
  { map, segments }: ListedMedia,
  base: string,
  rendition: Rendition,
  key: TitleKey,
  slots?: Slots,
): Promise<ObjectUrls> {
  const names = await segmentNames(key, rendition, slots);
  const urls = segments.map((segment, index) =>
    urlOfName(whole(segment), base, names[index] ?? ''),
  );
  const hasInit = rendition.type !== 'subtitles';
  if (hasInit !== (map !== null)) refuse('an initialisation segment too many or too few');
  if (map === null) return { init: null, segments: urls };
  const initName = await key.name({ kind: Kind.init, rendition: rendition.id, index: 0 });
  return { init: urlOfName(whole(map), base, initName), segments: urls };
}

function checkRange(listed: ByteRange | null, place: ByteRange | null): void {
  if (listed === null || place === null) return refuse('an object without its byte range');
  if (listed.offset !== place.offset || listed.bytes !== place.bytes) refuse('another byte range');
}

async function checkFile(
  { map, segments }: ListedMedia,
  base: string,
  file: RenditionFile,
  key: TitleKey,
): Promise<FileUrl> {
  if (map === null) return refuse('an initialisation segment too few');
  const url = urlOfName(map.uri, base, await key.name(file.role));
  checkRange(map.range, file.init);
  segments.forEach(({ uri, range }, index) => {
    // One resource has one URL: whoever compares text sees the same bytes behind it.
    if (uri !== map.uri) refuse('a rendition in two files');
    checkRange(range, file.segment(index));
  });
  return { url, file };
}

/**
 * Checks a media playlist of `rendition` that was fetched from `base`, and returns its URLs, or
 * throws [`PlaylistMismatch`]. `slots` is the viewer's, for a marked rendition.
 */
export async function checkMediaPlaylist(
  text: string,
  base: string,
  rendition: Rendition,
  key: TitleKey,
  slots?: Slots,
): Promise<RenditionUrls> {
  const listed = readMediaPlaylist(text);
  checkDurations(listed, rendition);
  const isFile = rendition.type !== 'subtitles' && rendition.isSingleFile;
  return isFile
    ? checkFile(listed, base, new RenditionFile(rendition), key)
    : checkObjects(listed, base, rendition, key, slots);
}

/**
 * Checks the multivariant playlist and returns the renditions that it offers, in the manifest's
 * order, or throws [`PlaylistMismatch`].
 */
export async function checkMultivariantPlaylist(
  text: string,
  title: Title,
  key: TitleKey,
): Promise<Rendition[]> {
  const byName = new Map<string, Rendition>();
  const naming = title.renditions.map(async (rendition) => {
    const name = await key.name({ kind: Kind.mediaPlaylist, rendition: rendition.id, index: 0 });
    byName.set(`${name}.m3u8`, rendition);
  });
  await Promise.all(naming);
  const offered = new Set<Rendition>();
  for (const { uri, types } of readMultivariantPlaylist(text)) {
    // A gateway may say in a query in which form it wants to be asked for it; we ask in our own way.
    const rendition = byName.get(uri.split('?')[0]?.split('/').pop() ?? '');
    if (!rendition || !types.includes(rendition.type)) return refuse('an unknown playlist');
    offered.add(rendition);
  }
  const playable = [...offered].some((rendition) => rendition.type !== 'subtitles');
  if (!playable) refuse('nothing to play');
  return title.renditions.filter((rendition) => offered.has(rendition));
}
