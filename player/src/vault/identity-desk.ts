/**
 * Everything about identities that a link with a secret never needs, for one `import()`.
 *
 * Most links bring their own key: what reads identity files, stretches passphrases and keeps identities on the device is
 * loaded when a grant wants somebody.
 */

import { PlayerFailure } from '../failure';

/** Loads the desk's work; a page that lacks it says so. */
export async function openDesk() {
  const load = [
    import('./identity-file'),
    import('./identity-store'),
    import('./stored-identity'),
  ] as const;
  const [files, store, stored] = await Promise.all(load).catch((cause: unknown) => {
    throw new PlayerFailure('page-incomplete', undefined, { cause });
  });
  return { ...files, ...store, ...stored };
}
