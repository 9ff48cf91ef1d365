/**
 * What keys do everywhere in the studio.
 *
 * Pure, but for asking an element whether somebody writes in it.
 */

import { SCREENS, type Screen } from '../route';

/** Returns the screen of a key, by its place in the navigation. */
export function screenOfKey(key: string): Screen | null {
  return /^[1-9]$/.test(key) ? (SCREENS[Number(key) - 1] ?? null) : null;
}

/** Tells whether somebody writes here, so that keys are text. */
export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || target.matches('input, select, textarea');
}
