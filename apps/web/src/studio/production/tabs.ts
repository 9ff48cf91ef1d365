/**
 * The tabs of a production, and what each is given.
 */

import type { Editor } from './editor.svelte';

/** The tabs, in their order. */
export const PARTS = ['story', 'background', 'voice', 'captions', 'render'] as const;

/** A tab. */
export type Part = (typeof PARTS)[number];

/** Tells whether an address names a tab. */
export function isPart(text: string): text is Part {
  return PARTS.some((part) => part === text);
}

/** What a tab is given. */
export interface TabProps {
  readonly editor: Editor;
  /** The scene that is chosen. */
  readonly scene: number;
  readonly onchoose: (index: number) => void;
}
