/**
 * Brings the service worker into place, once the page has nothing more urgent to do.
 *
 * Knows nothing of what the worker does.
 */

import { registerServiceWorker } from './trusted';

/** Longest wait for a moment without work. */
const IDLE_LIMIT_MS = 5000;

let installed: Promise<boolean> | null = null;

/** Waits until a registration has a worker that answers; tells whether it ever will. */
async function isActive(registration: ServiceWorkerRegistration): Promise<boolean> {
  const worker = registration.installing ?? registration.waiting;
  if (registration.active || !worker) return registration.active !== null;
  return new Promise((resolve) => {
    worker.addEventListener('statechange', () => {
      if (worker.state === 'activated') resolve(true);
      else if (worker.state === 'redundant') resolve(false);
    });
  });
}

async function install(): Promise<boolean> {
  if (!('serviceWorker' in navigator)) return false;
  try {
    return await isActive(await registerServiceWorker());
  } catch {
    // Private windows have none, and a page under development may have no worker.
    return false;
  }
}

/** Makes the page open without a network; tells whether this browser can. */
export function installShell(): Promise<boolean> {
  installed ??= install();
  return installed;
}

/** Does so when nothing else is to be done. */
export function installShellWhenIdle(): void {
  const start = (): void => void installShell();
  if ('requestIdleCallback' in globalThis) requestIdleCallback(start, { timeout: IDLE_LIMIT_MS });
  else setTimeout(start, IDLE_LIMIT_MS);
}
