/**
 * What stands over the seek bar: a small picture, the time and the chapter's name.
 *
 * Knows nothing of pointers: it is told a moment. Where there is no picture, the time stands alone.
 */

import type { Storyboard } from '../title';
import { h } from './dom';
import type { OpenSheet, Sheets } from './sheets';
import { clock } from './time';

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
  #make: () => Promise<Sheets | null> = () => Promise.resolve(null);
  #sheets: Promise<Sheets | null> | null = null;
  #shownFor = -1;

  /** Says where the pictures come from. */
  use(storyboard: Storyboard | null, openSheet: OpenSheet): void {
    void this.#sheets?.then((sheets) => sheets?.close());
    this.#sheets = null;
    this.#canvas.hidden = true;
    this.#make = async () => {
      if (storyboard === null) return null;
      const { Sheets: Made } = await import('./sheets');
      return new Made(storyboard, openSheet);
    };
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
    void this.#draw(seconds);
  }

  hide(): void {
    this.#shownFor = -1;
    this.element.hidden = true;
  }

  async #draw(seconds: number): Promise<void> {
    this.#sheets ??= this.#make().catch(() => null);
    const picture = await (await this.#sheets)?.at(seconds);
    // Another moment may have been asked for while the sheet was on its way.
    if (!picture || this.#shownFor !== seconds) return;
    const { sheet, tile } = picture;
    const { x, y, width, height } = tile;
    this.#canvas.getContext('2d')?.drawImage(sheet, x, y, width, height, 0, 0, width, height);
    this.#canvas.hidden = false;
  }
}
