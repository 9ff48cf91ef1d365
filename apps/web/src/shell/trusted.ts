/**
 * Which scripts of the page may become Workers, stated to the browser as Trusted Types.
 *
 * The player has a policy of its own for its Workers. Invariant: no address but these two passes.
 */

import keeperUrl from '../keep/keeper.worker.ts?worker&url';
import { rootOf } from './files';

interface Policy {
  createScriptURL(url: string): string;
}

interface TrustedTypes {
  createPolicy(name: string, rules: Policy): Policy;
}

/** The folder that `w/` lies in. */
export const ROOT: URL = rootOf(document.baseURI);

const serviceWorker = new URL('sw.js', ROOT).href;
const keeper = new URL(keeperUrl, location.href).href;

const rules: Policy = {
  createScriptURL: (url) => {
    if (url === serviceWorker || url === keeper) return url;
    throw new TypeError('this script is neither the service worker nor the keeper');
  },
};
const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes };
const policy = trustedTypes?.createPolicy('veilcast-shell', rules) ?? rules;

/** Registers the service worker. */
export function registerServiceWorker(): Promise<ServiceWorkerRegistration> {
  const url = policy.createScriptURL(serviceWorker);
  return navigator.serviceWorker.register(url, { scope: ROOT.pathname });
}

/** Starts a keeper Worker. */
export function startKeeper(): Worker {
  return new Worker(policy.createScriptURL(keeper), { type: 'module', name: 'keeper' });
}
