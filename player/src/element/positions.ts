/**
 * Where a viewer stopped watching each title, on this device.
 *
 * A list with a bound, the youngest last. It holds a hash and a second for each link, so that who
 * reads it learns neither which links were opened nor what they lead to. The viewer can switch it
 * off, which empties it.
 */

import type { Link } from '../protocol';
import { POSITIONS, type Shelf } from './shelf';

/** Titles that are remembered: above it the oldest goes. */
export const MAX_POSITIONS = 100;
/** Nearer than this to either end, there is nothing to continue. */
export const EDGE_S = 10;

const OFF = 'off';
const LABEL = 'veilcast/position/v1';
/** Bytes of the hash that are kept: no two links of a person will meet. */
const KEY_BYTES = 12;

type Entry = readonly [key: string, seconds: number];

function isEntry(entry: unknown): entry is Entry {
  if (!Array.isArray(entry)) return false;
  const [key, seconds] = entry as unknown[];
  return typeof key === 'string' && typeof seconds === 'number' && seconds >= 0;
}

/** Returns what a link's position is kept under. */
export async function positionKey({ gateway, grantId }: Link): Promise<string> {
  const text = new TextEncoder().encode([LABEL, gateway, grantId].join('\n'));
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', text));
  return btoa(String.fromCharCode(...hash.subarray(0, KEY_BYTES)));
}

/** The remembered positions. */
export class Positions {
  constructor(private readonly shelf: Shelf) {}

  /** Whether positions are remembered at all. */
  get isOn(): boolean {
    return this.shelf.read(POSITIONS) !== OFF;
  }

  set isOn(isOn: boolean) {
    this.shelf.write(POSITIONS, isOn ? null : OFF);
  }

  /** Returns the second to continue at, `null` where there is none. */
  recall(key: string): number | null {
    return this.#entries().find((entry) => entry[0] === key)?.[1] ?? null;
  }

  /**
   * Notes that a title of `duration` seconds is at `seconds`. Near its beginning what was noted
   * before stays; near its end it is forgotten.
   */
  note(key: string, seconds: number, duration: number): void {
    if (!this.isOn || seconds < EDGE_S) return;
    const entries = this.#entries();
    const others = entries.filter((entry) => entry[0] !== key);
    const isOver = seconds > duration - EDGE_S;
    if (isOver && others.length === entries.length) return;
    if (!isOver) others.push([key, Math.floor(seconds)]);
    this.shelf.write(POSITIONS, others.length === 0 ? null : others.slice(-MAX_POSITIONS));
  }

  #entries(): Entry[] {
    const kept = this.shelf.read(POSITIONS);
    return Array.isArray(kept) ? kept.filter((entry) => isEntry(entry)) : [];
  }
}
