/**
 * Writes the playlists that are played, from the manifest alone.
 *
 * Their URIs are roles (address.ts), not places: nothing of the gateway's text is in them, and nothing that a
 * viewer reads.
 */

import { INIT_URI, playlistUri } from '../address';
import type { AudioRendition, Rendition, SubtitleRendition, VideoRendition } from '../title';

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
