/**
 * Sizes and days as people read them.
 */

const UNITS = ['kilobyte', 'megabyte', 'gigabyte', 'terabyte'] as const;

/** Returns `18 MB`, `9.8 MB` or `1.2 GB`, in decimal units, kilobytes at least. */
export function bytesText(bytes: number): string {
  let [value, unit] = [bytes / 1000, 0];
  while (value >= 999.5 && unit < UNITS.length - 1) [value, unit] = [value / 1000, unit + 1];
  const style = { style: 'unit', unit: UNITS[unit] as string, unitDisplay: 'short' } as const;
  const digits = { maximumFractionDigits: value < 10 && unit > 0 ? 1 : 0 };
  return new Intl.NumberFormat('en', { ...style, ...digits }).format(value);
}

/** Returns `21 November 2026`. */
export function dayText(ms: number): string {
  return new Intl.DateTimeFormat('en-GB', { dateStyle: 'long' }).format(ms);
}
