/**
 * Which key does what.
 *
 * Pure: a key event goes in, a command comes out. What the keys are called is in `help.ts`.
 */

/** What a key asks for. */
export type Command =
  | { readonly do: 'toggle-play' }
  | { readonly do: 'skip'; readonly seconds: number }
  | { readonly do: 'frame'; readonly by: number }
  | { readonly do: 'chapter'; readonly by: number }
  | { readonly do: 'seek-fraction'; readonly fraction: number }
  | { readonly do: 'seek-end'; readonly end: 'start' | 'end' }
  | { readonly do: 'volume'; readonly by: number }
  | { readonly do: 'speed'; readonly by: number }
  | { readonly do: 'toggle-mute' }
  | { readonly do: 'toggle-fullscreen' }
  | { readonly do: 'toggle-captions' }
  | { readonly do: 'toggle-pip' }
  | { readonly do: 'toggle-statistics' }
  | { readonly do: 'toggle-help' };

/** A command that nobody gives before the first play. */
export type LateCommand = Extract<
  Command,
  { readonly do: 'frame' | 'chapter' | 'speed' | 'toggle-captions' }
>;

const COMMANDS: Readonly<Record<string, Command>> = {
  ' ': { do: 'toggle-play' },
  k: { do: 'toggle-play' },
  j: { do: 'skip', seconds: -10 },
  l: { do: 'skip', seconds: 10 },
  ArrowLeft: { do: 'skip', seconds: -5 },
  ArrowRight: { do: 'skip', seconds: 5 },
  ArrowUp: { do: 'volume', by: 0.05 },
  ArrowDown: { do: 'volume', by: -0.05 },
  Home: { do: 'seek-end', end: 'start' },
  End: { do: 'seek-end', end: 'end' },
  ',': { do: 'frame', by: -1 },
  '.': { do: 'frame', by: 1 },
  m: { do: 'toggle-mute' },
  f: { do: 'toggle-fullscreen' },
  c: { do: 'toggle-captions' },
  p: { do: 'toggle-pip' },
  i: { do: 'toggle-statistics' },
  '<': { do: 'speed', by: -1 },
  '>': { do: 'speed', by: 1 },
  '?': { do: 'toggle-help' },
};

/** Keys that lead from chapter to chapter while Shift or Ctrl is held. */
const CHAPTERS: Readonly<Record<string, Command>> = {
  ArrowLeft: { do: 'chapter', by: -1 },
  ArrowRight: { do: 'chapter', by: 1 },
};

/** The facts of a key event that matter. */
export type Key = Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'altKey' | 'metaKey' | 'shiftKey'>;

/** Returns what a key asks for, or `null` where it is not the player's. */
export function commandOf({ key, ctrlKey, altKey, metaKey, shiftKey }: Key): Command | null {
  if (altKey || metaKey) return null;
  if ((ctrlKey || shiftKey) && Object.hasOwn(CHAPTERS, key)) return CHAPTERS[key] ?? null;
  if (ctrlKey) return null;
  if (/^[0-9]$/.test(key)) return { do: 'seek-fraction', fraction: Number(key) / 10 };
  const name = key.length === 1 ? key.toLowerCase() : key;
  return Object.hasOwn(COMMANDS, name) ? (COMMANDS[name] ?? null) : null;
}

/** Speeds that a viewer can choose. */
export const SPEEDS: readonly number[] = [0.5, 0.75, 1, 1.25, 1.5, 1.75, 2];

/** Returns the next slower (`-1`) or faster (`1`) speed. */
export function stepSpeed(current: number, by: number): number {
  const nearest = SPEEDS.reduce((best, speed) =>
    Math.abs(speed - current) < Math.abs(best - current) ? speed : best,
  );
  const index = SPEEDS.indexOf(nearest) + by;
  return SPEEDS[Math.min(Math.max(index, 0), SPEEDS.length - 1)] ?? 1;
}
