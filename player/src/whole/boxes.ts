/**
 * Boxes of ISO/IEC 14496-12, as far as one movie is made of two.
 *
 * Knows nothing of titles. Everything here has passed the seal, so a box that is not as its type wants is a defect of
 * whoever packaged it, and said so by [`Unfit`]. Invariant: what is read lies within the bytes that were given.
 */

import { concat, type Bytes } from '../vault/bytes';

/** Thrown where boxes are not what this file can put together. */
export class Unfit extends Error {}

/** A box: its type and its whole bytes, header included. */
export interface Box {
  readonly type: string;
  readonly bytes: Bytes;
}

const HEADER = 8;
/** Version and flags. */
const FULL = HEADER + 4;

function view(bytes: Bytes): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Reads the boxes that lie one after the other; those of 64-bit length are none that a segment has. */
export function boxesOf(bytes: Bytes): Box[] {
  const boxes: Box[] = [];
  const at = view(bytes);
  for (let offset = 0; offset < bytes.length;) {
    if (offset + HEADER > bytes.length) throw new Unfit('a cut box');
    const length = at.getUint32(offset);
    if (length < HEADER || offset + length > bytes.length) throw new Unfit('a box of no length');
    const type = String.fromCharCode(...bytes.subarray(offset + 4, offset + HEADER));
    boxes.push({ type, bytes: bytes.subarray(offset, offset + length) });
    offset += length;
  }
  return boxes;
}

/** Reads the boxes in a box. */
export function within({ bytes }: Box): Box[] {
  return boxesOf(bytes.subarray(HEADER));
}

/** Returns the one box of a type. */
export function one(boxes: readonly Box[], type: string): Box {
  const found = boxes.filter((candidate) => candidate.type === type);
  const [first] = found;
  if (first === undefined || found.length > 1) throw new Unfit(`${found.length} of ${type}`);
  return first;
}

/** Makes a box. */
export function box(type: string, ...parts: readonly Bytes[]): Bytes {
  const header = new Uint8Array(HEADER);
  view(header).setUint32(
    0,
    parts.reduce((length, part) => length + part.length, HEADER),
  );
  for (let at = 0; at < 4; at++) header[4 + at] = type.charCodeAt(at);
  return concat(header, ...parts);
}

/** Numbers as boxes hold them, 32 bits each. */
export function words(...values: readonly number[]): Bytes {
  const bytes = new Uint8Array(values.length * 4);
  values.forEach((value, index) => view(bytes).setUint32(index * 4, value));
  return bytes;
}

function version({ bytes, type }: Box): 0 | 1 {
  const value = bytes[HEADER];
  if (value !== 0 && value !== 1) throw new Unfit(`${type} of version ${value}`);
  return value;
}

/** Where `tkhd` and `mvhd` have what follows their two times: the track's number, or the scale of time. */
function afterTimes(of: Box): number {
  return FULL + (version(of) === 0 ? 8 : 16);
}

/** Units of time in a second: a movie's (`mvhd`) or a track's (`mdhd`). */
export function timescaleOf(header: Box): number {
  const value = view(header.bytes).getUint32(afterTimes(header));
  return value === 0 ? refuseTime() : value;
}

function refuseTime(): never {
  throw new Unfit('a movie without a time');
}

/** A copy of `mvhd` that says how long the movie is (in its own units), and which number a third track would have. */
export function withDuration(mvhd: Box, duration: number, nextTrack: number): Bytes {
  const bytes = mvhd.bytes.slice();
  const at = afterTimes(mvhd) + 4;
  if (version(mvhd) === 0) view(bytes).setUint32(at, duration);
  else view(bytes).setBigUint64(at, BigInt(duration));
  view(bytes).setUint32(bytes.length - 4, nextTrack);
  return bytes;
}

/** Multiplies a duration in place: 32 bits wide in version 0, 64 in version 1. */
function scale(bytes: Bytes, at: number, wide: boolean, factor: number): void {
  const data = view(bytes);
  const value = wide ? Number(data.getBigUint64(at)) : data.getUint32(at);
  const scaled = Math.round(value * factor);
  if (wide) data.setBigUint64(at, BigInt(scaled));
  else data.setUint32(at, scaled);
}

function renumberedHeader(tkhd: Box, number: number, factor: number): Bytes {
  const bytes = tkhd.bytes.slice();
  const at = afterTimes(tkhd);
  view(bytes).setUint32(at, number);
  // After the number and four bytes that mean nothing.
  scale(bytes, at + 8, version(tkhd) === 1, factor);
  return bytes;
}

/** Edits have their length in the movie's time, and where they begin in the track's. */
function scaledEdits(edts: Box, factor: number): Bytes {
  const lists = within(edts).map((list) => {
    const bytes = list.bytes.slice();
    const isWide = version(list) === 1;
    const count = view(bytes).getUint32(FULL);
    const length = isWide ? 20 : 12;
    if (bytes.length < FULL + 4 + count * length) throw new Unfit('a cut list of edits');
    for (let at = 0; at < count; at++) scale(bytes, FULL + 4 + at * length, isWide, factor);
    return bytes;
  });
  return box('edts', ...lists);
}

/** A copy of a `trak` under another number, its durations multiplied by `factor`: that of two movies' times. */
export function asTrack(trak: Box, number: number, factor: number): Bytes {
  const parts = within(trak).map((part) => {
    if (part.type === 'tkhd') return renumberedHeader(part, number, factor);
    return part.type === 'edts' ? scaledEdits(part, factor) : part.bytes;
  });
  return box('trak', ...parts);
}

/** A copy of a `trex` for a track of another number. */
export function asDefaults(trex: Box, number: number): Bytes {
  const bytes = trex.bytes.slice();
  view(bytes).setUint32(FULL, number);
  return bytes;
}

/** Gives the fragments of a segment to another track, in place: nothing changes its length. */
export function renumberFragments(segment: Bytes, number: number): void {
  for (const moof of boxesOf(segment).filter(({ type }) => type === 'moof')) {
    for (const traf of within(moof).filter(({ type }) => type === 'traf')) {
      view(one(within(traf), 'tfhd').bytes).setUint32(FULL, number);
    }
  }
}
