/**
 * The studio's one language: chosen as it begins, changed in the settings, told to the browser by `<html lang>`.
 */

import { store } from '../ui/store';
import {
  chooseLanguage,
  languageOf,
  studioWords,
  type Language,
  type StudioWord,
  type StudioWords,
  type Values,
} from './studio-words';

const words = studioWords();
const KEPT = 'veilcast-language';
let changes = $state(0);

/** The words, for who writes numbers and times with them. */
export function spoken(): StudioWords {
  void changes;
  return words;
}

/** Returns a word, with `values` in its places. */
export const t = (word: StudioWord, values?: Values): string => spoken().t(word, values);

/** The language that was chosen here, or else the one that the person's browser asks for. */
export function chosenLanguage(): Language {
  return languageOf(store.get(KEPT)) ?? chooseLanguage(navigator.languages);
}

/** Changes the language; where its words can't be had, the page stays as it is. */
export async function speak(language: Language): Promise<void> {
  await words.use(language);
  document.documentElement.lang = words.language;
  changes++;
}

/** Changes the language and remembers it. */
export async function choose(language: Language): Promise<void> {
  store.set(KEPT, language);
  await speak(language);
}

/** Waits for a component and for the words that it says. */
export async function withWords<Component>(component: Promise<Component>): Promise<Component> {
  await words.complete();
  return component;
}
