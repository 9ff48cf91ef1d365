/**
 * The studio's words: each in every language, none that the player has already, and every one of them said somewhere.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import players from '../../../../player/src/words/table.json';
import { bytesText, clockText, momentText } from '../../src/studio/ui/measures';
import { LANGUAGES, studioWords, type StudioWord } from '../../src/studio/words/studio-words';
import table from '../../src/studio/words/table.json';

const entries = Object.entries({ ...table.first, ...table.later });
const root = fileURLToPath(new URL('../../src/studio', import.meta.url));

it('every word has every language, with the same places and the same marks', () => {
  const parts = (text: string) => [...text.matchAll(/\{\w+\}|`[^`]*`/g)].map(String).toSorted();
  for (const [word, texts] of entries) {
    expect(Object.keys(texts), word).toEqual([...LANGUAGES]);
    for (const text of Object.values(texts)) {
      expect(text.trim(), word).toBe(text);
      expect(text, word).not.toBe('');
      expect(parts(text), word).toEqual(parts(texts.en));
    }
  }
});

it('no word stands twice, and every word is said', () => {
  const [first, later] = [Object.keys(table.first), Object.keys(table.later)];
  const known = [...Object.keys(players.first), ...Object.keys(players.later)];
  expect([...first, ...later].filter((word) => known.includes(word))).toEqual([]);
  expect(first.filter((word) => later.includes(word))).toEqual([]);
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' });
  const code = files
    .filter((name) => /\.(ts|svelte)$/.test(name))
    .map((name) => readFileSync(join(root, name), 'utf8'))
    .join('\n');
  expect([...first, ...later].filter((word) => !code.includes(`'${word}'`))).toEqual([]);
});

it('the first screens say nothing of the later part', () => {
  const later = new Set(Object.keys(table.later));
  const early = ['App.svelte', 'library/Library.svelte', 'library/Item.svelte'];
  const more = ['queue', 'upload', 'ui', 'list'].flatMap((folder) =>
    readdirSync(join(root, folder)).map((name) => `${folder}/${name}`),
  );
  for (const name of [...early, ...more, 'shell/Locked.svelte']) {
    const said = readFileSync(join(root, name), 'utf8').matchAll(/'(studio\.\w+)'/g);
    expect([...said].map(([, word]) => word).filter((word) => later.has(word ?? ''))).toEqual([]);
  }
});

it('the studio speaks one language, with its own words', async () => {
  for (const language of LANGUAGES) {
    const words = studioWords();
    await words.use(language);
    await words.complete();
    for (const [word, texts] of entries) expect(words.t(word as StudioWord)).toBe(texts[language]);
  }
});

it('sizes, lengths and moments are as people read them', () => {
  const words = studioWords();
  expect([0, 999, 1500, 9.84e6, 18e6, 1.2e9].map((bytes) => bytesText(bytes, words))).toEqual([
    '0 byte',
    '999 byte',
    '2 kB',
    '9.8 MB',
    '18 MB',
    '1.2 GB',
  ]);
  expect([0, 7e6, 750e6, 3723e6].map(clockText)).toEqual(['0:00', '0:07', '12:30', '1:02:03']);
  const now = Date.parse('2026-11-22T12:00:00Z');
  expect(momentText('2026-11-20T12:00:00Z', now, words)).toBe('20 Nov 2026');
  expect(momentText('2026-11-22T12:00:00Z', now, words)).toMatch(/^\d\d:\d\d$/);
  expect(momentText('yesterday', now, words)).toBe('yesterday');
});
