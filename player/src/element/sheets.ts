/**
 * The storyboard's pictures: opens sheets as they are needed and keeps a few decoded ones.
 *
 * Loaded when the first preview is wanted. Knows nothing of where they are shown.
 */

import type { Storyboard } from '../title';
import { tileAt, type Tile } from './storyboard';

/** Decoded sheets kept: a sheet of 5 × 5 tiles of 160 × 90 pixels takes 1.4 MB. */
const MAX_SHEETS = 6;

/** Opens one sheet, `null` where it can't be had. */
export type OpenSheet = (index: number) => Promise<Blob | null>;

/** A picture, and where on it the moment is. */
export interface Picture {
  readonly sheet: ImageBitmap;
  readonly tile: Tile;
}

/** The sheets of one storyboard. */
export class Sheets {
  readonly #sheets = new Map<number, Promise<ImageBitmap | null>>();

  constructor(
    private readonly storyboard: Storyboard,
    private readonly openSheet: OpenSheet,
  ) {}

  /** Returns the picture of a moment, `null` where it can't be had. */
  async at(seconds: number): Promise<Picture | null> {
    const tile = tileAt(this.storyboard, seconds);
    const sheet = await this.#sheet(tile.sheet);
    return sheet && { sheet, tile };
  }

  /** Lets go of every picture. */
  close(): void {
    for (const index of this.#sheets.keys()) this.#drop(index);
  }

  #sheet(index: number): Promise<ImageBitmap | null> {
    const known = this.#sheets.get(index);
    const sheet = known ?? this.#decode(index);
    // Taken out and put in again, a sheet becomes the youngest; the oldest goes first.
    this.#sheets.delete(index);
    this.#sheets.set(index, sheet);
    const [oldest] = this.#sheets.keys();
    if (this.#sheets.size > MAX_SHEETS && oldest !== undefined) this.#drop(oldest);
    return sheet;
  }

  async #decode(index: number): Promise<ImageBitmap | null> {
    const blob = await this.openSheet(index);
    return blob && createImageBitmap(blob).catch(() => null);
  }

  #drop(index: number): void {
    void this.#sheets.get(index)?.then((sheet) => sheet?.close());
    this.#sheets.delete(index);
  }
}
