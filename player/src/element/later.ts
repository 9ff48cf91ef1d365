/**
 * Loads the extras once, when one of them is wanted.
 */

import type { Extras, ExtrasContext } from './extras';

/** The extras of one element, as far as they are there. */
export class Later {
  #extras: Extras | null = null;
  #loading: Promise<Extras | null> | null = null;

  constructor(private readonly context: () => ExtrasContext) {}

  /** The extras, `null` until they were loaded. */
  get loaded(): Extras | null {
    return this.#extras;
  }

  /** Loads them; `null` where they can't be had, and then the next wish asks again. */
  load(): Promise<Extras | null> {
    this.#loading ??= import('./extras').then(
      ({ Extras: Made }) => (this.#extras = new Made(this.context())),
      () => (this.#loading = null),
    );
    return this.#loading;
  }

  /** Loads them and hands them over, where they can be had. */
  with(use: (extras: Extras) => void): void {
    void this.load().then((extras) => extras && use(extras));
  }
}
