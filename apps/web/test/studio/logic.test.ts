/**
 * The studio's logic apart from its screens: places, lists, histories, batches, jobs.
 */

import { describe, expect, it } from 'vitest';
import { Batcher, BATCH_LIMIT } from '../../src/studio/api/batch';
import { errorOf, faultOf } from '../../src/studio/api/problem';
import { begin, edit, redo, STEPS_KEPT, undo } from '../../src/studio/edit/history';
import { attempt } from '../../src/studio/edit/optimistic';
import { columnsIn, itemAfter, scrollTo, slotsOf, windowOf } from '../../src/studio/list/window';
import { outlineOf } from '../../src/studio/production/outline';
import { EXPIRIES, LIFETIMES, stateOf } from '../../src/studio/published/share';
import { addressOf, routeOf, SCREENS, tokenOf } from '../../src/studio/route';
import { screenOfKey } from '../../src/studio/ui/keys';

describe('a place', () => {
  it('is what its address says, whatever stands in an id', () => {
    for (const id of ['', 'a1', 'a/b#c', '50%']) {
      const place = { screen: 'production', id, part: id === '' ? '' : 'voice' } as const;
      expect(routeOf(addressOf(place.screen, place.id, place.part))).toEqual(place);
    }
  });

  it('is the library where nobody wrote the address', () => {
    for (const hash of ['', '#', '#/', '#/nowhere', '#token=x', '#/%E0%A4%A/1']) {
      expect(routeOf(hash)).toEqual({ screen: 'library', id: '', part: '' });
    }
  });

  it('has a token in the printed address alone', () => {
    expect(tokenOf('#token=abc-_1')).toBe('abc-_1');
    expect([tokenOf('#/library'), tokenOf('#token='), tokenOf('')]).toEqual([null, null, null]);
  });

  it('has a key, in the order of the navigation', () => {
    expect(SCREENS.map((_, index) => screenOfKey(String(index + 1)))).toEqual([...SCREENS]);
    expect([screenOfKey('0'), screenOfKey('9'), screenOfKey('l')]).toEqual([null, null, null]);
  });
});

describe('a long list', () => {
  const view = { count: 10_000, columns: 1, rowHeight: 74, scrollTop: 0, viewHeight: 740 };

  it('draws what is seen and a little more, wherever it is scrolled to', () => {
    for (const scrollTop of [0, 1, 73, 74, 5000, 300_000, 739_260, 10_000_000]) {
      const { first, end, height } = windowOf({ ...view, scrollTop });
      expect(end - first).toBeLessThanOrEqual(slotsOf(view));
      expect(slotsOf(view)).toBeLessThan(24);
      expect(height).toBe(740_000);
      const seen = Math.min(scrollTop, height - 740);
      expect(first * 74).toBeLessThanOrEqual(seen + 740);
      if (scrollTop === seen) {
        expect(first * 74).toBeLessThanOrEqual(seen);
        expect(end * 74).toBeGreaterThanOrEqual(seen + 740);
      }
    }
    expect(windowOf({ ...view, scrollTop: 739_260 }).end).toBe(10_000);
  });

  it('draws whole rows of a grid, and nothing of an empty list', () => {
    const grid = { ...view, columns: 4, scrollTop: 7400 };
    const { first, end } = windowOf(grid);
    expect(first % 4).toBe(0);
    expect(end % 4).toBe(0);
    expect(end - first).toBeLessThanOrEqual(slotsOf(grid));
    expect(windowOf({ ...view, count: 0 })).toEqual({ first: 0, end: 0, height: 0 });
    expect(windowOf({ ...view, count: 5, columns: 4 }).end).toBe(5);
  });

  it('has as many columns as fit, one at least', () => {
    expect([columnsIn(100, 208, 12), columnsIn(427, 208, 12), columnsIn(428, 208, 12)]).toEqual([
      1, 1, 2,
    ]);
  });

  it('is gone through with keys, and scrolls no farther than it must', () => {
    expect(itemAfter('ArrowDown', 0, view)).toBe(1);
    expect(itemAfter('ArrowUp', 0, view)).toBe(0);
    expect(itemAfter('End', 5, view)).toBe(9999);
    expect(itemAfter('PageDown', 0, view)).toBe(10);
    expect(itemAfter('ArrowRight', 0, view)).toBeNull();
    expect(itemAfter('ArrowRight', 0, { ...view, columns: 3 })).toBe(1);
    expect(itemAfter('x', 0, view)).toBeNull();
    expect(scrollTo(5, view)).toBeNull();
    expect(scrollTo(10, view)).toBe(74);
    expect(scrollTo(2, { ...view, scrollTop: 740 })).toBe(148);
  });
});

describe('a history', () => {
  it('goes back and forth, and forgets what was undone with a new edit', () => {
    const edited = edit(edit(begin('a'), 'b', 'x', 0), 'c', 'y', 10);
    expect(undo(edited).now).toBe('b');
    expect(undo(undo(edited)).now).toBe('a');
    expect(undo(undo(undo(edited))).now).toBe('a');
    expect(redo(undo(edited)).now).toBe('c');
    expect(redo(edited)).toBe(edited);
    const other = edit(undo(edited), 'd', 'x', 20);
    expect(redo(other).now).toBe('d');
    expect(undo(other).now).toBe('b');
  });

  it('takes typing in one place for one step, until there is a pause', () => {
    let typed = begin('');
    for (const [index, text] of ['h', 'he', 'hey'].entries()) {
      typed = edit(typed, text, 'scene.0.text', index * 200);
    }
    expect(undo(typed).now).toBe('');
    expect(undo(edit(typed, 'hey you', 'scene.0.text', 9000)).now).toBe('hey');
    expect(undo(edit(typed, 'other', 'scene.1.text', 500)).now).toBe('hey');
    expect(edit(typed, 'hey', 'scene.0.text', 600)).toBe(typed);
  });

  it('is bounded', () => {
    let long = begin(0);
    for (let step = 1; step <= STEPS_KEPT + 50; step++) long = edit(long, step, '', step);
    expect(long.past.length).toBe(STEPS_KEPT);
  });
});

describe('reads', () => {
  function sender(): { sent: (readonly string[])[]; batcher: Batcher<string>; run: () => void } {
    const sent: (readonly string[])[] = [];
    let run = (): void => undefined;
    const batcher = new Batcher(
      {
        alone: async (path) => (sent.push([path]), path),
        together: async (paths) => (sent.push(paths), paths),
        copy: (answer) => `copy of ${answer}`,
      },
      (later) => (run = later),
    );
    return { sent, batcher, run: () => run() };
  }

  it('that are wanted together travel together, alone alone, twice once', async () => {
    const { sent, batcher, run } = sender();
    const answers = ['/a', '/b', '/a'].map((path) => batcher.get(path));
    run();
    expect(await Promise.all(answers)).toEqual(['/a', '/b', 'copy of /a']);
    const alone = batcher.get('/c');
    run();
    await alone;
    expect(sent).toEqual([['/a', '/b'], ['/c']]);
  });

  it('never are more than the bound in one request', async () => {
    const { sent, batcher, run } = sender();
    const paths = Array.from({ length: BATCH_LIMIT + 1 }, (_, index) => `/${index}`);
    const answers = paths.map((path) => batcher.get(path));
    run();
    expect(await Promise.all(answers)).toEqual(paths);
    expect(sent.map(({ length }) => length).toSorted((a, b) => b - a)).toEqual([BATCH_LIMIT, 1]);
  });

  it('fail together where the request does', async () => {
    let run = (): void => undefined;
    const fail = (): Promise<never> => Promise.reject(new TypeError('no network'));
    const failing = { alone: fail, together: fail, copy: (answer: string) => answer };
    const batcher = new Batcher<string>(failing, (later) => (run = later));
    const answers = Promise.allSettled([batcher.get('/a'), batcher.get('/b')]);
    run();
    expect((await answers).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  });
});

describe('a failure', () => {
  it('is told by its status, with what the server says', () => {
    const body = { title: 'too many requests', detail: 'hide is asked for too often' };
    const error = errorOf(429, body, '12');
    expect([error.fault, error.detail, error.retryAfterS]).toEqual(['busy', body.detail, 12]);
    expect(errorOf(412, null).fault).toBe('conflict');
    expect(errorOf(401, 'x').fault).toBe('session');
    expect(errorOf(500, { title: 'internal', detail: null }).detail).toBe('internal');
    expect(errorOf(418, {}).fault).toBe('refused');
    expect(errorOf(503, {}, 'Sun, 22 Nov 2026').retryAfterS).toBeNull();
    expect(faultOf(new TypeError('Failed to fetch')).fault).toBe('unreachable');
    expect(faultOf(error)).toBe(error);
  });

  it('takes back what was shown, and only then', async () => {
    const shown: string[] = [];
    const deed = (send: () => Promise<string>) =>
      attempt({
        show: () => {
          shown.push('shown');
          return () => void shown.push('taken back');
        },
        send,
        settle: (answer) => void shown.push(answer),
        fail: ({ fault }) => void shown.push(fault),
      });
    expect(await deed(() => Promise.resolve('settled'))).toBe(true);
    expect(await deed(() => Promise.reject(errorOf(409, null)))).toBe(false);
    expect(shown).toEqual(['shown', 'settled', 'shown', 'taken back', 'conflict']);
  });
});

describe('a share', () => {
  it('is open until it ends or is revoked', () => {
    const at = Date.parse('2026-11-22T12:00:00Z');
    const share = { revoked: false, expires_at: '2026-11-22T12:00:01Z' };
    expect(stateOf(share, at)).toBe('open');
    expect(stateOf(share, at + 1000)).toBe('expired');
    expect(stateOf({ ...share, revoked: true }, at)).toBe('revoked');
    expect(stateOf({ revoked: false, expires_at: null }, at)).toBe('open');
  });

  it('lasts as the server reads it', () => {
    expect(LIFETIMES.map((one) => EXPIRIES[one])).toEqual(['1d', '7d', '30d', 'never']);
  });
});

it('a waveform is one closed outline within its bounds, however many peaks there are', () => {
  for (const count of [1, 10, 400, 12_345]) {
    const path = outlineOf(
      Array.from({ length: count }, (_, index) => index % 256),
      400,
      48,
    );
    const numbers = [...path.matchAll(/[\d.-]+/g)].map(Number);
    expect(Math.max(...numbers)).toBeLessThanOrEqual(400);
    expect(Math.min(...numbers)).toBeGreaterThanOrEqual(0);
    expect(path).toMatch(/^M0 24L.*Z$/);
  }
  expect(outlineOf([], 400, 48)).toBe('');
});
