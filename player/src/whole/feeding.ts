/**
 * The second way to play: the browser's own player over one MP4, for browsers without Media Source Extensions.
 *
 * A page that has a service worker offers a [`Feed`]: an address whose requests come back here, to be answered with
 * opened segments. So the service worker never holds a key, and may be stopped and started at any moment. Knows nothing
 * of hls.js, Workers or screens. Invariant: what is handed over has been opened whole, segment by segment, and a failed
 * seal ends the playback.
 */

import { NO_TRACKS, type Tracks } from '../engine/tracks';
import type { Start } from '../engine/choice';
import type { Job } from '../engine/client';
import { failureOf, PlayerFailure, type Failure } from '../failure';
import type { Title } from '../title';
import type { Bytes } from '../vault/bytes';
import { Kind, type Role } from '../vault/role';
import { Movie, type Part, type Sources } from './movie';

/** What is read from an address of a feed. */
export interface Whole {
  readonly bytes: number;
  readonly type: string;
  /** Returns what lies at `offset`, as much as is at hand, at least one byte; `null` at the end. */
  read(offset: number): Promise<Bytes | null>;
}

/** An address that is being fed. */
export interface Fed {
  readonly url: string;
  end(): void;
}

/** Makes an address whose requests are answered from `whole`; `null` where the browser can't. */
export type Feed = (whole: Whole) => Promise<Fed | null>;

/** What feeding needs. */
export interface FeedingEvents {
  open(role: Role): Job;
  onTracks(tracks: Tracks): void;
  onFailure(failure: Failure): void;
}

/** Opened segments that are kept for the next request: browsers end requests and ask again close by. */
const KEPT = 6;

/** A title fed into a video element. */
export class Feeding {
  readonly bandwidthBps = null;
  readonly tracks: Tracks;
  readonly #sources: Sources;
  readonly #kept = new Map<Part, Promise<Bytes>>();
  #fed: Fed | null = null;
  #ended = false;

  constructor(
    private readonly video: HTMLVideoElement,
    private readonly title: Title,
    start: Start,
    private readonly events: FeedingEvents,
  ) {
    const { video: picture, audio: sound } = start;
    this.#sources = [picture, sound].filter((source) => source !== null);
    this.tracks = {
      ...NO_TRACKS,
      isAutomatic: false,
      video: picture ? [picture] : [],
      videoId: picture?.id ?? null,
      audio: sound ? [sound] : [],
      audioId: sound?.id ?? null,
    };
  }

  /** Opens what the movie begins with, and gives the video element its address. */
  async begin(feed: Feed): Promise<void> {
    const inits = this.#sources.map(({ id }) =>
      this.#open({ kind: Kind.init, rendition: id, index: 0 }),
    );
    const movie = new Movie(this.title, this.#sources, await Promise.all(inits));
    const whole: Whole = {
      bytes: movie.bytes,
      type: this.tracks.videoId === null ? 'audio/mp4' : 'video/mp4',
      read: (offset) => this.#read(movie, offset),
    };
    const fed = await feed(whole);
    if (fed === null) throw new PlayerFailure('browser-unsupported');
    if (this.#ended) return fed.end();
    this.#fed = fed;
    this.video.addEventListener('error', this.#onError);
    this.video.src = fed.url;
    this.events.onTracks(this.tracks);
  }

  selectVideo(): void {
    return;
  }

  selectAudio(): void {
    return;
  }

  selectSubtitles(): void {
    return;
  }

  destroy(): void {
    this.#ended = true;
    this.#fed?.end();
    this.#kept.clear();
    this.video.removeEventListener('error', this.#onError);
    this.video.removeAttribute('src');
    this.video.load();
  }

  readonly #onError = (): void => {
    const detail = this.video.error?.message ?? '';
    this.events.onFailure({ code: 'playback-failed', detail });
  };

  async #open(role: Role): Promise<Bytes> {
    return new Uint8Array((await this.events.open(role).done).plaintext);
  }

  async #read(movie: Movie, offset: number): Promise<Bytes | null> {
    if (offset < movie.head.length) return movie.head.slice(offset);
    const at = movie.partAt(offset);
    const part = movie.parts[at];
    if (part === undefined || this.#ended) return null;
    try {
      const segment = this.#segment(movie, part);
      const next = movie.parts[at + 1];
      // The network doesn't rest while the browser takes this one.
      if (next) segment.then(() => this.#segment(movie, next)).catch(() => undefined);
      return (await segment).slice(offset - part.offset);
    } catch (error) {
      this.events.onFailure(failureOf(error));
      return null;
    }
  }

  #segment(movie: Movie, part: Part): Promise<Bytes> {
    const known = this.#kept.get(part);
    if (known !== undefined) return known;
    const opened = this.#open(part.role).then((segment) => {
      movie.fit(part, segment);
      return segment;
    });
    this.#kept.set(part, opened);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > KEPT && oldest !== undefined) this.#kept.delete(oldest);
    return opened;
  }
}
