/**
 * Reads the gateway's playlists: variables, byte ranges, which URI stands where.
 *
 * Specification: RFC 8216bis §4.3 and §4.4, as far as docs/format/title-manifest.md allows it. Knows nothing of names or
 * of the manifest: what a URI should be is for `playlist.ts`. Invariant: a line that it doesn't know is
 * refused, never skipped.
 */

import type { Rendition } from '../title';

/** Longest line, and longest URI after its variables have their values: presigned URLs have at most 4 KiB. */
const MAX_LINE_CHARACTERS = 8192;
/** Our gateways define two; every one costs a place in memory. */
const MAX_VARIABLES = 64;
/** Lowest version of a playlist with variables (RFC 8216bis §8). */
const VARIABLES_VERSION = 8;

/** Thrown where a playlist can't be read, or disagrees with the manifest. */
export class PlaylistMismatch extends Error {}

/** Throws [`PlaylistMismatch`]. */
export function refuse(what: string): never {
  throw new PlaylistMismatch(what);
}

/** Some bytes of what a URI names. */
export interface ByteRange {
  readonly offset: number;
  readonly bytes: number;
}

/** A URI with its variables replaced, and which bytes of it are meant; `null` for all. */
export interface Listed {
  readonly uri: string;
  readonly range: ByteRange | null;
}

/** A media segment. */
export interface ListedSegment extends Listed {
  readonly durationUs: number;
}

/** What a media playlist lists. */
export interface ListedMedia {
  readonly map: Listed | null;
  readonly segments: readonly ListedSegment[];
}

/** A rendition's playlist in a multivariant playlist, and of which types the rendition may be. */
export interface ListedPlaylist {
  readonly uri: string;
  readonly types: readonly Rendition['type'][];
}

const VERSION = /^#EXT-X-VERSION:(\d{1,3})$/;
const DEFINE = /^#EXT-X-DEFINE:NAME="([A-Za-z0-9_-]+)",VALUE="([^"]*)"$/;
const REFERENCE = /\{\$([A-Za-z0-9_-]+)\}/g;

const MEDIA_TAGS =
  /^#(EXT-X-TARGETDURATION:\d+|EXT-X-MEDIA-SEQUENCE:0|EXT-X-PLAYLIST-TYPE:VOD|EXT-X-INDEPENDENT-SEGMENTS)$/;
const MAP = /^#EXT-X-MAP:URI="([^"]+)"(?:,BYTERANGE="(\d{1,15})@(\d{1,15})")?$/;
const EXTINF = /^#EXTINF:(\d{1,9}(?:\.\d{1,9})?),$/;
const BYTERANGE = /^#EXT-X-BYTERANGE:(\d{1,15})(?:@(\d{1,15}))?$/;

const MULTIVARIANT_TAGS = /^#EXT-X-INDEPENDENT-SEGMENTS$/;
const MEDIA = /^#EXT-X-MEDIA:TYPE=(AUDIO|SUBTITLES),(?:[^"]|"[^"]*")*?\bURI="([^"]+)"/;
/** Sound that the variant's own playlist carries, where there is no picture. */
const MEDIA_WITHOUT_URI = /^#EXT-X-MEDIA:TYPE=AUDIO,(?:(?!\bURI=)[^"]|"[^"]*")*$/;
const STREAM = /^#EXT-X-STREAM-INF:/;

/** The version of a playlist and its variables, which hold from their definition on. */
class Head {
  readonly #variables = new Map<string, string>();
  #version: number | null = null;

  /** Takes a line that is of the playlist's head, or tells that it isn't. */
  take(line: string): boolean {
    const version = VERSION.exec(line)?.[1];
    if (version !== undefined) {
      if (this.#version !== null) refuse('a second version');
      this.#version = Number(version);
      return true;
    }
    const [, name, value] = DEFINE.exec(line) ?? [];
    if (name === undefined || value === undefined) return false;
    if (this.#variables.has(name)) refuse('a variable with two values');
    if (this.#variables.size === MAX_VARIABLES) refuse('too many variables');
    if (value.includes('{$')) refuse('a variable in a variable');
    this.#variables.set(name, value);
    return true;
  }

  /** Returns `text` with the variables' values in the place of references. */
  resolve(text: string): string {
    if (!text.includes('{$')) return text;
    const resolved = text.replaceAll(REFERENCE, (_, name: string) => {
      return this.#variables.get(name) ?? refuse('a variable that has no value');
    });
    return resolved.length > MAX_LINE_CHARACTERS ? refuse('a URI that is too long') : resolved;
  }

  /** Checks the whole of it at the playlist's end. */
  end(): void {
    if (this.#variables.size > 0 && (this.#version ?? 1) < VARIABLES_VERSION) {
      refuse('variables in an old version');
    }
  }
}

/** Returns the lines that count: no blank ones, no comments, not the first. */
function significantLines(text: string): string[] {
  const [first, ...lines] = text.split('\n').map((line) => line.trimEnd());
  if (first !== '#EXTM3U') refuse('it does not begin with #EXTM3U');
  return lines.filter((line) => {
    if (line.length > MAX_LINE_CHARACTERS) refuse('a line that is too long');
    return line !== '' && (line[0] !== '#' || line.startsWith('#EXT'));
  });
}

/** Reads the byte range of a segment; one without an offset follows that of the segment before it. */
function rangeAfter(previous: ListedSegment | undefined, uri: string, text: string): ByteRange {
  const [, bytes, offset] = BYTERANGE.exec(text) ?? refuse('a byte range that is none');
  if (offset !== undefined) return { offset: Number(offset), bytes: Number(bytes) };
  if (previous?.range == null || previous.uri !== uri) refuse('a byte range that follows none');
  return { offset: previous.range.offset + previous.range.bytes, bytes: Number(bytes) };
}

/** The media playlist so far, and what has been said of the segment to come. */
class MediaScan {
  readonly #head = new Head();
  readonly #segments: ListedSegment[] = [];
  #map: Listed | null = null;
  #durationUs: number | null = null;
  #range: string | null = null;

  take(line: string): void {
    const seconds = EXTINF.exec(line)?.[1];
    if (line[0] !== '#') {
      this.#takeSegment(line);
    } else if (seconds !== undefined && this.#durationUs === null) {
      this.#durationUs = Math.round(Number.parseFloat(seconds) * 1e6);
    } else if (line.startsWith('#EXT-X-BYTERANGE:') && this.#range === null) {
      this.#range = line;
    } else if (!this.#takeMap(line) && !MEDIA_TAGS.test(line) && !this.#head.take(line)) {
      refuse('a line that has no place in it');
    }
  }

  end(): ListedMedia {
    if (this.#durationUs !== null || this.#range !== null) refuse('a segment without its URI');
    this.#head.end();
    return { map: this.#map, segments: this.#segments };
  }

  #takeSegment(line: string): void {
    const durationUs = this.#durationUs ?? refuse('a segment without its duration');
    const uri = this.#head.resolve(line);
    const before = this.#segments.at(-1);
    const range = this.#range === null ? null : rangeAfter(before, uri, this.#range);
    this.#segments.push({ durationUs, uri, range });
    this.#durationUs = null;
    this.#range = null;
  }

  #takeMap(line: string): boolean {
    const [, uri, bytes, offset] = MAP.exec(line) ?? [];
    if (uri === undefined) return false;
    if (this.#map !== null || this.#segments.length > 0) refuse('a second or late EXT-X-MAP');
    const range = bytes === undefined ? null : { offset: Number(offset), bytes: Number(bytes) };
    this.#map = { uri: this.#head.resolve(uri), range };
    return true;
  }
}

/** Reads a media playlist, or throws [`PlaylistMismatch`]. */
export function readMediaPlaylist(text: string): ListedMedia {
  const lines = significantLines(text);
  if (lines.pop() !== '#EXT-X-ENDLIST') refuse('it does not end');
  const scan = new MediaScan();
  for (const line of lines) scan.take(line);
  return scan.end();
}

/** Reads a multivariant playlist, or throws [`PlaylistMismatch`]. */
export function readMultivariantPlaylist(text: string): ListedPlaylist[] {
  const head = new Head();
  const listed: ListedPlaylist[] = [];
  let isVariant = false;
  for (const line of significantLines(text)) {
    const [, type, uri] = MEDIA.exec(line) ?? [];
    if (isVariant && line[0] !== '#') {
      listed.push({ uri: head.resolve(line), types: ['video', 'audio'] });
      isVariant = false;
    } else if (isVariant) {
      refuse('a variant without its playlist');
    } else if (uri !== undefined) {
      listed.push({ uri: head.resolve(uri), types: [type === 'AUDIO' ? 'audio' : 'subtitles'] });
    } else if (STREAM.test(line)) {
      isVariant = true;
    } else if (!MULTIVARIANT_TAGS.test(line) && !MEDIA_WITHOUT_URI.test(line) && !head.take(line)) {
      refuse('a line that has no place in it');
    }
  }
  head.end();
  return isVariant ? refuse('a variant without its playlist') : listed;
}
