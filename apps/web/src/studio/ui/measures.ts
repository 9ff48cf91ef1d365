/**
 * Sizes, lengths and moments as people read them, in the language of their words.
 *
 * Pure: the present moment is an argument.
 */

import type { StudioWords } from '../words/studio-words';

const UNITS = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'] as const;

/** Returns `340 byte`, `18 MB`, `9.8 MB` or `1.2 GB`, in decimal units. */
export function bytesText(bytes: number, words: StudioWords): string {
  let [value, unit] = [bytes, 0];
  while (value >= 999.5 && unit < UNITS.length - 1) [value, unit] = [value / 1000, unit + 1];
  const style = { style: 'unit', unit: UNITS[unit] as string, unitDisplay: 'short' } as const;
  const digits = { maximumFractionDigits: value < 10 && unit > 1 ? 1 : 0 };
  return words.number(value, { ...style, ...digits });
}

/** Returns `0:07`, `12:30` or `1:02:03`, from microseconds. */
export function clockText(us: number): string {
  const seconds = Math.max(0, Math.round(us / 1e6));
  const two = (value: number): string => String(value).padStart(2, '0');
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  const start = hours > 0 ? `${hours}:${two(minutes)}` : String(minutes);
  return `${start}:${two(seconds % 60)}`;
}

/** A day, or an hour of today. */
export function momentText(moment: string, nowMs: number, { language }: StudioWords): string {
  const ms = Date.parse(moment);
  if (Number.isNaN(ms)) return moment;
  const tag = language === 'en' ? 'en-GB' : language;
  const isToday = new Date(ms).toDateString() === new Date(nowMs).toDateString();
  const style = isToday
    ? ({ timeStyle: 'short' } as const)
    : ({ day: 'numeric', month: 'short', year: 'numeric' } as const);
  return new Intl.DateTimeFormat(tag, style).format(ms);
}
