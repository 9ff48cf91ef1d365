/**
 * Whether the viewer is busy with the controls, and so whether to show them.
 *
 * Controls stay while the video is paused, a menu is open, the seek bar is dragged or a control
 * has the keyboard's focus; else they go a moment after the last sign of life.
 */

import { listen } from './dom';

/** How long controls stay after the last movement. */
const LINGER_MS = 2600;

/** Shows and hides the controls of `host` by its attribute `data-idle`. */
export class Activity {
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly host: HTMLElement,
    private readonly video: HTMLVideoElement,
    private readonly isBusy: () => boolean,
  ) {
    listen(host, ['pointermove', 'keydown', 'focusin'], (event) => {
      if ((event as PointerEvent).pointerType !== 'touch') this.wake();
    });
    listen(host, 'pointerleave', (event) => {
      if ((event as PointerEvent).pointerType === 'mouse') this.#rest();
    });
    listen(video, ['play', 'pause', 'ended', 'seeking'], () => this.wake());
  }

  /** Whether controls are hidden. */
  get isIdle(): boolean {
    return this.host.hasAttribute('data-idle');
  }

  /** Shows the controls, and hides them again later. */
  wake(): void {
    this.host.removeAttribute('data-idle');
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#rest(), LINGER_MS);
  }

  /** Shows or hides the controls at once, for a tap. */
  toggle(): void {
    if (this.isIdle) this.wake();
    else this.#rest();
  }

  #rest(): void {
    if (this.video.paused || this.isBusy()) return;
    this.host.toggleAttribute('data-idle', true);
  }
}
