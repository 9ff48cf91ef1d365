/**
 * What to tell a person about a failure.
 *
 * The words are in `words/table.json`; every failure says what it is, what happened and what to do.
 * Knows nothing of where it is shown.
 */

import type { Failure } from './failure';
import { ENGLISH, type Words } from './words/words';

/** What a person reads about a failure. */
export interface Explanation {
  readonly title: string;
  readonly happened: string;
  readonly action: string;
}

/**
 * Tells what to show a person about `failure`, in the language of `words`. Where those are not whole
 * (see `Words.complete`), it may say no more than that playback failed.
 */
export function explain(failure: Failure, words: Words = ENGLISH): Explanation {
  const code = words.has(`${failure.code}.title`) ? failure.code : 'playback-failed';
  const part = words.t(`part.${failure.part ?? 'the video'}`);
  const Part = part.charAt(0).toLocaleUpperCase(words.language) + part.slice(1);
  const say = (what: keyof Explanation): string => words.t(`${code}.${what}`, { part, Part });
  return { title: say('title'), happened: say('happened'), action: say('action') };
}
