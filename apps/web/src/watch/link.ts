/**
 * Reads the link that the page was opened by.
 *
 * Specification: docs/format/link.md. Only takes the address apart: whether id and secret are
 * whole is the vault's to say, so that there is one place that says it.
 */

import type { Link } from '@veilcast/player';

const PATH = /^(.*)\/w\/([^/]*)\/?$/;
/** The whole link in the fragment, as links to exported pages have it. */
const FRAGMENT = /^#([0-9a-f]{32})\.(.*)$/;
const INDEX = 'index.html';

/** Where an exported page says which gateway it is of; `veil-page` writes it. */
const GATEWAY = 'meta[name=veilcast-gateway]';

/** Returns the gateway that this page names, `null` for a page that comes from its gateway. */
export function namedGateway(page: Document): string | null {
  return page.querySelector<HTMLMetaElement>(GATEWAY)?.content.replace(/\/+$/, '') ?? null;
}

/** Takes a watch page's address apart; what it lacks is empty. */
export function readLink(
  { origin, pathname, hash }: Pick<URL, 'origin' | 'pathname' | 'hash'>,
  gateway: string | null = null,
): Link {
  const [, before = '', id = ''] = PATH.exec(pathname) ?? [];
  const [, grantId, secret] = FRAGMENT.exec(hash) ?? [];
  return {
    gateway: gateway ?? origin + before,
    grantId: grantId ?? (id === INDEX ? '' : id),
    secret: secret ?? hash.slice(1),
  };
}

/** Whether an address is of no link at all: the page on its own, as its icon opens it. */
export function isEmpty({ grantId, secret }: Link): boolean {
  return grantId === '' && secret === '';
}

/** The address at which this page opens a link, below the folder that the page itself lies in. */
export function addressFor(
  { grantId, secret }: Link,
  { origin, pathname }: Pick<URL, 'origin' | 'pathname'>,
  gateway: string | null,
): string {
  const base = origin + (PATH.exec(pathname)?.[1] ?? '');
  return gateway === null ? `${base}/w/${grantId}#${secret}` : `${base}/w/#${grantId}.${secret}`;
}
