/**
 * Every word of the page around the player, beside the player's own and by the same means.
 *
 * They stand in `table.json`, all languages of a word side by side; the bundler cuts it, so that a page loads one language.
 * English's first part is in the page's script, the later part comes with what says it.
 */

import type { Language } from '@veilcast/player';
import { Words } from '../../../../player/src/words/words';
import parts from './table.json?parts';
import type table from './table.json';

type Table = typeof table;

/** Fails the type check where a word lacks a language. */
type Complete<Part extends Readonly<Record<string, Readonly<Record<Language, string>>>>> = Part;

/** What a word of the page is asked for by. */
export type PageWord = keyof Complete<Table['first']> | keyof Complete<Table['later']>;

/** The player's words and the page's. */
export type PageWords = Words<PageWord>;

/** Makes the page's words, English at first. */
export function pageWords(): PageWords {
  return new Words(parts);
}
