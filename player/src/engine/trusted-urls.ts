/**
 * Which scripts may become Workers, stated to the browser as Trusted Types.
 *
 * Under `require-trusted-types-for 'script'` no other string starts a Worker. The `default` policy
 * is for hls.js, which starts its transmuxer from a plain string; it knows that one address only.
 */

import openerUrl from '../vault/opener.worker.ts?worker&url';
import vaultUrl from '../vault/vault.worker.ts?worker&url';
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

const workers = allow(vaultUrl, openerUrl);
const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes };
const policy = trustedTypes?.createPolicy('veilcast-worker', workers) ?? workers;
trustedTypes?.createPolicy('default', allow(transmuxerUrl));

function start(url: string, name: string): Worker {
  return new Worker(policy.createScriptURL(url), { type: 'module', name });
}

/** Starts a vault Worker. */
export const startVault = (): Worker => start(vaultUrl, 'vault');

/** Starts an opener Worker. */
export const startOpener = (): Worker => start(openerUrl, 'opener');

/** Where hls.js finds its transmuxer, as a file of its own. */
export const TRANSMUXER_URL: string = transmuxerUrl;
