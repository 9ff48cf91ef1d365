/**
 * How captions look: what a viewer can choose, and the `::cue` rules for it.
 *
 * The choice is kept on this device (see `shelf.ts`). Pure; what was kept is read as if a stranger
 * had written it. Invariant: every rule is made of values from the table here.
 */

import type { Word } from '../words/words';

interface Value {
  readonly value: string;
  readonly word: Word;
}

/** What can be chosen, the first of each as it is at first. */
export const STYLE_CHOICES = {
  size: {
    word: 'size',
    values: [
      { value: '100%', word: 'medium' },
      { value: '75%', word: 'small' },
      { value: '140%', word: 'large' },
      { value: '190%', word: 'huge' },
    ],
  },
  colour: {
    word: 'colour',
    values: [
      { value: '#fff', word: 'white' },
      { value: '#ffe94a', word: 'yellow' },
      { value: '#8cf5a0', word: 'green' },
      { value: '#7fe9ff', word: 'cyan' },
      { value: '#000', word: 'black' },
    ],
  },
  background: {
    word: 'background',
    values: [
      { value: '.7', word: 'backgroundStrong' },
      { value: '.35', word: 'backgroundLight' },
      { value: '1', word: 'backgroundSolid' },
      { value: '0', word: 'backgroundNone' },
    ],
  },
  edge: {
    word: 'edge',
    values: [
      { value: 'none', word: 'edgeNone' },
      { value: 'outline', word: 'edgeOutline' },
      { value: 'shadow', word: 'edgeShadow' },
      { value: 'raised', word: 'edgeRaised' },
    ],
  },
} as const satisfies Record<string, { word: Word; values: readonly Value[] }>;

/** What of captions can be chosen. */
export type StyleName = keyof typeof STYLE_CHOICES;

/** One choice of each. */
export type CaptionStyle = Readonly<Record<StyleName, string>>;

const NAMES = Object.keys(STYLE_CHOICES) as StyleName[];

/** Reads a style; what is missing or not in the table is as at first. */
export function readStyle(kept: unknown): CaptionStyle {
  const given = (typeof kept === 'object' && kept !== null ? kept : {}) as Record<string, unknown>;
  const entries = NAMES.map((name) => {
    const values: readonly Value[] = STYLE_CHOICES[name].values;
    const known = values.find(({ value }) => value === given[name]) ?? values[0];
    return [name, known?.value ?? ''];
  });
  return Object.fromEntries(entries) as CaptionStyle;
}

const around = (distance: string, colour: string) =>
  [
    [-1, -1],
    [0, -1],
    [1, -1],
    [1, 0],
    [1, 1],
    [0, 1],
    [-1, 1],
    [-1, 0],
  ]
    .map(([x, y]) => `calc(${x}*${distance}) calc(${y}*${distance}) 0 ${colour}`)
    .join(',');

/** The rules for `::cue`; black letters stand on white. */
export function styleRules({ size, colour, background, edge }: CaptionStyle): string {
  const isDark = colour === '#000';
  const contrast = isDark ? '#fff' : '#000';
  const ground = isDark ? '255 255 255' : '0 0 0';
  const edges: Record<string, string> = {
    outline: around('.06em', contrast),
    shadow: `.08em .08em .12em ${contrast}`,
    raised: `.04em .04em 0 ${contrast},.08em .08em 0 ${contrast}`,
  };
  return (
    `video::cue{font-size:${size};color:${colour};` +
    `background:rgb(${ground} / ${background});text-shadow:${edges[edge] ?? 'none'}}`
  );
}
