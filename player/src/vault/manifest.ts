/**
 * Parses the title manifest.
 *
 * Specification: docs/format/title-manifest.md. Knows nothing of how the bytes were opened. A
 * manifest is authentic when it comes here, but may have been made by a careless or hostile
 * sender: everything has a limit.
 */

import type {
  AudioRendition,
  Chapter,
  Poster,
  Rendition,
  Segment,
  Storyboard,
  SubtitleRendition,
  Title,
  VideoRendition,
} from '../title';
import { MAX_PLAINTEXT_BYTES } from './cobblestone';
import { asInteger, Fields, Malformed } from './json';

/** Largest manifest (docs/format/title-manifest.md). */
export const MAX_MANIFEST_BYTES = 16 * 1024 * 1024;

/** A long evening's title has five renditions a codec, and tens of languages. */
const MAX_RENDITIONS = 512;
/** Two days of 2-second segments: below it the page's lists stay small. */
const MAX_SEGMENTS = 100_000;
const MAX_SHEETS = 4096;
/** An audio book has a few hundred. */
const MAX_CHAPTERS = 1000;
/** About 31 years: keeps microseconds exact. */
const MAX_DURATION_US = 1e15;
/** What a browser decodes at most; keeps canvas and layout sums small. */
const MAX_PIXELS = 16_384;
const MAX_TITLE_CHARACTERS = 1024;
const MAX_NAME_CHARACTERS = 256;
const MAX_BANDWIDTH_BPS = 1e12;

const CODECS = /^[A-Za-z0-9][A-Za-z0-9.,_-]*$/;
const LANGUAGE = /^[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*$/;
/** Raster formats alone: an SVG could carry links and scripts. */
const IMAGE_TYPES = ['image/webp', 'image/jpeg', 'image/png', 'image/avif'] as const;

function readSegment(item: unknown, where: string): Segment {
  const [duration, length] = Array.isArray(item) ? (item as unknown[]) : [];
  const durationUs = asInteger(duration, 0, MAX_DURATION_US);
  const bytes = asInteger(length, 0, MAX_PLAINTEXT_BYTES);
  if (durationUs === undefined || bytes === undefined) {
    throw new Malformed(`${where} is not a duration and a length`);
  }
  return { durationUs, bytes };
}

function readCoded(fields: Fields) {
  return {
    id: fields.integer('id', 1, 0xffff),
    segments: fields.list('segments', MAX_SEGMENTS, readSegment),
    codecs: fields.text('codecs', 128, CODECS),
    bandwidthBps: fields.integer('bandwidth_bps', 1, MAX_BANDWIDTH_BPS),
    averageBandwidthBps: fields.integer('average_bandwidth_bps', 1, MAX_BANDWIDTH_BPS),
    initBytes: fields.integer('init_length', 1, MAX_PLAINTEXT_BYTES),
    isSingleFile: fields.has('single_file') && fields.flag('single_file'),
  };
}

function readNamed(fields: Fields) {
  const named = {
    name: fields.text('name', MAX_NAME_CHARACTERS),
    isDefault: fields.has('default') && fields.flag('default'),
  };
  return fields.has('language')
    ? { ...named, language: fields.text('language', 64, LANGUAGE) }
    : named;
}

function readVideo(fields: Fields): VideoRendition {
  return {
    type: 'video',
    ...readCoded(fields),
    isMarked: fields.has('marked') && fields.flag('marked'),
    width: fields.integer('width', 1, MAX_PIXELS),
    height: fields.integer('height', 1, MAX_PIXELS),
    frameRate: fields.positive('frame_rate', 1000),
  };
}

function readAudio(fields: Fields): AudioRendition {
  return {
    type: 'audio',
    ...readCoded(fields),
    ...readNamed(fields),
    channels: fields.integer('channels', 1, 64),
  };
}

function readSubtitles(fields: Fields): SubtitleRendition {
  return {
    type: 'subtitles',
    id: fields.integer('id', 1, 0xffff),
    segments: fields.list('segments', MAX_SEGMENTS, readSegment),
    ...readNamed(fields),
    isForced: fields.has('forced') && fields.flag('forced'),
  };
}

function readRendition(item: unknown, where: string): Rendition {
  const fields = Fields.of(item, where);
  switch (fields.oneOf('type', ['video', 'audio', 'subtitles'])) {
    case 'video':
      return readVideo(fields);
    case 'audio':
      return readAudio(fields);
    case 'subtitles':
      return readSubtitles(fields);
  }
}

function readPoster(fields: Fields): Poster {
  return {
    mediaType: fields.oneOf('media_type', IMAGE_TYPES),
    width: fields.integer('width', 1, MAX_PIXELS),
    height: fields.integer('height', 1, MAX_PIXELS),
    bytes: fields.integer('length', 1, MAX_PLAINTEXT_BYTES),
  };
}

function readStoryboard(fields: Fields): Storyboard {
  const storyboard: Storyboard = {
    mediaType: fields.oneOf('media_type', IMAGE_TYPES),
    intervalUs: fields.integer('interval_us', 1, MAX_DURATION_US),
    tileWidth: fields.integer('tile_width', 1, 4096),
    tileHeight: fields.integer('tile_height', 1, 4096),
    columns: fields.integer('columns', 1, 256),
    rows: fields.integer('rows', 1, 256),
    tileCount: fields.integer('tile_count', 1, 1_000_000),
    sheets: fields.list('sheets', MAX_SHEETS, (item) => {
      return asInteger(item, 1, MAX_PLAINTEXT_BYTES) ?? fields.refuse('sheets');
    }),
  };
  const perSheet = storyboard.columns * storyboard.rows;
  if (storyboard.sheets.length !== Math.ceil(storyboard.tileCount / perSheet)) {
    fields.refuse('sheets');
  }
  return storyboard;
}

/** Reads chapters: strictly rising, each within the title. */
function readChapters(fields: Fields, durationUs: number): Chapter[] {
  let earliest = 0;
  return fields.list('chapters', MAX_CHAPTERS, (item, where) => {
    const chapter = Fields.of(item, where);
    const startUs = chapter.integer('start_us', earliest, durationUs - 1);
    earliest = startUs + 1;
    return { startUs, title: chapter.text('title', MAX_NAME_CHARACTERS) };
  });
}

function checkRenditions(fields: Fields, renditions: readonly Rendition[]): void {
  const ids = new Set(renditions.map((rendition) => rendition.id));
  if (ids.size !== renditions.length) fields.refuse('renditions');
  const playable = renditions.filter((rendition) => rendition.type !== 'subtitles');
  if (playable.length === 0 || playable.some((rendition) => rendition.segments.length === 0)) {
    fields.refuse('renditions');
  }
}

/** Parses an opened manifest, or throws [`Malformed`]. */
export function parseManifest(bytes: Uint8Array): Title {
  if (bytes.length > MAX_MANIFEST_BYTES) throw new Malformed('the manifest is too long');
  const fields = Fields.parse(bytes, 'manifest');
  fields.version(1);
  const renditions = fields.list('renditions', MAX_RENDITIONS, readRendition);
  checkRenditions(fields, renditions);
  const durationUs = fields.integer('duration_us', 1, MAX_DURATION_US);
  return {
    title: fields.text('title', MAX_TITLE_CHARACTERS),
    durationUs,
    renditions,
    ...(fields.has('chapters') && { chapters: readChapters(fields, durationUs) }),
    ...(fields.has('poster') && { poster: readPoster(fields.fields('poster')) }),
    ...(fields.has('storyboard') && { storyboard: readStoryboard(fields.fields('storyboard')) }),
  };
}
