/**
 * The small picture over the seek bar, with the time and the chapter's name.
 *
 * Opens storyboard sheets as they are needed and keeps a few decoded ones. Knows nothing of
 * pointers: it is told a moment. A sheet that can't be had leaves the time alone to be shown.
 */

import type { Storyboard } from '../title';
import { h } from './dom';
import { tileAt, type Tile } from './storyboard';
import { clock } from './time';

/** Decoded sheets kept: a sheet of 5 × 5 tiles of 160 × 90 pixels takes 1.4 MB. */
const MAX_SHEETS = 6;

/** Opens one sheet, `null` where it can't be had. */
export type OpenSheet = (index: number) => Promise<Blob | null>;

/** The picture and the time under it. */
export class Preview {
  readonly #canvas = h('canvas', { class: 'tile', 'aria-hidden': 'true', hidden: true });
  readonly #time = h('span', { class: 'preview-time' });
  readonly #chapter = h('span', { class: 'preview-chapter', hidden: true });
  /** Its element; the seek bar places it. */
  readonly element = h(
    'div',
    { class: 'preview', hidden: true },
    this.#canvas,
    this.#time,
    this.#chapter,
  );
  readonly #sheets = new Map<number, Promise<ImageBitmap | null>>();
  #storyboard: Storyboard | null = null;
  #openSheet: OpenSheet = () => Promise.resolve(null);
  #shownFor = -1;

  /** Says where the pictures come from. */
  use(storyboard: Storyboard | null, openSheet: OpenSheet): void {
    this.#forgetSheets();
    this.#storyboard = storyboard;
    this.#openSheet = openSheet;
    this.#canvas.hidden = true;
    if (storyboard === null) return;
    this.#canvas.width = storyboard.tileWidth;
    this.#canvas.height = storyboard.tileHeight;
  }

  /** Shows the moment `seconds`, and the name of the chapter that it is in. */
  show(seconds: number, chapter: string): void {
    this.#shownFor = seconds;
    this.#time.textContent = clock(seconds);
    this.#chapter.textContent = chapter;
    this.#chapter.hidden = chapter === '';
    this.element.hidden = false;
    if (this.#storyboard !== null) void this.#draw(tileAt(this.#storyboard, seconds), seconds);
  }

  hide(): void {
    this.#shownFor = -1;
    this.element.hidden = true;
  }

  async #draw(tile: Tile, seconds: number): Promise<void> {
    const sheet = await this.#sheet(tile.sheet);
    // Another moment may have been asked for while the sheet was on its way.
    if (sheet === null || this.#shownFor !== seconds) return;
    const { x, y, width, height } = tile;
    this.#canvas.getContext('2d')?.drawImage(sheet, x, y, width, height, 0, 0, width, height);
    this.#canvas.hidden = false;
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
    const blob = await this.#openSheet(index);
    return blob && createImageBitmap(blob).catch(() => null);
  }

  #drop(index: number): void {
    void this.#sheets.get(index)?.then((sheet) => sheet?.close());
    this.#sheets.delete(index);
  }

  #forgetSheets(): void {
    for (const index of this.#sheets.keys()) this.#drop(index);
  }
}
