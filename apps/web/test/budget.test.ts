/**
 * The budget of bytes before the first picture: what is counted as ours, and that an excess is told.
 */

import { describe, expect, it } from 'vitest';
import { BUDGET, plainName, report, shareOf } from '../build/budget.ts';

describe('the budget', () => {
  it('is kept to its byte', () => {
    const at = (bytes: number, ours: number) => report([{ file: 'a.js', bytes, ours }]).excess;
    expect(at(BUDGET.all, BUDGET.ours)).toBeNull();
    expect(at(BUDGET.all + 1, 0)).toBe('everything by 1 bytes');
    expect(at(BUDGET.all, BUDGET.ours + 7)).toBe('ours by 7 bytes');
    expect(at(BUDGET.all + 2, BUDGET.ours + 7)).toBe('everything by 2 bytes, ours by 7 bytes');
  });

  it('is told in a table with a sum', () => {
    const { table } = report([
      { file: 'a.js', bytes: 1500, ours: 500 },
      { file: 'b.css', bytes: 600, ours: 600 },
    ]);
    expect(table).toMatch(/a\.js +1\.5 +0\.5\n/);
    expect(table).toMatch(/before the first picture +2\.1 +1\.1\n/);
    expect(table).toMatch(/bound +190\.0 +35\.0$/);
  });

  it('knows ours from others’ by where a module lies, whatever comments weigh', () => {
    const code = (name: string) =>
      `/* ${'long words '.repeat(99)} */ export const ${name} = '${name}';`;
    const ours = { '/x/player/src/a.ts': { code: code('a') } };
    const theirs = { '/x/node_modules/b/b.js': { code: code('b') } };
    expect(shareOf({ ...ours, ...theirs })).toBeCloseTo(0.5);
    expect(shareOf(ours)).toBe(1);
    expect(shareOf(theirs)).toBe(0);
    expect(shareOf({})).toBe(1);
  });

  it('knows files by their names before the hash', () => {
    expect(plainName('assets/pool.worker-DeTS2LF6.js')).toBe('pool.worker.js');
    expect(plainName('assets/watch-C_cE-qua.css')).toBe('watch.css');
    expect(plainName('watch.html')).toBe('watch.html');
  });
});
