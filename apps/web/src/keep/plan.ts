/**
 * What a copy of a title consists of.
 *
 * Pure functions over the opened manifest and over playlists. Knows the order in which docs/format/bucket.md writes
 * renditions, and no key. Invariant: what is planned is what is counted: sizes are sealed sizes, to the byte.
 */

import type { Rendition, Title, VideoRendition } from '@veilcast/player';
import { sealedLength } from '../../../../player/src/vault/cobblestone';

/** One rendition of a copy. */
export interface PlannedRendition {
  readonly type: Rendition['type'];
  /** Rendition number: the name of sound and captions in the multivariant playlist. */
  readonly id: number;
  /** Its place among the renditions that have a stream of their own in the multivariant playlist. */
  readonly stream: number | null;
  /** Sealed lengths of its objects, the initialisation segment first where it has one. */
  readonly objects: readonly number[];
}

/** A copy as it is to be. */
export interface Plan {
  readonly height: number | null;
  readonly renditions: readonly PlannedRendition[];
  readonly bytes: number;
}

/** What a viewer may choose: a picture, by its height, or sound alone. */
export interface Choice {
  readonly id: number | null;
  readonly height: number | null;
  readonly bytes: number;
}

const isVideo = (rendition: Rendition): rendition is VideoRendition => rendition.type === 'video';

function lengthsOf(rendition: Rendition): number[] {
  const segments = rendition.segments.map(({ bytes }) => sealedLength(bytes));
  return rendition.type === 'subtitles'
    ? segments
    : [sealedLength(rendition.initBytes), ...segments];
}

function sum(lengths: readonly number[]): number {
  return lengths.reduce((total, length) => total + length, 0);
}

/** Plans a copy with one picture, one sound and all captions; `null` is the title's own choice. */
export function planOf(title: Title, videoId: number | null, audioId: number | null): Plan {
  const { renditions } = title;
  const videos = renditions.filter(isVideo);
  const audios = renditions.filter((rendition) => rendition.type === 'audio');
  const video = videos.find(({ id }) => id === videoId) ?? videos[0];
  const own = audios.find((one) => one.isDefault) ?? audios[0];
  // In a title of sound alone the stream is its own sound; another could not be offered without it.
  const audio = (video && audios.find(({ id }) => id === audioId)) ?? own;
  const streams: readonly (Rendition | undefined)[] = video ? videos : [own];
  const chosen = renditions.filter(
    (rendition) => rendition === video || rendition === audio || rendition.type === 'subtitles',
  );
  const planned = chosen.map((rendition): PlannedRendition => {
    const stream = streams.indexOf(rendition);
    return {
      type: rendition.type,
      id: rendition.id,
      stream: stream < 0 ? null : stream,
      objects: lengthsOf(rendition),
    };
  });
  const bytes = sum(planned.map(({ objects }) => sum(objects)));
  const height = video ? Math.min(video.width, video.height) : null;
  return { height, renditions: planned, bytes };
}

/** Lists what a viewer may choose from, the smallest first. */
export function choicesOf(title: Title, audioId: number | null): Choice[] {
  const videos = title.renditions.filter(isVideo);
  const ids = videos.length > 0 ? videos.map(({ id }) => id) : [null];
  const choices = ids.map((id) => {
    const { height, bytes } = planOf(title, id, audioId);
    return { id, height, bytes };
  });
  return choices.toSorted((a, b) => a.bytes - b.bytes);
}

/** A rendition's playlist, and the multivariant playlist with the planned renditions alone. */
export interface Offer {
  readonly text: string;
  /** URIs as they are written, in the order of the plan's renditions. */
  readonly uris: readonly string[];
}

const NAMED = /^#EXT-X-MEDIA:.*\bNAME="(\d{1,5})"/;
const MEDIA_URI = /\bURI="([^"]+)"/;
const STREAM = '#EXT-X-STREAM-INF:';

/** Takes from a multivariant playlist what is planned; throws where it has not got all of it. */
export function offerOf(text: string, plan: Plan): Offer {
  const byName = new Map<number, string>();
  const streams: string[] = [];
  const kept: string[] = [];
  const isPlanned = (id: number): boolean => plan.renditions.some((one) => one.id === id);
  let stream: string | null = null;
  for (const line of text.split('\n').map((one) => one.trimEnd())) {
    const id = Number(NAMED.exec(line)?.[1] ?? -1);
    if (stream !== null) {
      const isKept = plan.renditions.some((one) => one.stream === streams.length);
      if (isKept) kept.push(stream, line);
      streams.push(line);
      stream = null;
    } else if (line.startsWith(STREAM)) {
      stream = line;
    } else if (id < 0 || isPlanned(id)) {
      kept.push(line);
      const uri = MEDIA_URI.exec(line)?.[1];
      if (id >= 0 && uri !== undefined) byName.set(id, uri);
    }
  }
  const uris = plan.renditions.map((one) => {
    const uri = one.stream === null ? byName.get(one.id) : streams[one.stream];
    if (uri === undefined) throw new Error('a planned rendition is not offered');
    return uri;
  });
  return { text: kept.join('\n'), uris };
}
