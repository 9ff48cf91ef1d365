/**
 * Brings the service worker into place, so that the studio's page opens without its server.
 *
 * Knows nothing of what the worker does. Invariant: no address but the worker's becomes a script.
 */

interface Policy {
  createScriptURL(url: string): string;
}

interface TrustedTypes {
  createPolicy(name: string, rules: Policy): Policy;
}

/** Longest wait for a moment without work. */
const IDLE_LIMIT_MS = 5000;

/** Assets lie beside the page's folder, whatever the page's own address is. */
const HERE = import.meta.url;
const ROOT = new URL('../', HERE);
const WORKER = new URL('sw.js', ROOT).href;

const rules: Policy = {
  createScriptURL: (url) => {
    if (url === WORKER) return url;
    throw new TypeError('this script is not the service worker');
  },
};

async function install(): Promise<void> {
  if (!('serviceWorker' in navigator)) return;
  const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes };
  const policy = trustedTypes?.createPolicy('veilcast-shell', rules) ?? rules;
  // Private windows have none, and a page under development may have no worker.
  await navigator.serviceWorker
    .register(policy.createScriptURL(WORKER), { scope: ROOT.pathname })
    .catch(() => undefined);
}

/** Does so when nothing else is to be done. */
export function installWhenIdle(): void {
  const start = (): void => void install();
  if ('requestIdleCallback' in globalThis) requestIdleCallback(start, { timeout: IDLE_LIMIT_MS });
  else setTimeout(start, IDLE_LIMIT_MS);
}
