/**
 * The page's words: each in every language, and none that the player has already.
 */

import type { Language } from '@veilcast/player';
import { expect, it } from 'vitest';
import players from '../../../player/src/words/table.json';
import { LANGUAGES } from '../../../player/src/words/language';
import { pageWords, type PageWord } from '../src/words/page-words';
import table from '../src/words/table.json';

const entries = Object.entries({ ...table.first, ...table.later }) as [
  PageWord,
  Record<Language, string>,
][];

it('every word has every language, with the same places and the same marks', () => {
  const parts = (text: string) => [...text.matchAll(/\{\w+\}|`[^`]*`|#/g)].map(String).toSorted();
  for (const [word, texts] of entries) {
    expect(Object.keys(texts), word).toEqual([...LANGUAGES]);
    for (const text of Object.values(texts)) {
      expect(text.trim(), word).toBe(text);
      expect(text, word).not.toBe('');
      expect(parts(text), word).toEqual(parts(texts.en));
    }
  }
});

it('no word stands twice', () => {
  const [first, later] = [Object.keys(table.first), Object.keys(table.later)];
  const known = [...Object.keys(players.first), ...Object.keys(players.later), ...first];
  expect([...first, ...later].every((word) => word.startsWith('page.'))).toBe(true);
  expect(later.filter((word) => known.includes(word))).toEqual([]);
  expect(first.filter((word) => later.includes(word))).toEqual([]);
});

it('the page speaks one language, with the player’s words and its own', async () => {
  for (const language of LANGUAGES) {
    const words = pageWords();
    await words.use(language);
    await words.complete();
    for (const [word, texts] of entries) expect(words.t(word), word).toBe(texts[language]);
    expect(words.t('play')).toBe(players.first.play[language]);
    expect(words.t('close')).toBe(players.later.close[language]);
  }
});
