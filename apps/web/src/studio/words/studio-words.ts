/**
 * Every word of the studio, by the same means as the watch page's.
 *
 * They stand in `table.json`, all languages of a word side by side; the bundler cuts it, so that a page loads one
 * language. The later part is loaded with the first screen that says any of it.
 */

import {
  chooseLanguage,
  LANGUAGES,
  languageOf,
  OWN_NAMES,
  type Language,
} from '../../../../../player/src/words/language';
import { Words, type Values } from '../../../../../player/src/words/words';
import parts from './table.json?parts';
import type table from './table.json';

type Table = typeof table;

/** Fails the type check where a word lacks a language. */
type Complete<Part extends Readonly<Record<string, Readonly<Record<Language, string>>>>> = Part;

/** What a word of the studio is asked for by. */
export type StudioWord = keyof Complete<Table['first']> | keyof Complete<Table['later']>;

/** The studio's words. */
export type StudioWords = Words<StudioWord>;

export type { Language, Values };
export { chooseLanguage, LANGUAGES, languageOf, OWN_NAMES };

/** Makes the studio's words, English at first. */
export function studioWords(): StudioWords {
  return new Words(parts);
}
