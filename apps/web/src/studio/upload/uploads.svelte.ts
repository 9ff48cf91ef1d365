/**
 * Files on their way to the media library: resumable (tus), a few at a time, each with its progress.
 *
 * What speaks tus is loaded with the first file. Knows nothing of how uploads are shown. Invariant: an upload that is
 * interrupted goes on where it was; one that is cancelled leaves nothing on the server.
 */

import type { Upload } from 'tus-js-client';
import { proofHeaders } from '../api/transport';
import { refresh } from '../library/shelves.svelte';

/** Where an upload stands. */
export type UploadState = 'waiting' | 'sending' | 'stopped' | 'done' | 'failed';

/** An upload. */
export interface Sent {
  readonly id: number;
  readonly name: string;
  readonly bytes: number;
  readonly sent: number;
  readonly state: UploadState;
  /** What the server said against it. */
  readonly detail: string;
  /** The medium that it became. */
  readonly media: string | null;
}

const AT_ONCE = 2;
/** What a cut connection loses at most. */
const CHUNK_BYTES = 16 * 1024 * 1024;
/** How long the list stays when everything has arrived. */
const SHOWN_MS = 8000;
const RETRIES_MS = [0, 1000, 3000, 5000, 10_000];

let all: readonly Sent[] = $state.raw([]);
const files = new Map<number, File>();
const running = new Map<number, Upload>();
let count = 0;

/** The uploads, for who shows them. */
export const uploads = {
  get all(): readonly Sent[] {
    return all;
  },
};

function set(id: number, change: Partial<Sent>): void {
  all = all.map((one) => (one.id === id ? { ...one, ...change } : one));
}

/** Begins to upload files; returns the numbers of their uploads. */
export function upload(chosen: Iterable<File>): number[] {
  const begun: number[] = [];
  for (const file of chosen) {
    const id = ++count;
    files.set(id, file);
    const sent = { id, name: file.name, bytes: file.size, sent: 0, detail: '', media: null };
    all = [...all, { ...sent, state: 'waiting' }];
    begun.push(id);
  }
  void next();
  return begun;
}

async function next(): Promise<void> {
  const sending = all.filter(({ state }) => state === 'sending').length;
  const waiting = all.find(({ state }) => state === 'waiting');
  if (waiting === undefined || sending >= AT_ONCE) return;
  set(waiting.id, { state: 'sending' });
  void next();
  await begin(waiting.id).catch(() => {
    set(waiting.id, { state: 'failed' });
    void next();
  });
}

async function begin(id: number): Promise<void> {
  const file = files.get(id);
  if (file === undefined) return;
  const { Upload: Tus } = await import('tus-js-client');
  const tus = new Tus(file, {
    endpoint: '/v1/uploads',
    chunkSize: CHUNK_BYTES,
    retryDelays: RETRIES_MS,
    onBeforeRequest: (request) => {
      for (const [name, value] of Object.entries(proofHeaders())) request.setHeader(name, value);
    },
    metadata: { filename: file.name, filetype: file.type },
    removeFingerprintOnSuccess: true,
    onProgress: (sent) => set(id, { sent }),
    onSuccess: ({ lastResponse }) => {
      const media = lastResponse.getHeader('Veilcast-Media') ?? null;
      end(id, { state: 'done', sent: file.size, media });
      refresh('media');
    },
    onError: (error) => {
      const answer = 'originalResponse' in error ? error.originalResponse : null;
      end(id, { state: 'failed', detail: detailOf(answer?.getBody() ?? '') });
    },
  });
  running.set(id, tus);
  const [before] = await tus.findPreviousUploads();
  if (before !== undefined) tus.resumeFromPreviousUpload(before);
  tus.start();
}

function end(id: number, change: Partial<Sent>): void {
  running.delete(id);
  set(id, change);
  if (change.state === 'done') files.delete(id);
  setTimeout(() => {
    if (all.every(({ state }) => state === 'done')) tidy();
  }, SHOWN_MS);
  void next();
}

/** Returns what a problem document says, `''` where it is none. */
export function detailOf(body: string): string {
  try {
    const { detail, title } = JSON.parse(body) as { detail?: unknown; title?: unknown };
    return [detail, title].find((text) => typeof text === 'string') ?? '';
  } catch {
    return '';
  }
}

/** Stops an upload where it is. */
export async function stop(id: number): Promise<void> {
  await running.get(id)?.abort();
  set(id, { state: 'stopped' });
  void next();
}

/** Goes on with an upload that was stopped or that failed. */
export function goOn(id: number): void {
  set(id, { state: 'waiting', detail: '' });
  void next();
}

/** Cancels an upload, or takes one that has ended off the list. */
export async function drop(id: number): Promise<void> {
  const tus = running.get(id);
  running.delete(id);
  files.delete(id);
  all = all.filter((one) => one.id !== id);
  await tus?.abort(true).catch(() => undefined);
  void next();
}

/** Takes everything off the list that has arrived. */
export function tidy(): void {
  all = all.filter(({ state }) => state !== 'done');
}
