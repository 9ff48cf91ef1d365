/**
 * The studio's budget: what is initial, and that an excess is told.
 */

import { expect, it } from 'vitest';
import { initialOf, STUDIO_BUDGET, studioReport, type Script } from '../../build/studio-budget.ts';

const script = (file: string, bytes: number, imports: string[] = [], isEntry = false): Script => ({
  file,
  bytes,
  imports,
  isEntry,
});

it('initial is the entry with all that it imports by itself, once', () => {
  const scripts = [
    script('entry', 1, ['a', 'b'], true),
    script('a', 2, ['b']),
    script('b', 4, ['a']),
    script('screen', 8, ['a']),
  ];
  expect(initialOf(scripts).map(({ file }) => file)).toEqual(['entry', 'a', 'b']);
});

it('both bounds are kept to the byte', () => {
  const { initial, all } = STUDIO_BUDGET;
  const at = (first: number, rest: number) =>
    studioReport([script('entry', first, [], true), script('screen', rest)]).excess;
  expect(at(initial, all - initial)).toBeNull();
  expect(at(initial + 1, 0)).toBe('initial by 1 bytes');
  expect(at(initial, all - initial + 3)).toBe('everything by 3 bytes');
});
