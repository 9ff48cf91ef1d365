/**
 * What was edited, so that it can be undone and done again.
 *
 * Pure: a history is a value. Edits that follow each other quickly in one place are one step. Invariant: `now` is what
 * is shown; a new edit forgets what was undone.
 */

/** Steps that are kept. */
export const STEPS_KEPT = 200;

/** A history of values. */
export interface History<T> {
  readonly past: readonly T[];
  readonly now: T;
  readonly future: readonly T[];
  /** Which place the newest step is about, and when it was made: what joins it. */
  readonly place: string;
  readonly atMs: number;
}

/** Edits of one place within so long are one step. */
const JOINED_MS = 1500;

/** Begins a history. */
export function begin<T>(now: T): History<T> {
  return { past: [], now, future: [], place: '', atMs: Number.NEGATIVE_INFINITY };
}

/** Adds a step: what `place` became, and when. */
export function edit<T>(history: History<T>, next: T, place: string, atMs: number): History<T> {
  if (next === history.now) return history;
  const joins = place !== '' && place === history.place && atMs - history.atMs < JOINED_MS;
  const past = joins ? history.past : [...history.past, history.now].slice(-STEPS_KEPT);
  return { past, now: next, future: [], place, atMs };
}

/** Goes a step back. */
export function undo<T>(history: History<T>): History<T> {
  const now = history.past.at(-1);
  if (now === undefined) return history;
  return {
    ...begin(now),
    past: history.past.slice(0, -1),
    future: [history.now, ...history.future],
  };
}

/** Goes a step forth. */
export function redo<T>(history: History<T>): History<T> {
  const [now, ...future] = history.future;
  if (now === undefined) return history;
  return { ...begin(now), past: [...history.past, history.now], future };
}
