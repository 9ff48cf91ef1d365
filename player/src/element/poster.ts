/**
 * The poster: the opened picture that stands there before the first play.
 */

import { h } from './dom';

/** An image over the video. */
export class Poster {
  readonly element = h('img', { class: 'poster', alt: '', hidden: true });
  #url: string | null = null;

  /** Where the picture lies for this page, `null` where there is none. */
  get url(): string | null {
    return this.#url;
  }

  /** Shows another picture, or none. */
  show(blob: Blob | null): void {
    if (this.#url !== null) URL.revokeObjectURL(this.#url);
    this.#url = blob && URL.createObjectURL(blob);
    this.element.hidden = this.#url === null;
    if (this.#url === null) this.element.removeAttribute('src');
    else this.element.src = this.#url;
  }
}
