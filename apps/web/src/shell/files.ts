/**
 * What the built page consists of, as its build wrote it into the service worker.
 *
 * Knows nothing of caches. Invariant: a name is relative to the page's root, the folder that `w/` lies in.
 */

/** SHA-256 in hex by name. */
export type Files = Readonly<Record<string, string>>;

/** The list of all hashes, as `sha256sum` writes it; its own hash is the page's. */
export const LIST = 'app.sha256';

/** Returns the root of the page whose address this is. */
export function rootOf(address: string): URL {
  return new URL('../', new URL(address));
}

/** Returns the name of an address below `root`, `null` where it isn't below it. */
export function nameOf(address: URL, root: URL): string | null {
  const isBelow = address.origin === root.origin && address.pathname.startsWith(root.pathname);
  return isBelow ? address.pathname.slice(root.pathname.length) : null;
}

/** Returns SHA-256 in hex. */
export async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
