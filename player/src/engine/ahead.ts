/**
 * Fetches the next segment before the streaming library asks for it.
 *
 * The library asks for one segment of a rendition at a time; between two of them the network would
 * rest for a round trip. Knows nothing of the library. Invariants: what is held ahead has a bound
 * in bytes; the next download begins when the one before is over, so that bandwidth estimates see
 * one download of a rendition at a time.
 */

import type { Rendition, Title } from '../title';
import { Kind, type Role } from '../vault/role';
import type { Job, OpenedObject, Progress } from './client';

/** Plaintext held or under way ahead of the library: six seconds of 2160p at 20 Mbit/s. */
export const MAX_AHEAD_BYTES = 16 * 1024 * 1024;

/** Starts one download. */
export type OpenObject = (role: Role, onProgress: (progress: Progress) => void) => Job;

/** A download that the library may ask for later. */
interface Entry {
  readonly job: Job;
  readonly bytes: number;
  listener: ((progress: Progress) => void) | null;
}

function keyOf(role: Role): string {
  return `${role.kind}/${role.rendition}/${role.index}`;
}

/** Downloads of one title, some of them ahead of need. */
export class Ahead {
  readonly #entries = new Map<string, Entry>();
  readonly #renditions: ReadonlyMap<number, Rendition>;
  #bytes = 0;

  constructor(
    title: Title,
    private readonly open: OpenObject,
  ) {
    this.#renditions = new Map(title.renditions.map((rendition) => [rendition.id, rendition]));
  }

  /** Plaintext bytes held or under way ahead. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Begins to fetch `role` unless it is under way, doesn't exist, or goes over the bound. */
  fetch(role: Role): void {
    const key = keyOf(role);
    const bytes = this.#bytesOf(role);
    if (bytes === null || this.#entries.has(key) || this.#bytes + bytes > MAX_AHEAD_BYTES) return;
    const entry: Entry = {
      job: this.open(role, (progress) => entry.listener?.(progress)),
      bytes,
      listener: null,
    };
    this.#entries.set(key, entry);
    this.#bytes += bytes;
    // A failure is kept for whoever takes the entry; nobody may.
    entry.job.done.catch(() => undefined);
  }

  /** Hands over `role`, begun earlier or now; then what follows it is fetched ahead. */
  take(role: Role, onProgress: (progress: Progress) => void): Job {
    const key = keyOf(role);
    const entry = this.#entries.get(key);
    if (entry !== undefined) this.#forget(key, entry);
    this.#dropOthers(role);
    if (entry !== undefined) entry.listener = onProgress;
    const job = entry?.job ?? this.open(role, onProgress);
    if (role.kind === Kind.segment) {
      const next = { ...role, index: role.index + 1 };
      job.done.then(() => this.fetch(next)).catch(() => undefined);
    }
    return job;
  }

  /** Ends everything that is under way ahead. */
  clear(): void {
    for (const [key, entry] of this.#entries) {
      this.#forget(key, entry);
      entry.job.abort();
    }
  }

  #bytesOf({ kind, rendition, index }: Role): number | null {
    const of = this.#renditions.get(rendition);
    if (of === undefined) return null;
    if (kind === Kind.init) return of.type === 'subtitles' ? null : of.initBytes;
    return of.segments[index]?.bytes ?? null;
  }

  #forget(key: string, entry: Entry): void {
    this.#entries.delete(key);
    this.#bytes -= entry.bytes;
  }

  /** After a seek or a switch, what was ahead of the old place is of no use: a type has one place. */
  #dropOthers(taken: Role): void {
    if (taken.kind !== Kind.segment) return;
    const type = this.#renditions.get(taken.rendition)?.type;
    for (const [key, entry] of this.#entries) {
      const [kind, rendition] = key.split('/').map(Number);
      if (kind !== Kind.segment || this.#renditions.get(rendition as number)?.type !== type)
        continue;
      this.#forget(key, entry);
      entry.job.abort();
    }
  }
}

/**
 * Returns network times on this page's clock, moved so that they end at `now` at the latest.
 *
 * A segment fetched ahead lay here for a while. Estimates of bandwidth count from the beginning of
 * the download to the moment it is used, and must not count the rest between.
 */
export function alignTiming(
  timing: OpenedObject['timing'],
  timeOriginMs: number,
  now: number,
): { start: number; first: number; end: number } {
  const end = timing.endMs - timeOriginMs;
  const shift = Math.max(0, now - end);
  return {
    start: timing.startMs - timeOriginMs + shift,
    first: timing.firstByteMs - timeOriginMs + shift,
    end: end + shift,
  };
}
