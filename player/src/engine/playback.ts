/**
 * One playback from link to picture: Workers, manifest, first segments, stream, failures.
 *
 * Knows nothing of buttons. Invariants: it fails at most once, and then everything of it is ended,
 * in the Workers too; a broken seal ends it wherever it is found, previews and poster included.
 */

import { failureOf, PlayerFailure, type Failure } from '../failure';
import type { IdentityQuestion, Link, OpenedBy } from '../protocol';
import type { Rendition, Title } from '../title';
import { Kind, type Role } from '../vault/role';
import type { Feeding } from '../whole/feeding';
import { offeredFeed } from '../whole/offer';
import type { Passkey, WantedLock } from '../vault/stored-identity';
import { Ahead } from './ahead';
import { chooseStart, type Start } from './choice';
import type { Identities, OpenedObject, Playlist, VaultClient } from './client';
import { beginLink } from './head-start';
import { findObstacle, mediaSource } from './obstacle';
import { pagePool } from './page-pool';
import { guessBandwidthBps } from './settings';
import { Streaming } from './streaming';
import { NO_TRACKS, type Tracks } from './tracks';

/** What a playback tells. */
export interface PlaybackEvents {
  onTitle(title: Title): void;
  onIdentityNeeded(recipient: string, question: IdentityQuestion): void;
  /** How much of the work on a passphrase is done, from 0 to 1. */
  onUnlocking(done: number): void;
  /** Trouble with the network begins, or is over (`null`); the Workers try again meanwhile. */
  onTrouble(failure: Failure | null): void;
  onTracks(tracks: Tracks): void;
  onFailure(failure: Failure): void;
}

/** Figures of a playback. */
export interface PlaybackStats {
  /** Which X-Wing opened the grant. */
  readonly provider: 'native' | 'noble' | null;
  /** From when the vault was told of the link to the first decoded frame, in milliseconds. */
  readonly firstFrameMs: number | null;
  readonly bandwidthBps: number | null;
  /** Sealed bytes of media that were opened. */
  readonly openedBytes: number;
  /** From an object's last byte until it was verified: the median of the last ones, in milliseconds. */
  readonly openingMs: number | null;
  readonly decodedFrames: number;
  readonly droppedFrames: number;
}

/** Of how many objects the lag is told. */
const LAGS_KEPT = 32;

function loadLibrary(): Promise<typeof import('./hls')> {
  const library = import('./hls');
  // Whoever needs it sees a failure again.
  library.catch(() => undefined);
  return library;
}

// A page that loads the player will play something: what that takes is asked for now.
if (typeof document !== 'undefined' && findObstacle() === null) {
  pagePool();
  void loadLibrary();
}

/** A playback of a whole link; `destroy` it at the end. */
export class Playback {
  readonly #client: VaultClient;
  readonly #library = loadLibrary();
  readonly #playlists = new Map<number | null, Promise<Playlist>>();
  #passkey: Passkey | null = null;
  #openedBy: OpenedBy | null = null;
  #ahead: Ahead | null = null;
  #streaming: Streaming | Feeding | null = null;
  #provider: 'native' | 'noble' | null = null;
  readonly #openedAtMs: number;
  #firstFrameMs: number | null = null;
  #openedBytes = 0;
  readonly #lagsMs: number[] = [];
  #isTold = false;
  #ended = false;

  constructor(
    private readonly video: HTMLVideoElement,
    link: Link,
    private readonly events: PlaybackEvents,
  ) {
    const { client, atMs } = beginLink(link, {
      onTitle: (title, { provider, openedBy }) => {
        this.#provider = provider;
        this.#openedBy = openedBy;
        void this.#begin(title);
      },
      onIdentityNeeded: (recipient, question) => {
        this.#passkey = question.passkey ?? null;
        events.onIdentityNeeded(recipient, question);
      },
      onUnlocking: (done) => events.onUnlocking(done),
      onStopped: (failure) => this.#fail(failure),
      onTrouble: (failure) => events.onTrouble(failure),
    });
    this.#client = client;
    this.#openedAtMs = atMs;
  }

  /** Hands an identity file to the vault, unread. */
  provideIdentity(file: File): void {
    this.#client.provideIdentity(file);
  }

  /** Hands the passphrase of a locked identity file to the vault. */
  providePassphrase(text: string): void {
    this.#client.providePassphrase(text);
  }

  /** Asks the person for the passkey that opens the identity on this device; `false` where it gives nothing. */
  async unlockWithPasskey(): Promise<boolean> {
    const { askPasskey } = await import('./passkey');
    const secret = this.#passkey && (await askPasskey(this.#passkey));
    if (secret && !this.#ended) this.#client.providePasskey(secret);
    return Boolean(secret);
  }

  /** Stores the identity that was brought, once it has opened the link; `null` where there is none or nothing is kept. */
  async rememberIdentity(lock: WantedLock): Promise<Identities> {
    return this.#ended ? null : this.#client.remember(lock);
  }

  /** Which identity opened the link, `null` before it is open and for a link that everybody opens who has it. */
  get openedBy(): OpenedBy | null {
    return this.#openedBy;
  }

  get tracks(): Tracks {
    return this.#streaming?.tracks ?? NO_TRACKS;
  }

  get stats(): PlaybackStats {
    const quality = this.video.getVideoPlaybackQuality();
    return {
      provider: this.#provider,
      firstFrameMs: this.#firstFrameMs,
      bandwidthBps: this.#streaming?.bandwidthBps ?? null,
      openedBytes: this.#openedBytes,
      openingMs: this.#lagsMs.toSorted((a, b) => a - b)[this.#lagsMs.length >> 1] ?? null,
      decodedFrames: quality.totalVideoFrames,
      droppedFrames: quality.droppedVideoFrames,
    };
  }

  selectVideo(id: number | null): void {
    this.#streaming?.selectVideo(id);
  }

  selectAudio(id: number): void {
    this.#streaming?.selectAudio(id);
  }

  selectSubtitles(id: number | null): void {
    this.#streaming?.selectSubtitles(id);
  }

  /** Opens the poster or a storyboard sheet; `null` where it can't be had. */
  async image(kind: 'poster' | 'storyboard', index: number, type: string): Promise<Blob | null> {
    const job = this.#client.open({ kind: Kind[kind], rendition: 0, index });
    try {
      return new Blob([(await job.done).plaintext], { type });
    } catch (error) {
      const failure = failureOf(error);
      if (failure.code === 'tampered') this.#fail(failure);
      return null;
    }
  }

  /** Ends everything; no event follows. */
  destroy(): void {
    this.#ended = true;
    this.#streaming?.destroy();
    this.#streaming = null;
    this.#ahead?.clear();
    this.#client.destroy();
  }

  #fail(failure: Failure): void {
    if (this.#ended) return;
    this.destroy();
    this.events.onFailure(failure);
  }

  async #begin(title: Title): Promise<void> {
    if (this.#ended) return;
    const bandwidthBps = guessBandwidthBps();
    const source = mediaSource();
    const isSupported = (type: string) =>
      source ? source.isTypeSupported(type) : this.video.canPlayType(type) !== '';
    const start = chooseStart(title, isSupported, bandwidthBps);
    if (start === null) return this.#fail({ code: 'codec-unsupported' });
    const ahead = new Ahead(title, (role, onProgress) => this.#open(role, onProgress));
    if (!source) return this.#feed(title, start);
    this.#ahead = ahead;
    this.#warmUp(ahead, start);
    // Told in a task of its own, so that what draws it keeps nobody waiting who streams it.
    setTimeout(() => this.#tell(title));
    try {
      const { default: library } = await this.#library;
      if (!this.#ended) this.#stream(library, title, start, ahead, bandwidthBps);
    } catch (cause) {
      this.#fail(failureOf(new PlayerFailure('playback-failed', undefined, { cause })));
    }
  }

  /** Tells of the title, once and before anything else is told of it. */
  #tell(title: Title): void {
    if (this.#ended || this.#isTold) return;
    this.#isTold = true;
    this.events.onTitle(title);
  }

  /** The second way, for browsers without Media Source Extensions. */
  async #feed(title: Title, start: Start): Promise<void> {
    const feed = offeredFeed();
    this.#tell(title);
    try {
      const { Feeding } = await import('../whole/feeding');
      if (this.#ended || feed === null) return;
      const feeding = new Feeding(this.video, title, start, {
        open: (role) => this.#open(role),
        onTracks: (tracks) => this.events.onTracks(tracks),
        onFailure: (failure) => this.#fail(failure),
      });
      this.#streaming = feeding;
      this.#watchFirstFrame();
      await feeding.begin(feed);
    } catch (error) {
      this.#fail(failureOf(error));
    }
  }

  #open(role: Role, onProgress?: Parameters<VaultClient['open']>[1]) {
    const job = this.#client.open(role, onProgress);
    job.done.then((opened) => this.#count(opened)).catch(() => undefined);
    return job;
  }

  #count({ loaded, lagMs }: OpenedObject): void {
    this.#openedBytes += loaded;
    this.#lagsMs.push(lagMs);
    if (this.#lagsMs.length > LAGS_KEPT) this.#lagsMs.shift();
  }

  #playlist(rendition: number | null): Promise<Playlist> {
    const known = this.#playlists.get(rendition) ?? this.#client.playlist(rendition);
    this.#playlists.set(rendition, known);
    return known;
  }

  /** Asks for what will be wanted first while the streaming library is still on its way. */
  #warmUp(ahead: Ahead, { video, audio }: Start): void {
    const first: (Rendition | null)[] = [video, audio];
    void this.#playlist(null).catch(() => undefined);
    for (const rendition of first) {
      if (rendition === null) continue;
      void this.#playlist(rendition.id).catch(() => undefined);
      ahead.fetch({ kind: Kind.init, rendition: rendition.id, index: 0 });
      ahead.fetch({ kind: Kind.segment, rendition: rendition.id, index: 0 });
    }
  }

  #stream(
    library: ConstructorParameters<typeof Streaming>[0],
    title: Title,
    start: Start,
    ahead: Ahead,
    bandwidthBps: number,
  ): void {
    const environment = {
      ahead,
      playlist: (rendition: number | null) => this.#playlist(rendition),
      onFailure: (failure: Failure) => this.#fail(failure),
    };
    this.#watchFirstFrame();
    this.#streaming = new Streaming(library, this.video, title, start, environment, bandwidthBps, {
      onTracks: (tracks) => {
        this.#tell(title);
        this.events.onTracks(tracks);
      },
      onFailure: (failure) => this.#fail(failure),
    });
  }

  #watchFirstFrame(): void {
    const seen = (): void => {
      this.#firstFrameMs ??= performance.now() - this.#openedAtMs;
      performance.mark('veilcast:first-frame');
    };
    if ('requestVideoFrameCallback' in this.video) this.video.requestVideoFrameCallback(seen);
    else (this.video as HTMLVideoElement).addEventListener('loadeddata', seen, { once: true });
  }
}
