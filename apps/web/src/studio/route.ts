/**
 * Where a person is in the studio, as the address says it: `#/production/ID/voice`.
 *
 * Pure. The address is a fragment, so that the page is one file whatever server it comes from. Invariant: every
 * address leads to a screen; one that nobody wrote leads to the library.
 */

/** The screens, in the order of the navigation. */
export const SCREENS = [
  'library',
  'production',
  'queue',
  'published',
  'trace',
  'performance',
  'settings',
] as const;

/** A screen. */
export type Screen = (typeof SCREENS)[number];

/** A place in the studio: a screen, what it shows of (`''` for nothing) and how (`''` for as usual). */
export interface Route {
  readonly screen: Screen;
  readonly id: string;
  readonly part: string;
}

const isScreen = (text: string): text is Screen => SCREENS.some((screen) => screen === text);

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return '';
  }
}

/** Returns the place of a fragment, with or without its `#`. */
export function routeOf(hash: string): Route {
  const [, screen = '', id = '', part = ''] = hash.replace(/^#/, '').split('/').map(decoded);
  return isScreen(screen) ? { screen, id, part } : { screen: 'library', id: '', part: '' };
}

/** Returns the fragment of a place, with its `#`. */
export function addressOf(screen: Screen, id = '', part = ''): string {
  const parts = [screen, id, part].filter((text) => text !== '');
  return `#/${parts.map((text) => encodeURIComponent(text)).join('/')}`;
}

/** Returns the token that the printed address carries (`#token=…`), `null` where there is none. */
export function tokenOf(hash: string): string | null {
  const token = new URLSearchParams(hash.replace(/^#/, '')).get('token');
  return token === null || token === '' ? null : token;
}
