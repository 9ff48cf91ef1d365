/**
 * The seek bar: a slider with what is played, what is buffered, where chapters begin, and previews.
 *
 * Works by pointer (hover, drag), by touch and by keyboard. Knows nothing of how a seek is done:
 * it reads the video and tells `onSeek`.
 */

import type { Chapter } from '../title';
import type { Words } from '../words/words';
import { whenCalm } from './calm';
import { chapterAt, chapterMarks } from './chapters';
import { h, setAttribute, listen } from './dom';
import { Preview } from './preview';

/** Ranges drawn: more can't be told apart on a bar. */
const MAX_RANGES = 16;

/** A slider over a video's time. */
export class SeekBar {
  readonly preview = new Preview();
  readonly #buffered = h('div', { class: 'buffered' });
  readonly #played = h('div', { class: 'played' });
  readonly #hover = h('div', { class: 'hover' });
  readonly #thumb = h('div', { class: 'thumb' });
  readonly #marks = h('div', { class: 'marks' });
  readonly #track = h(
    'div',
    { class: 'track' },
    this.#buffered,
    this.#hover,
    this.#played,
    this.#marks,
  );
  readonly element = h(
    'div',
    { class: 'seek', role: 'slider', tabindex: 0, 'aria-valuemin': 0 },
    this.#track,
    this.#thumb,
    this.preview.element,
  );
  #dragS: number | null = null;
  #chapters: readonly Chapter[] = [];
  #isSpoken = false;

  constructor(
    private readonly video: HTMLVideoElement,
    private readonly words: Words,
    private readonly onSeek: (seconds: number) => void,
  ) {
    listen(video, ['timeupdate', 'durationchange', 'seeked', 'emptied'], this.update);
    listen(video, 'seeking', this.#speak);
    listen(video, 'durationchange', this.#updateMarks);
    listen(video, 'progress', this.#updateBuffered);
    listen(this.element, 'pointerdown', (event) => this.#down(event as PointerEvent));
    listen(this.element, 'pointermove', (event) => this.#move(event as PointerEvent));
    listen(this.element, 'pointerup', (event) => this.#up(event as PointerEvent));
    listen(this.element, ['pointercancel', 'lostpointercapture'], () => this.#release());
    listen(this.element, ['pointerleave', 'blur'], () => {
      if (this.#dragS === null) this.preview.hide();
    });
    words.show(() => {
      this.element.setAttribute('aria-label', words.t('seek'));
      this.update();
    });
    whenCalm(video, this.#speak);
  }

  /** Says where chapters begin. */
  showChapters(chapters: readonly Chapter[]): void {
    this.#chapters = chapters;
    this.#updateMarks();
    this.update();
  }

  /** Whether the viewer is dragging. */
  get isDragging(): boolean {
    return this.#dragS !== null;
  }

  /** Shows the preview of the present moment, for seeks by key. */
  showCurrent(): void {
    this.#placePreview(this.video.currentTime);
  }

  readonly update = (): void => {
    const duration = this.#duration();
    const at = this.#dragS ?? this.video.currentTime;
    const fraction = duration > 0 ? Math.min(at / duration, 1) : 0;
    this.element.style.setProperty('--vp-played', String(fraction));
    setAttribute(this.element, 'aria-valuemax', String(Math.floor(duration)));
    setAttribute(this.element, 'aria-valuenow', String(Math.floor(at)));
    if (this.#isSpoken) setAttribute(this.element, 'aria-valuetext', this.#spoken(at, duration));
    this.#updateBuffered();
  };

  /** Says in words what it shows, from now on. */
  readonly #speak = (): void => {
    this.#isSpoken = true;
    this.update();
  };

  #spoken(seconds: number, duration: number): string {
    const chapter = this.#chapterName(seconds);
    const [at, whole] = [this.words.duration(seconds), this.words.duration(duration)];
    return this.words.t(chapter === '' ? 'seekValue' : 'seekValueChapter', { at, whole, chapter });
  }

  #chapterName(seconds: number): string {
    return this.#chapters[chapterAt(this.#chapters, seconds)]?.title ?? '';
  }

  readonly #updateMarks = (): void => {
    const marks = chapterMarks(this.#chapters, this.#duration()).map((place) => {
      const mark = h('i');
      mark.style.insetInlineStart = `${place * 100}%`;
      return mark;
    });
    this.#marks.replaceChildren(...marks);
  };

  readonly #updateBuffered = (): void => {
    const { buffered } = this.video;
    const duration = this.#duration();
    const count = duration > 0 ? Math.min(buffered.length, MAX_RANGES) : 0;
    while (this.#buffered.childElementCount > count) this.#buffered.lastElementChild?.remove();
    while (this.#buffered.childElementCount < count) this.#buffered.append(h('i'));
    for (let i = 0; i < count; i++) {
      const { style } = this.#buffered.children[i] as HTMLElement;
      style.insetInlineStart = `${(buffered.start(i) / duration) * 100}%`;
      style.inlineSize = `${((buffered.end(i) - buffered.start(i)) / duration) * 100}%`;
    }
  };

  #duration(): number {
    return Number.isFinite(this.video.duration) ? this.video.duration : 0;
  }

  #secondsAt({ clientX }: PointerEvent): number {
    const { left, width } = this.#track.getBoundingClientRect();
    const fraction = width > 0 ? (clientX - left) / width : 0;
    return Math.min(Math.max(fraction, 0), 1) * this.#duration();
  }

  #down(event: PointerEvent): void {
    if (event.button !== 0 || this.#duration() === 0) return;
    this.element.setPointerCapture(event.pointerId);
    this.#drag(this.#secondsAt(event));
  }

  #move(event: PointerEvent): void {
    if (this.#duration() === 0) return;
    const seconds = this.#secondsAt(event);
    if (this.#dragS === null) this.#placePreview(seconds);
    else this.#drag(seconds);
  }

  #up(event: PointerEvent): void {
    if (this.#dragS === null) return;
    const seconds = this.#secondsAt(event);
    this.#release();
    this.onSeek(seconds);
    if (event.pointerType !== 'mouse') this.preview.hide();
  }

  #drag(seconds: number): void {
    this.#dragS = seconds;
    this.element.toggleAttribute('data-dragging', true);
    this.#placePreview(seconds);
    this.update();
  }

  #release(): void {
    this.#dragS = null;
    this.element.removeAttribute('data-dragging');
    this.update();
  }

  #placePreview(seconds: number): void {
    const duration = this.#duration();
    if (duration === 0) return;
    this.preview.show(seconds, this.#chapterName(seconds));
    const bar = this.#track.clientWidth;
    const half = Math.min(this.preview.element.offsetWidth / 2, bar / 2);
    const wanted = (seconds / duration) * bar;
    const x = Math.min(Math.max(wanted, half), bar - half);
    this.element.style.setProperty('--vp-preview', `${x}px`);
    this.element.style.setProperty('--vp-hover', String(seconds / duration));
  }
}
