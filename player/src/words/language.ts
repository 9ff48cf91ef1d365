/**
 * Which of our languages a person reads.
 *
 * Pure: tags go in, one of our languages comes out. Knows nothing of texts.
 */

/** The languages of the table, in the order that a menu lists them. */
export const LANGUAGES = ['en', 'de', 'zh', 'es'] as const;

/** One of our languages. */
export type Language = (typeof LANGUAGES)[number];

/** What each language calls itself. */
export const OWN_NAMES: Readonly<Record<Language, string>> = {
  en: 'English',
  de: 'Deutsch',
  zh: '中文',
  es: 'Español',
};

/** Returns the language of a BCP 47 tag, `null` where it is none of ours. */
export function languageOf(tag: string | null | undefined): Language | null {
  const primary = tag?.toLowerCase().split(/[-_]/)[0];
  return LANGUAGES.find((language) => language === primary) ?? null;
}

/** Returns the first of `tags` that is one of our languages, else English. */
export function chooseLanguage(tags: readonly (string | null | undefined)[]): Language {
  for (const tag of tags) {
    const language = languageOf(tag);
    if (language !== null) return language;
  }
  return 'en';
}
