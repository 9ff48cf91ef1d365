/**
 * Addresses inside a title: what the streaming library holds in place of URLs.
 *
 * An address names a role (`veil://title/<rendition>/<index>`), never a place on a network, so a
 * library that tried to fetch one by itself would reach nothing. Shared by Workers and page.
 */

/** The base of every address. */
export const SEALED_BASE = 'veil://title/';

/** Address of the multivariant playlist. */
export const MULTIVARIANT_ADDRESS = `${SEALED_BASE}index.m3u8`;

/** URI of an initialisation segment in its media playlist. */
export const INIT_URI = 'init';

const PLAYLIST = /^veil:\/\/title\/(?:(\d{1,5})\/)?index\.m3u8$/;
const MEDIA = /^veil:\/\/title\/(\d{1,5})\/(?:init|(\d{1,9}))$/;

/** Returns the URI of a rendition's media playlist in the multivariant playlist. */
export function playlistUri(rendition: number): string {
  return `${rendition}/index.m3u8`;
}

/** Reads a playlist's address: its rendition, `null` for the multivariant one. */
export function parsePlaylistAddress(address: string): { rendition: number | null } | null {
  const match = PLAYLIST.exec(address);
  return match && { rendition: match[1] === undefined ? null : Number(match[1]) };
}

/** Reads a segment's address: its index is `null` for the initialisation segment. */
export function parseMediaAddress(
  address: string,
): { rendition: number; index: number | null } | null {
  const match = MEDIA.exec(address);
  if (match === null) return null;
  return { rendition: Number(match[1]), index: match[2] === undefined ? null : Number(match[2]) };
}
