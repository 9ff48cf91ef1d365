/**
 * Holds the gateway's playlists against the manifest, and writes the ones that are played.
 *
 * Specification: docs/format/title-manifest.md, "How a player checks a playlist", and
 * docs/format/bucket.md. Knows nothing of HTTP. Invariant: what leaves for the player's parser is
 * written here from the manifest; of the gateway's text nothing survives but the objects' URLs,
 * and those stay in the vault.
 */

import type { AudioRendition, Rendition, SubtitleRendition, Title, VideoRendition } from '../title';
import { INIT_URI, playlistUri } from '../address';
import { Kind, type TitleKey } from './role';

/** Durations may differ by rounding alone. */
const DURATION_TOLERANCE_US = 1000;

/** Names derived at once: enough to keep WebCrypto busy, few enough to stay small. */
const NAMES_AT_ONCE = 256;

/** Longest playlist: a presigned URL with a session token has up to 2 KiB. */
export const MAX_PLAYLIST_BYTES = 64 * 1024 * 1024;

/** Thrown where a playlist disagrees with the manifest. */
export class PlaylistMismatch extends Error {}

/** The URLs of a rendition's objects, as the gateway signed them. */
export interface RenditionUrls {
  readonly init: string | null;
  readonly segments: readonly string[];
}

interface ListedSegment {
  readonly durationUs: number;
  readonly uri: string;
}

const HARMLESS_TAGS =
  /^#(EXTM3U|EXT-X-VERSION:\d+|EXT-X-TARGETDURATION:\d+|EXT-X-MEDIA-SEQUENCE:0|EXT-X-PLAYLIST-TYPE:VOD|EXT-X-INDEPENDENT-SEGMENTS)$/;
const MAP = /^#EXT-X-MAP:URI="([^"]+)"$/;
const EXTINF = /^#EXTINF:(\d{1,9}(?:\.\d{1,9})?),$/;

function refuse(what: string): never {
  throw new PlaylistMismatch(what);
}

/** Returns the lines that count: no blank ones, no comments. */
function significantLines(text: string): string[] {
  const lines = text.split('\n').map((line) => line.trimEnd());
  if (lines[0] !== '#EXTM3U') refuse('it does not begin with #EXTM3U');
  return lines.filter((line) => line !== '' && (line[0] !== '#' || line.startsWith('#EXT')));
}

function scanMedia(text: string): { map: string | null; segments: ListedSegment[] } {
  const lines = significantLines(text);
  if (lines.pop() !== '#EXT-X-ENDLIST') refuse('it does not end');
  let map: string | null = null;
  let durationUs: number | null = null;
  const segments: ListedSegment[] = [];
  for (const line of lines) {
    const init = MAP.exec(line)?.[1];
    const seconds = EXTINF.exec(line)?.[1];
    if (init !== undefined) {
      if (map !== null || segments.length > 0) refuse('a second or late EXT-X-MAP');
      map = init;
    } else if (seconds !== undefined && durationUs === null) {
      durationUs = Math.round(Number.parseFloat(seconds) * 1e6);
    } else if (line[0] !== '#' && durationUs !== null) {
      segments.push({ durationUs, uri: line });
      durationUs = null;
    } else if (!HARMLESS_TAGS.test(line)) {
      refuse('a line that has no place in it');
    }
  }
  return { map, segments };
}

/** Resolves `uri` and returns it where its last path segment is `name`. */
function urlOfName(uri: string, base: string, name: string): string {
  if (!URL.canParse(uri, base)) return refuse('a URI that is none');
  const url = new URL(uri, base);
  if (!/^https?:$/.test(url.protocol)) return refuse('a URL of a strange kind');
  return url.pathname.split('/').pop() === name ? url.href : refuse('an object out of its place');
}

async function segmentNames(key: TitleKey, rendition: Rendition): Promise<string[]> {
  const names: string[] = [];
  for (let at = 0; at < rendition.segments.length; at += NAMES_AT_ONCE) {
    const count = Math.min(NAMES_AT_ONCE, rendition.segments.length - at);
    const batch = Array.from({ length: count }, (_, i) =>
      key.name({ kind: Kind.segment, rendition: rendition.id, index: at + i }),
    );
    names.push(...(await Promise.all(batch)));
  }
  return names;
}

/**
 * Checks a media playlist of `rendition` that was fetched from `base`, and returns its URLs, or
 * throws [`PlaylistMismatch`].
 */
export async function checkMediaPlaylist(
  text: string,
  base: string,
  rendition: Rendition,
  key: TitleKey,
): Promise<RenditionUrls> {
  const listed = scanMedia(text);
  if (listed.segments.length !== rendition.segments.length) refuse('another number of segments');
  const names = await segmentNames(key, rendition);
  const segments = listed.segments.map((segment, index) => {
    const sealed = rendition.segments[index];
    const name = names[index];
    if (sealed === undefined || name === undefined) return refuse('another number of segments');
    if (Math.abs(segment.durationUs - sealed.durationUs) > DURATION_TOLERANCE_US) {
      refuse('another duration');
    }
    return urlOfName(segment.uri, base, name);
  });
  const hasInit = rendition.type !== 'subtitles';
  if (hasInit !== (listed.map !== null)) refuse('an initialisation segment too many or too few');
  if (listed.map === null) return { init: null, segments };
  const initName = await key.name({ kind: Kind.init, rendition: rendition.id, index: 0 });
  return { init: urlOfName(listed.map, base, initName), segments };
}

const MULTIVARIANT_TAGS = /^#(EXTM3U|EXT-X-VERSION:\d+|EXT-X-INDEPENDENT-SEGMENTS)$/;
const MEDIA = /^#EXT-X-MEDIA:TYPE=(AUDIO|SUBTITLES),(?:[^"]|"[^"]*")*?\bURI="([^"]+)"/;
/** Sound that the variant's own playlist carries, where there is no picture. */
const MEDIA_WITHOUT_URI = /^#EXT-X-MEDIA:TYPE=AUDIO,(?:(?!\bURI=)[^"]|"[^"]*")*$/;
const STREAM = /^#EXT-X-STREAM-INF:/;

interface ListedPlaylist {
  readonly uri: string;
  readonly types: readonly Rendition['type'][];
}

function scanMultivariant(text: string): ListedPlaylist[] {
  const listed: ListedPlaylist[] = [];
  let isVariant = false;
  for (const line of significantLines(text)) {
    const media = MEDIA.exec(line);
    if (isVariant && line[0] !== '#') {
      listed.push({ uri: line, types: ['video', 'audio'] });
      isVariant = false;
    } else if (isVariant) {
      refuse('a variant without its playlist');
    } else if (media?.[2] !== undefined) {
      listed.push({ uri: media[2], types: [media[1] === 'AUDIO' ? 'audio' : 'subtitles'] });
    } else if (STREAM.test(line)) {
      isVariant = true;
    } else if (!MULTIVARIANT_TAGS.test(line) && !MEDIA_WITHOUT_URI.test(line)) {
      refuse('a line that has no place in it');
    }
  }
  return isVariant ? refuse('a variant without its playlist') : listed;
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
  for (const { uri, types } of scanMultivariant(text)) {
    const rendition = byName.get(uri.split('/').pop() ?? '');
    if (!rendition || !types.includes(rendition.type)) return refuse('an unknown playlist');
    offered.add(rendition);
  }
  const playable = [...offered].some((rendition) => rendition.type !== 'subtitles');
  if (!playable) refuse('nothing to play');
  return title.renditions.filter((rendition) => offered.has(rendition));
}

/** Writes the media playlist of `rendition`; its URIs are roles, not places. */
export function writeMediaPlaylist(rendition: Rendition): string {
  const longestUs = rendition.segments.reduce(
    (max, { durationUs }) => Math.max(max, durationUs),
    1,
  );
  const lines = [
    '#EXTM3U',
    '#EXT-X-VERSION:7',
    `#EXT-X-TARGETDURATION:${Math.ceil(longestUs / 1e6)}`,
    '#EXT-X-MEDIA-SEQUENCE:0',
    '#EXT-X-PLAYLIST-TYPE:VOD',
    '#EXT-X-INDEPENDENT-SEGMENTS',
  ];
  if (rendition.type !== 'subtitles') lines.push(`#EXT-X-MAP:URI="${INIT_URI}"`);
  rendition.segments.forEach((segment, index) => {
    lines.push(`#EXTINF:${(segment.durationUs / 1e6).toFixed(6)},`, String(index));
  });
  return [...lines, '#EXT-X-ENDLIST', ''].join('\n');
}

function yesNo(value: boolean): string {
  return value ? 'YES' : 'NO';
}

function audioLine(audio: AudioRendition, isDefault: boolean): string {
  const language = audio.language === undefined ? '' : `,LANGUAGE="${audio.language}"`;
  return (
    `#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="${audio.id}"${language},` +
    `DEFAULT=${yesNo(isDefault)},AUTOSELECT=YES,CHANNELS="${audio.channels}",` +
    `URI="${playlistUri(audio.id)}"`
  );
}

function subtitleLine(subtitles: SubtitleRendition): string {
  const language = subtitles.language === undefined ? '' : `,LANGUAGE="${subtitles.language}"`;
  return (
    `#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="subtitles",NAME="${subtitles.id}"${language},` +
    `DEFAULT=NO,AUTOSELECT=NO,FORCED=${yesNo(subtitles.isForced)},URI="${playlistUri(subtitles.id)}"`
  );
}

function variantLines(video: VideoRendition, audio: AudioRendition[], captions: boolean): string[] {
  const loudestBps = Math.max(0, ...audio.map((rendition) => rendition.bandwidthBps));
  const averageBps = Math.max(0, ...audio.map((rendition) => rendition.averageBandwidthBps));
  const codecs = [...new Set([video.codecs, ...audio.map((rendition) => rendition.codecs)])];
  const groups =
    (audio.length > 0 ? ',AUDIO="audio"' : '') + (captions ? ',SUBTITLES="subtitles"' : '');
  return [
    `#EXT-X-STREAM-INF:BANDWIDTH=${video.bandwidthBps + loudestBps},` +
      `AVERAGE-BANDWIDTH=${video.averageBandwidthBps + averageBps},CODECS="${codecs.join(',')}",` +
      `RESOLUTION=${video.width}x${video.height},FRAME-RATE=${video.frameRate.toFixed(3)}${groups}`,
    playlistUri(video.id),
  ];
}

/** Writes the multivariant playlist over `renditions`, all of which were checked. */
export function writeMultivariantPlaylist(renditions: readonly Rendition[]): string {
  const video = renditions.filter((rendition) => rendition.type === 'video');
  const audio = renditions.filter((rendition) => rendition.type === 'audio');
  const subtitles = renditions.filter((rendition) => rendition.type === 'subtitles');
  const lines = ['#EXTM3U', '#EXT-X-VERSION:7', '#EXT-X-INDEPENDENT-SEGMENTS'];
  const standard = audio.find((rendition) => rendition.isDefault) ?? audio[0];
  if (video.length === 0 && standard !== undefined) {
    const bandwidth = `BANDWIDTH=${standard.bandwidthBps},CODECS="${standard.codecs}"`;
    return [...lines, `#EXT-X-STREAM-INF:${bandwidth}`, playlistUri(standard.id), ''].join('\n');
  }
  lines.push(...audio.map((rendition) => audioLine(rendition, rendition === standard)));
  lines.push(...subtitles.map(subtitleLine));
  lines.push(...video.flatMap((variant) => variantLines(variant, audio, subtitles.length > 0)));
  return [...lines, ''].join('\n');
}
