/**
 * Which scripts may become Workers, stated to the browser as Trusted Types.
 *
 * Under `require-trusted-types-for 'script'` no other string starts a Worker. The `default` policy
 * is for hls.js, which starts its transmuxer from a plain string; it knows that one address only.
 */

import poolUrl from '../vault/pool.worker.ts?worker&url';
import transmuxerUrl from './transmuxer.worker.ts?worker&url';

interface Policy {
  createScriptURL(url: string): string;
}

interface TrustedTypes {
  createPolicy(name: string, rules: Policy): Policy;
}

function allow(...urls: readonly string[]): Policy {
  const known = new Set(urls.map((url) => new URL(url, location.href).href));
  return {
    createScriptURL: (url) => {
      if (known.has(new URL(url, location.href).href)) return url;
      throw new TypeError('this script is not one of the player’s Workers');
    },
  };
}

const workers = allow(poolUrl);
const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes };
const policy = trustedTypes?.createPolicy('veilcast-worker', workers) ?? workers;
trustedTypes?.createPolicy('default', allow(transmuxerUrl));

function start(url: string, name: string): Worker {
  return new Worker(policy.createScriptURL(url), { type: 'module', name });
}

/** Starts a vault Worker. */
export const startVault = (): Worker => start(poolUrl, 'vault');

/** Starts an opener Worker. */
export const startOpener = (): Worker => start(poolUrl, 'opener');

/** Where hls.js finds its transmuxer, as a file of its own. */
export const TRANSMUXER_URL: string = transmuxerUrl;
