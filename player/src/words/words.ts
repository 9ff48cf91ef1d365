// Every program that imports this file has to know the languages, and only this carries them along.
// oxlint-disable-next-line typescript/triple-slash-reference
/// <reference path="./languages.d.ts" />

/**
 * Every word that a person reads or hears, in the language that they read.
 *
 * The words stand in `table.json`, each in all languages side by side; a language that lacks one
 * doesn't pass the type check. English is always there; another language is a file of its own,
 * loaded when it is wanted. Knows nothing of where words are shown.
 */

import english from './table.json?language=en';
import type table from './table.json';
import type { Language } from './language';

/** What a word is asked for by. */
export type Word = keyof typeof table;

/** Everything in one language. */
export type Dictionary = Readonly<Record<Word, string>>;

/** What stands in a word's places `{name}`. */
export type Values = Readonly<Record<string, string | number>>;

/** Fails the type check where a word lacks a language. */
type Complete<Table extends Readonly<Record<string, Readonly<Record<Language, string>>>>> = Table;
type CompleteWord = keyof Complete<typeof table>;

const ONE_DIGIT = { minimumFractionDigits: 1, maximumFractionDigits: 1 } as const;

const LOADERS: Readonly<Record<Language, () => Promise<{ default: Dictionary }>>> = {
  en: () => Promise.resolve({ default: english }),
  de: () => import('./table.json?language=de'),
  zh: () => import('./table.json?language=zh'),
  es: () => import('./table.json?language=es'),
};

/** Words of one language at a time, which can be exchanged while they are shown. */
export class Words {
  #language: Language = 'en';
  #wanted: Language = 'en';
  #dictionary: Dictionary = english;
  readonly #shown = new Set<() => void>();

  /** The language of the words. */
  get language(): Language {
    return this.#language;
  }

  /**
   * Changes the language. Until its words are there, the old ones stay; where they can't be had,
   * they stay for good.
   */
  async use(language: Language): Promise<void> {
    this.#wanted = language;
    if (language === this.#language) return;
    const loaded = await LOADERS[language]().catch(() => null);
    // Another language may have been asked for meanwhile.
    if (loaded === null || this.#wanted !== language) return;
    this.#language = language;
    this.#dictionary = loaded.default;
    for (const show of this.#shown) show();
  }

  /** Runs `show` now, and again whenever the language has changed; returns what ends that. */
  show(show: () => void): () => void {
    this.#shown.add(show);
    show();
    return () => this.#shown.delete(show);
  }

  /** Returns a word, with `values` in its places. */
  readonly t = (word: CompleteWord, values: Values = {}): string =>
    this.#dictionary[word].replaceAll(/\{(\w+)\}/g, (place, name: string) =>
      String(values[name] ?? place),
    );

  /** A number as the language writes it. */
  number(value: number, options: Intl.NumberFormatOptions = {}): string {
    return new Intl.NumberFormat(this.#language, options).format(value);
  }

  /** A share of 1 in percent. */
  percent(share: number): string {
    return this.number(share, { style: 'percent' });
  }

  /** A measure with its unit and one digit, as `4.2 s`; `unit` is one that ECMA-402 knows. */
  measure(value: number, unit: string): string {
    return this.number(value, { style: 'unit', unit, ...ONE_DIGIT });
  }

  /** Megabits a second, from bits a second. ECMA-402's `Mb/s` can be misread. */
  bitRate(bitsPerSecond: number): string {
    return `${this.number(bitsPerSecond / 1e6, ONE_DIGIT)} Mbit/s`;
  }

  /**
   * A number of whole seconds in words: `1 hour 2 minutes 3 seconds`, or `1 hr 2 min` where
   * `display` is `short`. What is zero is left out.
   */
  duration(seconds: number, display: 'long' | 'short' = 'long'): string {
    const whole = Math.max(0, Math.floor(Number.isFinite(seconds) ? seconds : 0));
    const parts = [
      [Math.floor(whole / 3600), 'hour'],
      [Math.floor(whole / 60) % 60, 'minute'],
      [whole % 60, 'second'],
    ] as const;
    const said = parts.filter(([value], index) => value > 0 || (whole === 0 && index === 2));
    const texts = said.map(([value, unit]) =>
      this.number(value, { style: 'unit', unit, unitDisplay: display }),
    );
    return new Intl.ListFormat(this.#language, { style: 'narrow', type: 'unit' }).format(texts);
  }

  /** What the language calls the language of a BCP 47 tag; the tag itself where it has no name. */
  languageName(tag: string): string {
    try {
      return new Intl.DisplayNames([this.#language], { type: 'language' }).of(tag) ?? tag;
    } catch {
      return tag;
    }
  }
}

/** English words, for whoever has no others. */
export const ENGLISH = new Words();
