/**
 * One hls.js instance over one title: buffers, switches renditions, recovers a decoder.
 *
 * hls.js gets its bytes from our loaders alone. Knows nothing of Workers, links or screens.
 * Invariant: after `destroy` nothing is appended any more.
 */

import type Hls from 'hls.js';
import type { ErrorData, LevelSwitchedData } from 'hls.js';
import { MULTIVARIANT_ADDRESS } from '../address';
import type { Failure } from '../failure';
import type { Title } from '../title';
import type { Role } from '../vault/role';
import type { Background } from './background';
import type { Start } from './choice';
import { makeLoaders, type LoaderEnvironment } from './loaders';
import { backBufferSeconds, PLAYING, settingsFor } from './settings';
import { indexOfRendition, readTracks, type Tracks } from './tracks';
import { TRANSMUXER_URL } from './trusted-urls';

/** Decoder faults within this time count as one that doesn't go away. */
const RECOVERY_WINDOW_MS = 20_000;
const MAX_RECOVERIES = 2;

/** What a stream tells. */
export interface StreamingEvents {
  onTracks(tracks: Tracks): void;
  onFailure(failure: Failure): void;
}

/** A title being streamed into a video element. */
export class Streaming {
  readonly #hls: Hls;
  readonly #recoveries: number[] = [];
  #background: Background | null = null;
  #isDestroyed = false;
  #tracks: Tracks;
  #pictureBegins = (): void => undefined;
  readonly #pictureBegun = new Promise<void>((resolve) => (this.#pictureBegins = resolve));

  constructor(
    private readonly library: typeof Hls,
    private readonly video: HTMLVideoElement,
    private readonly title: Title,
    private readonly start: Start,
    environment: Omit<LoaderEnvironment, 'readyFor'>,
    bandwidthBps: number,
    private readonly events: StreamingEvents,
  ) {
    this.#hls = new library({
      ...settingsFor(bandwidthBps),
      ...makeLoaders({ ...environment, readyFor: (role) => this.#readyFor(role) }),
      workerPath: TRANSMUXER_URL,
    });
    this.#tracks = readTracks(this.#hls, title);
    this.#listen();
    video.addEventListener('play', this.#onPlay, { once: true });
    this.#hls.loadSource(MULTIVARIANT_ADDRESS);
    // A source that comes after the wish to play ends the wish; its first promise is broken, the wish is kept.
    const isWanted = !video.paused;
    this.#hls.attachMedia(video);
    if (isWanted) video.play().catch(() => undefined);
  }

  /** The present choices. */
  get tracks(): Tracks {
    return this.#tracks;
  }

  /** Estimated bandwidth in bits a second. */
  get bandwidthBps(): number {
    return this.#hls.bandwidthEstimate;
  }

  /** Chooses a picture, `null` for the choice by bandwidth. */
  selectVideo(id: number | null): void {
    this.#hls.nextLevel = indexOfRendition(this.#hls.levels, id);
    this.#report();
  }

  /** Chooses a sound. */
  selectAudio(id: number): void {
    const index = indexOfRendition(this.#hls.audioTracks, id);
    if (index >= 0) this.#hls.audioTrack = index;
  }

  /** Chooses captions, `null` for none. */
  selectSubtitles(id: number | null): void {
    this.#hls.subtitleTrack = indexOfRendition(this.#hls.subtitleTracks, id);
    this.#report();
  }

  destroy(): void {
    this.#isDestroyed = true;
    this.#background?.destroy();
    this.video.removeEventListener('play', this.#onPlay);
    this.#hls.destroy();
  }

  readonly #boundBackBuffer = (_: unknown, { level }: LevelSwitchedData): void => {
    const bitrateBps = this.#hls.levels[level]?.maxBitrate ?? 0;
    if (bitrateBps > 0) this.#hls.config.backBufferLength = backBufferSeconds(bitrateBps);
  };

  /**
   * Holds sound back until the picture has told hls.js where its time begins: sound that comes earlier is put aside and
   * looked at again 100 ms later.
   */
  #readyFor({ rendition }: Role): Promise<void> | undefined {
    if (this.start.video === null) return undefined;
    const { type } = this.title.renditions.find(({ id }) => id === rendition) ?? {};
    return type === 'audio' ? this.#pictureBegun : undefined;
  }

  readonly #onPlay = (): void => {
    Object.assign(this.#hls.config, PLAYING);
    void this.#watchSight().catch(() => undefined);
  };

  /** What is not playing costs nothing unseen; who can't load this much plays as before. */
  async #watchSight(): Promise<void> {
    const { watchSight } = await import('./background');
    if (!this.#isDestroyed) this.#background = watchSight(this.#hls, this.video);
  }

  readonly #report = (): void => {
    this.#tracks = readTracks(this.#hls, this.title);
    this.events.onTracks(this.#tracks);
  };

  #listen(): void {
    const { Events } = this.library;
    this.#hls.on(Events.MANIFEST_PARSED, () => {
      const first = indexOfRendition(this.#hls.levels, this.start.video?.id ?? null);
      if (first >= 0) this.#hls.startLevel = first;
      this.#hls.subtitleDisplay = true;
      this.#hls.startLoad();
    });
    this.#hls.on(Events.LEVEL_SWITCHED, this.#boundBackBuffer);
    this.#hls.once(Events.INIT_PTS_FOUND, () => this.#pictureBegins());
    for (const event of [
      Events.MANIFEST_PARSED,
      Events.LEVEL_SWITCHED,
      Events.AUDIO_TRACKS_UPDATED,
      Events.AUDIO_TRACK_SWITCHED,
      Events.SUBTITLE_TRACKS_UPDATED,
      Events.SUBTITLE_TRACK_SWITCH,
    ] as const) {
      this.#hls.on(event, this.#report);
    }
    this.#hls.on(Events.ERROR, (_, data) => this.#onError(data));
  }

  #onError({ fatal, type, details, error }: ErrorData): void {
    if (!fatal) return;
    const { ErrorTypes, ErrorDetails } = this.library;
    if (details === ErrorDetails.MANIFEST_INCOMPATIBLE_CODECS_ERROR) {
      return this.events.onFailure({ code: 'codec-unsupported', detail: details });
    }
    if (type === ErrorTypes.MEDIA_ERROR && this.#mayRecover()) {
      return this.#hls.recoverMediaError();
    }
    this.events.onFailure({ code: 'playback-failed', detail: `${details}: ${error.message}` });
  }

  #mayRecover(): boolean {
    const now = performance.now();
    this.#recoveries.push(now);
    const recent = this.#recoveries.filter((at) => now - at < RECOVERY_WINDOW_MS);
    return recent.length <= MAX_RECOVERIES;
  }
}
