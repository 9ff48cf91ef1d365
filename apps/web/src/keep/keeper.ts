/**
 * Keeps a title for times without a network: starts the keeper, follows it, ends it.
 *
 * The link goes to the keeper Worker and is not stored. Invariant: a copy is said to be whole only once the page itself
 * opens without a network too.
 */

import type { Failure, Link } from '@veilcast/player';
import { installShell } from '../shell/install';
import { startKeeper } from '../shell/trusted';
import type { KeepReport, KeepRequest } from './keeper.worker';
import type { Plan } from './plan';

/** How keeping ended. */
export type KeepEnd =
  | { readonly is: 'done' | 'full' | 'no-shell' }
  | { readonly is: 'failed'; readonly failure: Failure };

/** Told on the way. */
export interface KeepEvents {
  onProgress(bytes: number): void;
  onTrouble(failure: Failure | null): void;
  onEnd(end: KeepEnd): void;
}

/** Room for this site on the device, in bytes; `null` where the browser doesn't say. */
export async function freeBytes(): Promise<number | null> {
  const { quota, usage } = (await navigator.storage?.estimate().catch(() => null)) ?? {};
  return quota === undefined || usage === undefined ? null : Math.max(0, quota - usage);
}

/** Starts to keep; the answer ends it, and what has arrived stays for another time. */
export function keep(link: Link, plan: Plan, events: KeepEvents): () => void {
  // Asked once, by a person's wish: browsers then don't clear this site's storage by themselves.
  void navigator.storage?.persist?.().catch(() => false);
  const shell = installShell();
  const worker = startKeeper();
  const end = (is: KeepEnd): void => {
    worker.terminate();
    events.onEnd(is);
  };
  worker.addEventListener('message', ({ data }: MessageEvent<KeepReport>) => {
    if (data.event === 'progress') events.onProgress(data.bytes);
    else if (data.event === 'trouble') events.onTrouble(data.failure);
    else if (data.event === 'failed') end({ is: 'failed', failure: data.failure });
    else if (data.event === 'full') end({ is: 'full' });
    else void shell.then((hasShell) => end({ is: hasShell ? 'done' : 'no-shell' }));
  });
  worker.addEventListener('error', () =>
    end({ is: 'failed', failure: { code: 'browser-unsupported' } }),
  );
  worker.postMessage({ link, plan } satisfies KeepRequest);
  return () => worker.terminate();
}
