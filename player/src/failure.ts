/**
 * Everything that can go wrong for a viewer.
 *
 * Shared by Workers and page. Knows nothing of words for it: they are in `explain.ts`. Invariant:
 * a failure holds no secret, key, URL or object's name.
 */

/** What a failure is. */
export type FailureCode =
  | 'link-incomplete'
  | 'link-unknown'
  | 'secret-wrong'
  | 'grant-expired'
  | 'grant-revoked'
  | 'identity-wrong'
  | 'identity-unreadable'
  | 'identity-damaged'
  | 'identity-newer'
  | 'identity-without-passphrase'
  | 'passphrase-wrong'
  | 'memory-short'
  | 'page-incomplete'
  | 'tampered'
  | 'playlist-mismatch'
  | 'object-missing'
  | 'offline'
  | 'gateway-unreachable'
  | 'gateway-broken'
  | 'store-unavailable'
  | 'ranges-unsupported'
  | 'codec-unsupported'
  | 'browser-unsupported'
  | 'insecure-context'
  | 'playback-failed';

/** Which part of a title a failure is about, in words for the viewer. */
export type Part =
  | 'the grant'
  | 'the description'
  | 'the playlist'
  | 'the picture'
  | 'the sound'
  | 'the captions'
  | 'the poster'
  | 'the previews'
  | 'the video';

/** A failure as it passes between Workers and page. */
export interface Failure {
  readonly code: FailureCode;
  readonly part?: Part;
  /** What the browser or the streaming library calls it; for reports, not for viewers. */
  readonly detail?: string;
}

/** A failure on its way up. */
export class PlayerFailure extends Error {
  readonly failure: Failure;

  constructor(code: FailureCode, part?: Part, options?: ErrorOptions) {
    super(code, options);
    this.name = 'PlayerFailure';
    this.failure = part === undefined ? { code } : { code, part };
  }
}

/** Describes an error that nobody foresaw; addresses, which may hold signatures, are left out. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  return `${error.name}: ${error.message}`.replaceAll(/[a-z]+:\/\/\S+|\/\S+\?\S+/gi, '…');
}

/** Returns the failure in `error`; what nobody foresaw counts as a failed playback. */
export function failureOf(error: unknown): Failure {
  if (error instanceof PlayerFailure) return error.failure;
  return { code: 'playback-failed', detail: describe(error) };
}

/** Nothing is wrong with the link or the video: the player tries again by itself. */
const PASSING: readonly FailureCode[] = [
  'offline',
  'gateway-unreachable',
  'gateway-broken',
  'store-unavailable',
];

/** Tells whether a failure may pass, so that trying again makes sense. */
export function isPassing(failure: Failure): boolean {
  return PASSING.includes(failure.code);
}
