/**
 * What hls.js loads with: playlists and segments come from the vault, never from a URL.
 *
 * hls.js decides what to load and when; these classes ask the Workers and hand over what has been
 * verified. Invariants: a network failure is not passed on, since the Workers try again for as
 * long as the request stands; any other failure goes to `onFailure`, which ends the playback, and
 * hls.js is not told, so that it can't go on with another rendition.
 */

import type {
  FragmentLoaderConstructor,
  FragmentLoaderContext,
  Loader,
  LoaderCallbacks,
  LoaderConfiguration,
  LoaderContext,
  LoaderStats,
  PlaylistLoaderConstructor,
  PlaylistLoaderContext,
} from 'hls.js';
import { parseMediaAddress, parsePlaylistAddress } from '../address';
import { failureOf, type Failure } from '../failure';
import { Kind, type Role } from '../vault/role';
import { alignTiming, type Ahead } from './ahead';
import type { OpenedObject, Playlist, Progress } from './client';

/** What the loaders need. */
export interface LoaderEnvironment {
  readonly ahead: Pick<Ahead, 'take'>;
  /** Settles when the library can use the segment or initialisation of `role`; until then it is held back. */
  readyFor(role: Role): Promise<void> | undefined;
  playlist(rendition: number | null): Promise<Playlist>;
  onFailure(failure: Failure): void;
}

function emptyStats(): LoaderStats {
  return {
    aborted: false,
    loaded: 0,
    retry: 0,
    total: 0,
    chunkCount: 0,
    bwEstimate: 0,
    loading: { start: 0, first: 0, end: 0 },
    parsing: { start: 0, end: 0 },
    buffering: { start: 0, first: 0, end: 0 },
  };
}

/** The role that a segment's address names, or `null` for an address that is none of ours. */
function roleOf(address: string): Role | null {
  const parsed = parseMediaAddress(address);
  if (parsed === null) return null;
  const { rendition, index } = parsed;
  if (index === null) return { kind: Kind.init, rendition, index: 0 };
  return { kind: Kind.segment, rendition, index };
}

/** The life of a request that both loaders share. */
abstract class VaultLoader<Context extends LoaderContext> implements Loader<Context> {
  context: Context | null = null;
  stats: LoaderStats = emptyStats();
  protected callbacks: LoaderCallbacks<Context> | null = null;

  constructor(protected readonly environment: LoaderEnvironment) {}

  load(context: Context, _: LoaderConfiguration, callbacks: LoaderCallbacks<Context>): void {
    this.context = context;
    this.callbacks = callbacks;
    this.stats.loading.start = performance.now();
    this.begin(context);
  }

  abort(): void {
    const { callbacks, context } = this;
    if (callbacks === null || context === null) return;
    this.stats.aborted = true;
    this.destroy();
    callbacks.onAbort?.(this.stats, context, null);
  }

  destroy(): void {
    this.callbacks = null;
    this.context = null;
    this.cancel();
  }

  getCacheAge(): null {
    return null;
  }

  getResponseHeader(): null {
    return null;
  }

  protected abstract begin(context: Context): void;

  protected abstract cancel(): void;

  protected succeed(data: string | ArrayBuffer, from: Playlist | OpenedObject): void {
    const { callbacks, context, stats } = this;
    if (callbacks === null || context === null) return;
    this.callbacks = null;
    Object.assign(
      stats.loading,
      alignTiming(from.timing, performance.timeOrigin, performance.now()),
    );
    stats.loaded = stats.total = from.loaded;
    stats.chunkCount = 1;
    callbacks.onSuccess({ url: context.url, data, code: 200 }, stats, context, null);
  }

  protected fail(failure: Failure): void {
    if (this.callbacks === null) return;
    this.callbacks = null;
    this.environment.onFailure(failure);
  }
}

class SegmentLoader extends VaultLoader<FragmentLoaderContext> {
  #abort: (() => void) | null = null;

  protected begin({ url }: FragmentLoaderContext): void {
    const role = roleOf(url);
    if (role === null) return this.fail({ code: 'playback-failed' });
    const job = this.environment.ahead.take(role, (progress) => this.#progress(progress));
    this.#abort = job.abort;
    job.done.then(
      async (opened) => {
        await this.environment.readyFor(role);
        this.#abort = null;
        this.succeed(opened.plaintext, opened);
      },
      (error: unknown) => {
        this.#abort = null;
        this.fail(failureOf(error));
      },
    );
  }

  protected cancel(): void {
    this.#abort?.();
    this.#abort = null;
  }

  #progress({ startMs, firstByteMs, loaded, total }: Progress): void {
    const { loading } = this.stats;
    loading.start = startMs - performance.timeOrigin;
    loading.first = firstByteMs - performance.timeOrigin;
    Object.assign(this.stats, { loaded, total });
  }
}

class PlaylistLoader extends VaultLoader<PlaylistLoaderContext> {
  protected begin({ url }: PlaylistLoaderContext): void {
    const address = parsePlaylistAddress(url);
    if (address === null) return this.fail({ code: 'playback-failed' });
    this.environment.playlist(address.rendition).then(
      (playlist) => this.succeed(playlist.text, playlist),
      (error: unknown) => this.fail(failureOf(error)),
    );
  }

  /** The vault keeps a playlist that was asked for; there is nothing to end. */
  protected cancel(): void {
    return;
  }
}

/** Makes the loader classes of one playback. */
export function makeLoaders(environment: LoaderEnvironment): {
  fLoader: FragmentLoaderConstructor;
  pLoader: PlaylistLoaderConstructor;
} {
  return {
    fLoader: class extends SegmentLoader {
      constructor() {
        super(environment);
      }
    },
    pLoader: class extends PlaylistLoader {
      constructor() {
        super(environment);
      }
    },
  };
}
