/**
 * Reads the link that the page was opened by.
 *
 * Specification: docs/format/link.md. Only takes the address apart: whether id and secret are
 * whole is the vault's to say, so that there is one place that says it.
 */

import type { Link } from '@veilcast/player';

const PATH = /^(.*)\/w\/([^/]*)\/?$/;

/** Takes a watch page's address apart; what it lacks is empty. */
export function readLink({
  origin,
  pathname,
  hash,
}: Pick<URL, 'origin' | 'pathname' | 'hash'>): Link {
  const match = PATH.exec(pathname);
  return { gateway: origin + (match?.[1] ?? ''), grantId: match?.[2] ?? '', secret: hash.slice(1) };
}
