/**
 * Downloads with a bound on bytes, a bound on silence, and network times.
 *
 * Knows nothing of what is downloaded or of what an HTTP status means. Invariant: it reads at most
 * the bytes that it was told to expect.
 */

import { PlayerFailure } from '../failure';
import type { Bytes } from './bytes';
import { fetchOrKept } from './kept';

/** A connection that brings nothing for so long counts as broken. */
const SILENCE_MS = 20_000;

/** When things happened, in milliseconds since 1970 with fractions, comparable between Workers. */
export interface NetworkTiming {
  startMs: number;
  firstByteMs: number;
  endMs: number;
}

/** Returns the present moment in the time of [`NetworkTiming`]. */
export function nowMs(): number {
  return performance.timeOrigin + performance.now();
}

/** Returns the failure that a `fetch` without an answer stands for. */
export function networkFailure(cause: unknown): PlayerFailure {
  if (cause instanceof PlayerFailure) return cause;
  return new PlayerFailure(navigator.onLine ? 'gateway-unreachable' : 'offline', undefined, {
    cause,
  });
}

/** Aborts with `signal`, and by itself after a silence. */
class Watchdog {
  readonly #controller = new AbortController();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly outer?: AbortSignal) {
    outer?.addEventListener('abort', this.#forward, { once: true });
    if (outer?.aborted) this.#forward();
    this.feed();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  feed(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#controller.abort(), SILENCE_MS);
  }

  cancel(): void {
    this.#controller.abort();
  }

  release(): void {
    clearTimeout(this.#timer);
    this.outer?.removeEventListener('abort', this.#forward);
  }

  readonly #forward = (): void => this.#controller.abort(this.outer?.reason);
}

/** How a request is made and what is done with its answer. */
export interface Download {
  readonly url: string;
  readonly init?: RequestInit;
  readonly signal?: AbortSignal;
  /** Throws where the status is not the wanted one; told the body's announced length. */
  accept(response: Response): void | Promise<void>;
  /** Takes the next bytes of the body. */
  take(bytes: Bytes): void | Promise<void>;
}

async function drain(body: ReadableStream<Bytes>, onBytes: (bytes: Bytes) => Promise<void>) {
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      await onBytes(value);
    }
  } catch (error) {
    reader.cancel().catch(() => undefined);
    throw error;
  }
}

/** Marks errors of the code that takes the bytes, so that they don't count as network errors. */
class TakerError {
  constructor(readonly cause: unknown) {}
}

/**
 * Downloads one resource without credentials, referrer or redirects.
 *
 * Throws a passing [`PlayerFailure`] where the network fails, an `AbortError` where `signal` was
 * aborted, and whatever `accept` and `take` throw.
 */
export async function download(request: Download): Promise<NetworkTiming> {
  const watchdog = new Watchdog(request.signal);
  const timing: NetworkTiming = { startMs: nowMs(), firstByteMs: 0, endMs: 0 };
  const guard = async (work: () => void | Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      throw new TakerError(error);
    }
  };
  try {
    const response = await fetchOrKept(request.url, {
      credentials: 'omit',
      referrerPolicy: 'no-referrer',
      redirect: 'error',
      ...request.init,
      signal: watchdog.signal,
    });
    await guard(() => request.accept(response));
    if (response.body !== null) {
      await drain(response.body, async (bytes) => {
        watchdog.feed();
        timing.firstByteMs ||= nowMs();
        await guard(() => request.take(bytes));
      });
    }
    timing.endMs = nowMs();
    timing.firstByteMs ||= timing.endMs;
    return timing;
  } catch (error) {
    if (request.signal?.aborted) throw new DOMException('aborted', 'AbortError');
    throw error instanceof TakerError ? error.cause : networkFailure(error);
  } finally {
    watchdog.release();
    // An answer that was refused keeps its connection busy unless the request ends here.
    if (timing.endMs === 0) watchdog.cancel();
  }
}

/** Collects a body of at most `limit` bytes; `onExcess` throws the error for a longer one. */
export class Collector {
  readonly #parts: Bytes[] = [];
  #length = 0;

  constructor(
    private readonly limit: number,
    private readonly onExcess: () => never,
  ) {}

  readonly take = (bytes: Bytes): void => {
    this.#length += bytes.length;
    if (this.#length > this.limit) this.onExcess();
    this.#parts.push(bytes);
  };

  /** Returns the whole body. */
  bytes(): Bytes {
    const body = new Uint8Array(this.#length);
    let at = 0;
    for (const part of this.#parts) {
      body.set(part, at);
      at += part.length;
    }
    return body;
  }
}
