/**
 * What a title is, as the page knows it: the content of a verified title manifest.
 *
 * Shared by Workers and page. The specification is docs/format/title-manifest.md; the
 * parser is vault/manifest.ts.
 */

/** One media segment. */
export interface Segment {
  readonly durationUs: number;
  /** Plaintext length. */
  readonly bytes: number;
}

interface RenditionFacts {
  /** Rendition number of the objects' roles. */
  readonly id: number;
  readonly segments: readonly Segment[];
}

/** Fields of renditions that a decoder plays. */
interface CodedFacts extends RenditionFacts {
  /** RFC 6381 codecs string. */
  readonly codecs: string;
  readonly bandwidthBps: number;
  readonly averageBandwidthBps: number;
  /** Plaintext length of the initialisation segment. */
  readonly initBytes: number;
  /** Whether its objects lie in one rendition file. */
  readonly isSingleFile: boolean;
}

/** A video rendition. */
export interface VideoRendition extends CodedFacts {
  readonly type: 'video';
  readonly width: number;
  readonly height: number;
  readonly frameRate: number;
  /** Whether its segments exist in two variants, of which a viewer's grant opens one. */
  readonly isMarked: boolean;
}

/** Fields of renditions that a viewer chooses by name. */
interface NamedFacts {
  readonly name: string;
  /** BCP 47 tag, absent when unknown. */
  readonly language?: string;
  readonly isDefault: boolean;
}

/** An audio rendition. */
export interface AudioRendition extends CodedFacts, NamedFacts {
  readonly type: 'audio';
  readonly channels: number;
}

/** A WebVTT rendition. */
export interface SubtitleRendition extends RenditionFacts, NamedFacts {
  readonly type: 'subtitles';
  readonly isForced: boolean;
}

/** Any rendition. */
export type Rendition = VideoRendition | AudioRendition | SubtitleRendition;

/** The poster. */
export interface Poster {
  readonly mediaType: string;
  readonly width: number;
  readonly height: number;
  readonly bytes: number;
}

/** The pictures of the seek bar. */
export interface Storyboard {
  readonly mediaType: string;
  readonly intervalUs: number;
  readonly tileWidth: number;
  readonly tileHeight: number;
  readonly columns: number;
  readonly rows: number;
  readonly tileCount: number;
  /** Plaintext length of each sheet. */
  readonly sheets: readonly number[];
}

/** A chapter: it lasts until the next one begins. */
export interface Chapter {
  readonly startUs: number;
  /** What a person calls it; empty where it has no name. */
  readonly title: string;
}

/** A whole title. */
export interface Title {
  readonly title: string;
  readonly durationUs: number;
  /** In order of their beginnings. */
  readonly chapters?: readonly Chapter[];
  readonly poster?: Poster;
  readonly storyboard?: Storyboard;
  readonly renditions: readonly Rendition[];
}

/** Width by height of the box of a title without pictures: room for the controls. */
const SOUND_RATIO = 3.5;

/** Returns width by height of a title's picture. */
export function pictureRatio({ renditions }: Title): number {
  const largest = renditions.findLast((rendition) => rendition.type === 'video');
  return largest === undefined ? SOUND_RATIO : largest.width / largest.height;
}
