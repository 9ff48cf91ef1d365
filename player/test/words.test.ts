/**
 * The words: each in every language, the right one chosen, exchanged while they are shown.
 */

import { describe, expect, it } from 'vitest';
import { explain } from '../src/explain';
import { isPassing, type Failure } from '../src/failure';
import { chooseLanguage, languageOf, LANGUAGES, type Language } from '../src/words/language';
import table from '../src/words/table.json';
import { Words, type Word } from '../src/words/words';

async function speaking(language: Language): Promise<Words> {
  const words = new Words();
  await words.use(language);
  await words.complete();
  return words;
}

describe('the table', () => {
  const entries = Object.entries({ ...table.first, ...table.later }) as [
    Word,
    Record<Language, string>,
  ][];

  it('has every word in every language, with the same places', () => {
    const places = (text: string) => [...text.toLowerCase().matchAll(/\{\w+\}/g)].join().split(',');
    for (const [word, texts] of entries) {
      expect(Object.keys(texts), word).toEqual([...LANGUAGES]);
      for (const text of Object.values(texts)) {
        expect(text.trim(), word).toBe(text);
        expect(text, word).not.toBe('');
        expect(places(text).toSorted(), word).toEqual(places(texts.en).toSorted());
      }
    }
  });

  it('has no word twice, and says what may pass with the first part alone', () => {
    const [first, later] = [Object.keys(table.first), Object.keys(table.later)];
    expect(first.filter((word) => later.includes(word))).toEqual([]);
    for (const code of ['offline', 'gateway-unreachable', 'gateway-broken', 'store-unavailable']) {
      expect(isPassing({ code } as Failure)).toBe(true);
      expect(first).toContain(`${code}.title`);
    }
  });

  it('is cut so that a page loads one language alone', async () => {
    for (const language of LANGUAGES) {
      const words = await speaking(language);
      for (const [word, texts] of entries) expect(words.t(word)).toBe(texts[language]);
    }
  });

  it('ends what is said of failures as sentences end', () => {
    for (const [word, texts] of entries.filter(([name]) => /\.(happened|action)$/.test(name))) {
      for (const [language, text] of Object.entries(texts)) {
        expect(text, `${word} in ${language}`).toMatch(language === 'zh' ? /。$/ : /\.$/);
      }
    }
  });
});

describe('the language', () => {
  it('is the first that we have, else English', () => {
    expect(chooseLanguage(['fr', 'de-CH', 'en'])).toBe('de');
    expect(chooseLanguage([null, undefined, '', 'zh-Hant-TW'])).toBe('zh');
    expect(chooseLanguage(['fr'])).toBe('en');
    expect(chooseLanguage([])).toBe('en');
    expect(languageOf('ES_419')).toBe('es');
    expect(languageOf('dexter')).toBeNull();
  });

  it('can be exchanged while words are shown, and the last wish counts', async () => {
    const words = new Words();
    const seen: string[] = [];
    const end = words.show(() => seen.push(words.t('play')));
    const slow = words.use('de');
    await Promise.all([slow, words.use('es')]);
    expect(words.language).toBe('es');
    expect(seen).toEqual(['Play', 'Reproducir']);
    await words.use('en');
    end();
    await words.use('zh');
    expect(seen).toEqual(['Play', 'Reproducir', 'Play']);
  });
});

describe('numbers and times', () => {
  it('are in the language', async () => {
    const german = await speaking('de');
    expect(german.bitRate(4_230_000)).toBe('4,2 Mbit/s');
    expect(german.percent(0.5).replaceAll(/\s/g, ' ')).toBe('50 %');
    expect(german.duration(3725)).toMatch(/^1 Stunde, 2 Minuten( und|,) 5 Sekunden$/);
    expect((await speaking('zh')).duration(61)).toBe('1分钟1秒钟');
    expect((await speaking('es')).duration(7200)).toBe('2 horas');
  });

  it('are in words to hear', () => {
    const words = new Words();
    const said = [0, 1, 61, 7200, Number.NaN].map((seconds) => words.duration(seconds));
    const expected = ['0 seconds', '1 second', '1 minute 1 second', '2 hours', '0 seconds'];
    expect(said).toEqual(expected);
    expect(words.duration(725, 'short')).toBe('12 min 5 sec');
  });

  it('of a language that nobody knows leave its tag', () => {
    expect(new Words().languageName('xx-invalid-tag-!')).toBe('xx-invalid-tag-!');
  });
});

describe('a failure', () => {
  it('is told in the language, with the part that it is about', async () => {
    const failure = { code: 'tampered', part: 'the sound' } as const;
    expect(explain(failure, await speaking('de')).happened).toContain('(der Ton)');
    expect(explain(failure, await speaking('zh')).happened).toMatch(/^声音/);
    expect(explain({ code: 'offline' }, await speaking('es')).title).toBe('No hay conexión');
  });
});
