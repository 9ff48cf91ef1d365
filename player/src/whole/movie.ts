/**
 * A title as one MP4 that nobody ever wrote: where everything lies in it, and its beginning.
 *
 * Two renditions, a picture and a sound, become one fragmented movie (ISO/IEC 14496-12 §8.8): the merged initialisation
 * segments, an index of each track (§8.16.3), then the segments by turns as they are. Knows nothing of networks.
 * Invariant: every place follows from the sealed manifest's lengths, so any byte can be asked for before the others are
 * there.
 */

import type { AudioRendition, Title, VideoRendition } from '../title';
import { concat, type Bytes } from '../vault/bytes';
import { Kind, type Role } from '../vault/role';
import {
  asDefaults,
  asTrack,
  box,
  boxesOf,
  one,
  renumberFragments,
  timescaleOf,
  Unfit,
  withDuration,
  within,
  words,
  type Box,
} from './boxes';

/** A segment in the movie. */
export interface Part {
  readonly role: Role;
  /** The number of its track in the movie. */
  readonly track: number;
  readonly offset: number;
  readonly bytes: number;
}

/** What the movie is made of; the picture comes first. */
export type Sources = readonly (VideoRendition | AudioRendition)[];

/** A segment with its time, before it has a place. */
interface Timed {
  readonly source: number;
  readonly index: number;
  readonly startUs: number;
  readonly durationUs: number;
  readonly bytes: number;
}

const MICROSECONDS = 1_000_000;
/** `starts_with_SAP` and `SAP_type` 1: each segment begins with a picture that needs no other. */
const STARTS_CLEAN = 0x9000_0000;
const MAX_REFERENCES = 0xffff;
const MAX_REFERENCE_BYTES = 0x7fff_ffff;

function timesOf({ segments }: Sources[number], source: number): Timed[] {
  let startUs = 0;
  return segments.map(({ durationUs, bytes }, index) => {
    const timed = { source, index, startUs, durationUs, bytes };
    startUs += durationUs;
    return timed;
  });
}

/** In the order of time; where two begin together, the picture first. */
function inOrder(sources: Sources): Timed[] {
  const all = sources.flatMap((source, number) => timesOf(source, number));
  return all.toSorted((a, b) => a.startUs - b.startUs || a.source - b.source);
}

/** What an index says of a segment, and of what lies between it and the next one of its track. */
interface Reference {
  bytes: number;
  readonly units: number;
}

/** The references of one track, and how much lies before its first segment. */
function referencesOf(
  ordered: readonly Timed[],
  source: number,
  timescale: number,
): { before: number; references: Reference[] } {
  const unitsAt = (us: number): number => Math.round((us / MICROSECONDS) * timescale);
  const references: Reference[] = [];
  let before = 0;
  for (const timed of ordered) {
    const last = references.at(-1);
    if (timed.source === source) {
      const units = unitsAt(timed.startUs + timed.durationUs) - unitsAt(timed.startUs);
      references.push({ bytes: timed.bytes, units });
    } else if (last === undefined) {
      before += timed.bytes;
    } else {
      last.bytes += timed.bytes;
    }
  }
  if (references.length > MAX_REFERENCES || references.some((r) => r.bytes > MAX_REFERENCE_BYTES)) {
    throw new Unfit('too much for one index');
  }
  return { before, references };
}

/**
 * One index a track: without one of its own, FFmpeg doesn't find a track's fragments after a seek. Times are in units of
 * the track, since FFmpeg takes the index's for the track's.
 */
function indices(ordered: readonly Timed[], timescales: readonly number[]): Bytes {
  const made: Bytes[] = [];
  let behind = 0;
  for (let source = timescales.length - 1; source >= 0; source--) {
    const timescale = timescales[source] as number;
    const { before, references } = referencesOf(ordered, source, timescale);
    const entries = references.flatMap(({ bytes, units }) => [bytes, units, STARTS_CLEAN]);
    // Version 0: track, timescale, earliest time, distance of the first segment, and a count of 16 bits.
    const head = [0, source + 1, timescale, 0, behind + before, references.length];
    const index = box('sidx', words(...head, ...entries));
    behind += index.length;
    made.unshift(index);
  }
  return concat(...made);
}

/** Units of time in a second of the one track of an initialisation segment. */
function trackTimescaleOf(init: Bytes): number {
  const mdia = one(within(one(moovOf(init), 'trak')), 'mdia');
  return timescaleOf(one(within(mdia), 'mdhd'));
}

function moovOf(init: Bytes): Box[] {
  return within(one(boxesOf(init), 'moov'));
}

/** Merges initialisation segments of one track each, whose tracks become 1, 2, … */
function merge(inits: readonly Bytes[], durationUs: number): Bytes {
  const [first, ...others] = inits.map(moovOf);
  if (first === undefined) throw new Unfit('nothing to merge');
  const movies = [first, ...others];
  const mvhd = one(first, 'mvhd');
  const timescale = timescaleOf(mvhd);
  const duration = Math.round((durationUs / MICROSECONDS) * timescale);
  const tracks = movies.map((movie, index) => {
    const factor = timescale / timescaleOf(one(movie, 'mvhd'));
    return asTrack(one(movie, 'trak'), index + 1, factor);
  });
  const defaults = movies.map((movie, index) =>
    asDefaults(one(within(one(movie, 'mvex')), 'trex'), index + 1),
  );
  const extends_ = box('mvex', box('mehd', words(0, duration)), ...defaults);
  const head = withDuration(mvhd, duration, movies.length + 1);
  const ftyp = one(boxesOf(inits[0] as Bytes), 'ftyp').bytes;
  return concat(ftyp, box('moov', head, ...tracks, extends_));
}

/** The movie of one title. */
export class Movie {
  /** Its beginning: initialisation and index. */
  readonly head: Bytes;
  readonly parts: readonly Part[];
  readonly bytes: number;

  /** `inits` are the opened initialisation segments of `sources`, in their order. */
  constructor(title: Title, sources: Sources, inits: readonly Bytes[]) {
    const ordered = inOrder(sources);
    const begin = merge(inits, title.durationUs);
    this.head = concat(begin, indices(ordered, inits.map(trackTimescaleOf)));
    let offset = this.head.length;
    this.parts = ordered.map(({ source, index, bytes }) => {
      const { id } = sources[source] as Sources[number];
      const role = { kind: Kind.segment, rendition: id, index };
      const part = { role, track: source + 1, offset, bytes };
      offset += bytes;
      return part;
    });
    this.bytes = offset;
  }

  /** The first part that reaches beyond `offset`; as many as there are where none does. */
  partAt(offset: number): number {
    let [low, high] = [0, this.parts.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      const { offset: start, bytes } = this.parts[middle] as Part;
      if (start + bytes <= offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Makes an opened segment what it is in the movie, in place. */
  fit({ track }: Part, segment: Bytes): void {
    renumberFragments(segment, track);
  }
}
