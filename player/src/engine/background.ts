/**
 * Less work for a video that nobody sees: a hidden page's picture may be the smallest, and its buffer longer.
 *
 * A hidden page's timers tick once a second, and once a minute where it is silent as well; the streaming library looks for more
 * to load at such ticks, so what is buffered has to last from one to the next. Invariant: what
 * is seen, in its page or in a window of its own, is never restrained.
 */

import type Hls from 'hls.js';
import type { HlsConfig } from 'hls.js';
import { PLAYING } from './settings';

/** A page hidden for less than this is only being passed by, in milliseconds. */
const PATIENCE_MS = 10_000;

/** The part of a page that is looked at. */
export type PageLike = Pick<Document, 'hidden' | 'addEventListener' | 'removeEventListener'>;

/** Watches whether a video is seen; `restrain` is told when that changes. */
export class Background {
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isRestrained = false;

  constructor(
    private readonly page: PageLike,
    private readonly isApart: () => boolean,
    private readonly restrain: (isRestrained: boolean) => void,
  ) {
    page.addEventListener('visibilitychange', this.#look);
    this.#look();
  }

  /** Ends the watching. */
  destroy(): void {
    clearTimeout(this.#timer);
    this.page.removeEventListener('visibilitychange', this.#look);
  }

  readonly #look = (): void => {
    clearTimeout(this.#timer);
    if (this.page.hidden) this.#timer = setTimeout(() => this.#set(!this.isApart()), PATIENCE_MS);
    else this.#set(false);
  };

  #set(isRestrained: boolean): void {
    if (this.#isRestrained === isRestrained) return;
    this.#isRestrained = isRestrained;
    this.restrain(isRestrained);
  }
}

/** What changes while nobody looks: a minute may pass until there is more to load, and it takes little. */
const HIDDEN: Partial<HlsConfig> = {
  maxBufferLength: 90,
  maxMaxBufferLength: 120,
};

/** Tells whether a video is shown in a window of its own. */
function isPictureInPicture(video: HTMLVideoElement): boolean {
  const root = video.getRootNode() as Partial<DocumentOrShadowRoot>;
  return root.pictureInPictureElement === video;
}

/** Lowers the work of a stream where nobody looks; back in sight the picture is chosen anew at once. */
export function watchSight(hls: Hls, video: HTMLVideoElement): Background {
  return new Background(
    document,
    () => isPictureInPicture(video),
    (isHidden) => {
      if (!video.paused) Object.assign(hls.config, isHidden ? HIDDEN : PLAYING);
      hls.autoLevelCapping = isHidden ? 0 : -1;
      if (!isHidden && hls.autoLevelEnabled) hls.nextLevel = -1;
    },
  );
}
