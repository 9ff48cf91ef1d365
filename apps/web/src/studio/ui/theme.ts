/**
 * Dark or light: as the system has it, or as somebody chose.
 */

import { store } from './store';

/** The choices. */
export const THEMES = ['system', 'light', 'dark'] as const;

/** A choice. */
export type Theme = (typeof THEMES)[number];

const KEPT = 'veilcast-theme';

/** Returns what was chosen. */
export function chosenTheme(): Theme {
  const kept = store.get(KEPT);
  return THEMES.find((theme) => theme === kept) ?? 'system';
}

/** Shows the page in a theme and remembers it. */
export function useTheme(theme: Theme): void {
  store.set(KEPT, theme);
  showTheme(theme);
}

/** Shows the page in a theme. */
export function showTheme(theme: Theme): void {
  const { dataset } = document.documentElement;
  if (theme === 'system') delete dataset['theme'];
  else dataset['theme'] = theme;
}
