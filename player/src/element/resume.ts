/**
 * Goes on where the viewer stopped: notes the position while a title plays, and recalls it when the
 * title is opened again.
 *
 * Knows nothing of how positions are kept.
 */

import type { Link } from '../protocol';
import { listen } from './dom';
import { positionKey, type Positions } from './positions';

/** Time that a crash may cost. */
const PERIOD_S = 5;

/** The position of one element's title. */
export class Resume {
  #key: string | null = null;
  #notedS = 0;

  constructor(
    private readonly video: HTMLVideoElement,
    private readonly positions: Positions,
  ) {
    listen(video, 'timeupdate', () => {
      if (!video.paused && Math.abs(video.currentTime - this.#notedS) >= PERIOD_S) this.note();
    });
    listen(video, ['pause', 'ended'], () => this.note());
  }

  /** Begins with another link; returns the second to offer, `null` for none. */
  async begin(link: Link): Promise<number | null> {
    this.end();
    const key = await positionKey(link);
    this.#key = key;
    return this.positions.isOn ? this.positions.recall(key) : null;
  }

  /** Notes where the video is. */
  note(): void {
    const { currentTime, duration, played } = this.video;
    if (this.#key === null || played.length === 0 || !(duration > 0)) return;
    this.#notedS = currentTime;
    this.positions.note(this.#key, currentTime, duration);
  }

  /** Ends with the title. */
  end(): void {
    this.#key = null;
    this.#notedS = 0;
  }
}
