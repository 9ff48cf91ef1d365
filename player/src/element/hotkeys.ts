/**
 * Takes keys for the player, and leaves to everybody else what is theirs.
 *
 * Knows which elements have a use of their own for a key; what a key means is in `keyboard.ts`.
 */

import { commandOf, type Command } from './keyboard';

/** Elements that take keys for themselves. */
const TYPING = 'input:not([type=range]), textarea, select, [contenteditable]';
const PRESSABLE = 'button, a[href], summary, [role^=menuitem]';

/** Whether the focused element has a use of its own for a key. */
function keepsKey(target: Element, key: string): boolean {
  if (target.matches(TYPING)) return true;
  if (target.matches('input[type=range]')) return key.startsWith('Arrow');
  return target.matches(PRESSABLE) && (key === ' ' || key === 'Enter');
}

/**
 * Returns what a key event asks of the player `host`: a command, `escape`, or `null` for nothing.
 * `isWide` takes keys from the whole page.
 */
export function readKey(
  event: KeyboardEvent,
  host: HTMLElement,
  isWide: boolean,
): Command | 'escape' | null {
  const path = event.composedPath();
  if (event.defaultPrevented || (!isWide && !path.includes(host))) return null;
  const [target] = path;
  if (target instanceof Element && keepsKey(target, event.key)) return null;
  return event.key === 'Escape' ? 'escape' : commandOf(event);
}
