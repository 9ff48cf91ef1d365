/**
 * The page's one language: chosen as the page begins, changed with the player's, told to the browser by `<html lang>`.
 *
 * What a component says with [`t`] is said anew when the language changes.
 */

import { chosenLanguage, type Language, type Values } from '@veilcast/player';
import { pageWords, type PageWords } from '../words/page-words';

const words = pageWords();
let changes = $state(0);

/** The words, for who draws with them. */
export function spoken(): PageWords {
  void changes;
  return words;
}

/** Returns a word, with `values` in its places. */
export const t = (word: Parameters<PageWords['t']>[0], values?: Values): string =>
  spoken().t(word, values);

/** Changes the language; where its words can't be had, the page stays as it is. */
export async function speak(language: Language = chosenLanguage()): Promise<void> {
  // At once: the player begins with the language of its page.
  document.documentElement.lang = language;
  await words.use(language);
  document.documentElement.lang = words.language;
  changes++;
}

/** Waits for a component and for the words that it says. */
export async function withWords<Component>(component: Promise<Component>): Promise<Component> {
  await words.complete();
  return component;
}
