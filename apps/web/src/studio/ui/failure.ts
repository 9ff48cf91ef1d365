/**
 * Failures in plain words: what happened, in the person's language, and what the server said about it.
 */

import type { ApiError, Fault } from '../api/problem';
import type { StudioWord, StudioWords } from '../words/studio-words';

const WORDS: Readonly<Record<Fault, StudioWord>> = {
  unreachable: 'studio.faultUnreachable',
  session: 'studio.faultSession',
  missing: 'studio.faultMissing',
  conflict: 'studio.faultConflict',
  busy: 'studio.faultBusy',
  refused: 'studio.faultRefused',
  broken: 'studio.faultBroken',
};

/** Returns what a person reads about a failure. */
export function failureText(error: ApiError, words: StudioWords): string {
  const parts = [words.t(WORDS[error.fault])];
  if (error.retryAfterS !== null) {
    parts.push(words.t('studio.againIn', { time: words.duration(Math.ceil(error.retryAfterS)) }));
  }
  if (error.detail !== '') parts.push(sentence(error.detail));
  return parts.join(' ');
}

function sentence(text: string): string {
  const first = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?。]$/.test(first) ? first : `${first}.`;
}
