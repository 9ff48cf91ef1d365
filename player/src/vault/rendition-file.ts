/**
 * Where the objects of a rendition lie in its rendition file.
 *
 * Specification: docs/format/sealed-object.md, "Rendition files". Arithmetic over the manifest's lengths alone: no
 * place is ever taken from anybody else.
 */

import type { AudioRendition, VideoRendition } from '../title';
import { sealedLength } from './cobblestone';
import type { ByteRange } from './playlist-reader';
import { Kind, type Role } from './role';

/** What the places follow from. */
type Lengths = Pick<VideoRendition | AudioRendition, 'id' | 'initBytes' | 'segments'>;

/** The file of one rendition. */
export class RenditionFile {
  /** The role that the file has its name by. */
  readonly role: Role;
  /** Where each object begins, the initialisation segment first, and where the last one ends. */
  readonly #starts: Float64Array;

  constructor({ id, initBytes, segments }: Lengths) {
    this.role = { kind: Kind.renditionFile, rendition: id, index: 0 };
    this.#starts = new Float64Array(segments.length + 2);
    this.#starts[1] = sealedLength(initBytes);
    segments.forEach(({ bytes }, index) => {
      this.#starts[index + 2] = (this.#starts[index + 1] as number) + sealedLength(bytes);
    });
  }

  /** Length of the whole file. Below 2⁵³: a rendition has at most 100,000 segments of 64 MiB. */
  get bytes(): number {
    return this.#starts.at(-1) as number;
  }

  /** Where the initialisation segment lies. */
  get init(): ByteRange {
    return { offset: 0, bytes: this.#starts[1] as number };
  }

  /** Where a media segment lies, `null` where there is none of this index. */
  segment(index: number): ByteRange | null {
    const [offset, end] = this.#starts.subarray(index + 1, index + 3);
    if (index < 0 || offset === undefined || end === undefined) return null;
    return { offset, bytes: end - offset };
  }
}
