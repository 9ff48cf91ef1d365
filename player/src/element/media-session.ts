/**
 * Media keys, and what the system shows of the playing title: Media Session API.
 *
 * The system gets the title's name, its poster and where it is; they are what the viewer has on the
 * screen anyway. Invariant: the element that plays owns the session, and gives it up when it ends.
 */

import type { Command } from './keyboard';
import { listen } from './dom';

/** What a session is made of. */
export interface SessionContext {
  readonly video: HTMLVideoElement;
  name(): string;
  /** Where the opened poster lies for this page, `null` where there is none. */
  posterUrl(): string | null;
  hasChapters(): boolean;
  run(command: Command): void;
  seek(seconds: number): void;
}

/** A step of the media keys where the system names none. */
const STEP_S = 10;

/** There is one session a page, and one element that has it. */
const owner: { session: SystemSession | null } = { session: null };

/** The system's view of one element. */
export class SystemSession {
  constructor(private readonly context: SessionContext) {
    if (!('mediaSession' in navigator)) return;
    const { video } = context;
    listen(video, 'play', () => this.#own());
    listen(video, ['play', 'pause', 'ratechange', 'durationchange', 'seeked'], () =>
      this.#showPosition(),
    );
    if (!video.paused) this.#own();
  }

  /** Gives the session up. */
  release(): void {
    if (owner.session !== this) return;
    owner.session = null;
    navigator.mediaSession.metadata = null;
    navigator.mediaSession.playbackState = 'none';
    for (const [action] of this.#handlers()) this.#handle(action, null);
    navigator.mediaSession.setPositionState();
  }

  #own(): void {
    owner.session = this;
    const { name, posterUrl } = this.context;
    const poster = posterUrl();
    navigator.mediaSession.metadata = new MediaMetadata({
      title: name(),
      artwork: poster === null ? [] : [{ src: poster }],
    });
    for (const [action, handler] of this.#handlers()) this.#handle(action, handler);
    this.#showPosition();
  }

  #handlers(): [MediaSessionAction, MediaSessionActionHandler | null][] {
    const { video, run, seek, hasChapters } = this.context;
    const skip = (sign: number) => (details: MediaSessionActionDetails) =>
      run({ do: 'skip', seconds: sign * (details.seekOffset ?? STEP_S) });
    const chapter = (by: number) => (hasChapters() ? () => run({ do: 'chapter', by }) : null);
    return [
      ['play', () => void video.play().catch(() => undefined)],
      ['pause', () => video.pause()],
      ['seekbackward', skip(-1)],
      ['seekforward', skip(1)],
      ['seekto', ({ seekTime }) => seekTime != null && seek(seekTime)],
      ['previoustrack', chapter(-1)],
      ['nexttrack', chapter(1)],
    ];
  }

  #handle(action: MediaSessionAction, handler: MediaSessionActionHandler | null): void {
    try {
      navigator.mediaSession.setActionHandler(action, handler);
    } catch {
      // A browser that doesn't know an action has no key for it.
    }
  }

  #showPosition(): void {
    const { video } = this.context;
    if (owner.session !== this || !Number.isFinite(video.duration)) return;
    navigator.mediaSession.playbackState = video.paused ? 'paused' : 'playing';
    navigator.mediaSession.setPositionState({
      duration: video.duration,
      playbackRate: video.playbackRate,
      position: Math.min(video.currentTime, video.duration),
    });
  }
}
