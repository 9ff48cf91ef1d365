// Every program that imports this file has to know the languages, and only this carries them along.
// oxlint-disable-next-line typescript/triple-slash-reference
/// <reference path="./languages.d.ts" />

/**
 * Every word that a person reads or hears, in the language that they read.
 *
 * The words stand in `table.json`, each in all languages side by side; a language that lacks one
 * doesn't pass the type check. The table has two parts: what is needed first, and what is loaded
 * later, since nothing is said with it before the first play. English's first part is always there;
 * every other is a file of its own. Knows nothing of where words are shown.
 */

import english from './table.json?first=en';
import type table from './table.json';
import type { Language } from './language';

type Table = typeof table;

/** What a word is asked for by. */
export type Word = keyof Table['first'] | keyof Table['later'];

/** What stands in a word's places `{name}`. */
export type Values = Readonly<Record<string, string | number>>;

/** Words of one language, each under its name. */
export type Dictionary = Readonly<Partial<Record<string, string>>>;

/** Fails the type check where a word lacks a language. */
type Complete<Part extends Readonly<Record<string, Readonly<Record<Language, string>>>>> = Part;
type CompleteWord = keyof Complete<Table['first']> | keyof Complete<Table['later']>;

/** A part of a table, one language at a time. */
export interface WordPart {
  readonly load: Readonly<Record<Language, () => Promise<{ readonly default: Dictionary }>>>;
  /** What has been loaded, for everybody. */
  readonly there: Partial<Record<Language, Dictionary>>;
}

const FIRST: WordPart = {
  load: {
    en: () => Promise.resolve({ default: english }),
    de: () => import('./table.json?first=de'),
    zh: () => import('./table.json?first=zh'),
    es: () => import('./table.json?first=es'),
  },
  there: { en: english },
};

const LATER: WordPart = {
  load: {
    en: () => import('./table.json?later=en'),
    de: () => import('./table.json?later=de'),
    zh: () => import('./table.json?later=zh'),
    es: () => import('./table.json?later=es'),
  },
  there: {},
};

/** Nobody waits longer for words than this. */
const PATIENCE_MS = 4000;

/** Loads a language of some parts; tells whether all of them are there then. */
async function load(language: Language, parts: readonly WordPart[]): Promise<boolean> {
  const loading = parts.map(async (part) => {
    if (part.there[language] !== undefined) return true;
    const words = await part.load[language]().catch(() => null);
    if (words !== null) part.there[language] = words.default;
    return words !== null;
  });
  return !(await Promise.all(loading)).includes(false);
}

/** Made once, since that takes far longer than to use one. */
const numberFormats = new Map<string, Intl.NumberFormat>();
const listFormats: Partial<Record<Language, Intl.ListFormat>> = {};

function numberFormat(language: Language, options: Intl.NumberFormatOptions): Intl.NumberFormat {
  const key = language + JSON.stringify(options);
  const format = numberFormats.get(key) ?? new Intl.NumberFormat(language, options);
  numberFormats.set(key, format);
  return format;
}

const ONE_DIGIT = { minimumFractionDigits: 1, maximumFractionDigits: 1 } as const;

/**
 * Words of one language at a time, which can be exchanged while they are shown. A page's own words, `More` by name, stand in
 * parts of its own and are loaded with the player's.
 */
export class Words<More extends string = never> {
  readonly #first: readonly WordPart[];
  readonly #later: readonly WordPart[];
  #language: Language = 'en';
  #wanted: Language = 'en';
  #isWhole = false;
  readonly #shown = new Set<() => void>();

  constructor(more?: { readonly first: WordPart; readonly later: WordPart }) {
    this.#first = more ? [FIRST, more.first] : [FIRST];
    this.#later = more ? [LATER, more.later] : [LATER];
  }

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
    const areThere = await load(language, [...this.#first, ...(this.#isWhole ? this.#later : [])]);
    // Another language may have been asked for meanwhile.
    if (!areThere || this.#wanted !== language) return;
    this.#language = language;
    for (const show of this.#shown) show();
  }

  /** Settles when the later words are there too, or can't be had within four seconds. */
  async complete(): Promise<void> {
    this.#isWhole = true;
    const language = this.#wanted;
    if (this.#later.every(({ there }) => there[language] !== undefined)) return;
    const late = new Promise((resolve) => setTimeout(resolve, PATIENCE_MS));
    await Promise.race([load(language, this.#later), late]);
  }

  /** Tells whether a word is there: a later one may not be. */
  has(word: Word | More): boolean {
    return this.#find(word) !== undefined;
  }

  /** Runs `show` now, and again whenever the language has changed; returns what ends that. */
  show(show: () => void): () => void {
    this.#shown.add(show);
    show();
    return () => this.#shown.delete(show);
  }

  /** Returns a word, with `values` in its places; one that isn't there is empty. */
  readonly t = (word: CompleteWord | More, values: Values = {}): string =>
    (this.#find(word) ?? '').replaceAll(/\{(\w+)\}/g, (place, name: string) =>
      String(values[name] ?? place),
    );

  /** A number as the language writes it. */
  number(value: number, options: Intl.NumberFormatOptions = {}): string {
    return numberFormat(this.#language, options).format(value);
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
    const [first = ''] = texts;
    if (texts.length === 1) return first;
    const style = { style: 'narrow', type: 'unit' } as const;
    return (listFormats[this.#language] ??= new Intl.ListFormat(this.#language, style)).format(
      texts,
    );
  }

  /** What the language calls the language of a BCP 47 tag; the tag itself where it has no name. */
  languageName(tag: string): string {
    try {
      return new Intl.DisplayNames([this.#language], { type: 'language' }).of(tag) ?? tag;
    } catch {
      return tag;
    }
  }

  #find(word: string): string | undefined {
    for (const { there } of [...this.#first, ...this.#later]) {
      const text = there[this.#language]?.[word];
      if (text !== undefined) return text;
    }
    return undefined;
  }
}

/** English words, for whoever has no others. */
export const ENGLISH = new Words();
