/**
 * Choices before playback: what this browser decodes, and which rendition to begin with.
 *
 * Pure functions over the manifest's facts.
 */

import type { AudioRendition, Rendition, Title, VideoRendition } from '../title';

/** How long the first picture may take to arrive before a smaller one is begun with. */
const FIRST_SEGMENT_MS = 200;

/** Bandwidth assumed where the browser tells none: a slow DSL line. */
export const ASSUMED_BANDWIDTH_BPS = 4_000_000;

/** Returns the MIME type that Media Source Extensions know a rendition by. */
export function mimeTypeOf(rendition: VideoRendition | AudioRendition): string {
  return `${rendition.type}/mp4; codecs="${rendition.codecs}"`;
}

/** The renditions to begin with. */
export interface Start {
  readonly video: VideoRendition | null;
  readonly audio: AudioRendition | null;
}

function firstBytes({ initBytes, segments }: VideoRendition): number {
  return initBytes + (segments[0]?.bytes ?? 0);
}

/**
 * Chooses the renditions to begin with, or `null` where nothing of a needed type can be decoded.
 *
 * The picture is the largest whose first segment arrives within 200 ms, else the smallest: a
 * first frame soon, and quality from the second segment on.
 */
export function chooseStart(
  title: Title,
  isSupported: (mimeType: string) => boolean,
  bandwidthBps: number,
): Start | null {
  const supported = title.renditions.filter(
    (rendition): rendition is VideoRendition | AudioRendition =>
      rendition.type !== 'subtitles' && isSupported(mimeTypeOf(rendition)),
  );
  const video = supported.filter((rendition) => rendition.type === 'video');
  const audio = supported.filter((rendition) => rendition.type === 'audio');
  const lacks = (type: Rendition['type'], found: readonly Rendition[]): boolean =>
    found.length === 0 && title.renditions.some((rendition) => rendition.type === type);
  if (lacks('video', video) || lacks('audio', audio)) return null;
  const smallestFirst = video.toSorted((a, b) => firstBytes(a) - firstBytes(b));
  const budgetBytes = (bandwidthBps / 8) * (FIRST_SEGMENT_MS / 1000);
  const quick = smallestFirst.filter((rendition) => firstBytes(rendition) <= budgetBytes);
  return {
    video: quick.at(-1) ?? smallestFirst[0] ?? null,
    audio: audio.find((rendition) => rendition.isDefault) ?? audio[0] ?? null,
  };
}
