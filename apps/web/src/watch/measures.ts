/**
 * Sizes and days as people read them, in the language of their words.
 */

import type { PageWords } from '../words/page-words';

const UNITS = ['kilobyte', 'megabyte', 'gigabyte', 'terabyte'] as const;

/** Returns `18 MB`, `9.8 MB` or `1.2 GB`, in decimal units, kilobytes at least. */
export function bytesText(bytes: number, words: PageWords): string {
  let [value, unit] = [bytes / 1000, 0];
  while (value >= 999.5 && unit < UNITS.length - 1) [value, unit] = [value / 1000, unit + 1];
  const style = { style: 'unit', unit: UNITS[unit] as string, unitDisplay: 'short' } as const;
  const digits = { maximumFractionDigits: value < 10 && unit > 0 ? 1 : 0 };
  return words.number(value, { ...style, ...digits });
}

/** Returns `21 November 2026`: in English with the day first, which no reader takes for a month. */
export function dayText(ms: number, { language }: PageWords): string {
  const tag = language === 'en' ? 'en-GB' : language;
  return new Intl.DateTimeFormat(tag, { dateStyle: 'long' }).format(ms);
}
