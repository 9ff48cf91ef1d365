/**
 * Which key does what.
 *
 * Pure: a key event goes in, a command comes out. The table is also what the help shows.
 */

/** What a key asks for. */
export type Command =
  | { readonly do: 'toggle-play' }
  | { readonly do: 'skip'; readonly seconds: number }
  | { readonly do: 'seek-fraction'; readonly fraction: number }
  | { readonly do: 'seek-end'; readonly end: 'start' | 'end' }
  | { readonly do: 'volume'; readonly by: number }
  | { readonly do: 'speed'; readonly by: number }
  | { readonly do: 'toggle-mute' }
  | { readonly do: 'toggle-fullscreen' }
  | { readonly do: 'toggle-captions' }
  | { readonly do: 'toggle-pip' }
  | { readonly do: 'toggle-help' };

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
  m: { do: 'toggle-mute' },
  f: { do: 'toggle-fullscreen' },
  c: { do: 'toggle-captions' },
  p: { do: 'toggle-pip' },
  '<': { do: 'speed', by: -1 },
  '>': { do: 'speed', by: 1 },
  '?': { do: 'toggle-help' },
};

/** The keys as the help lists them. */
export const KEY_HELP: readonly (readonly [keys: string, what: string])[] = [
  ['Space, K', 'Play or pause'],
  ['← →', '5 seconds back or forward'],
  ['J L', '10 seconds back or forward'],
  ['0 – 9', 'Jump to tenths of the video'],
  ['Home End', 'Beginning or end'],
  ['↑ ↓', 'Louder or softer'],
  ['M', 'Sound on or off'],
  ['C', 'Captions on or off'],
  ['F', 'Full screen'],
  ['P', 'Picture in picture'],
  ['< >', 'Slower or faster'],
  ['?', 'This list'],
];

/** The facts of a key event that matter. */
export type Key = Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'altKey' | 'metaKey'>;

/** Returns what a key asks for, or `null` where it is not the player's. */
export function commandOf({ key, ctrlKey, altKey, metaKey }: Key): Command | null {
  if (ctrlKey || altKey || metaKey) return null;
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
