/**
 * What the player keeps on this device: small choices of the viewer, in `localStorage`.
 *
 * Never a key, a secret or a title's name. A browser that keeps nothing for the page is no fault:
 * then nothing is remembered.
 */

/** What of a storage is used. */
export type Storage = Pick<globalThis.Storage, 'getItem' | 'setItem' | 'removeItem'>;

const PREFIX = 'veilcast.';

/** Where positions are kept: `positions.ts`. */
export const POSITIONS = 'positions';

/** The browser's storage for this page, `null` where it is switched off. */
export function deviceStorage(): Storage | null {
  try {
    return globalThis.localStorage;
  } catch {
    return null;
  }
}

/** Small values by name, as JSON. */
export class Shelf {
  constructor(private readonly storage: Storage | null) {}

  /** Reads a value; `null` where there is none or where it can't be read. */
  read(name: string): unknown {
    try {
      return JSON.parse(this.storage?.getItem(PREFIX + name) ?? 'null');
    } catch {
      return null;
    }
  }

  /** Keeps a value, `null` to forget it. */
  write(name: string, value: unknown): void {
    try {
      if (value === null) this.storage?.removeItem(PREFIX + name);
      else this.storage?.setItem(PREFIX + name, JSON.stringify(value));
    } catch {
      // The storage is full or locked: it stays as it is.
    }
  }
}
