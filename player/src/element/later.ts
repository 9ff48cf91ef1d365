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
    this.#loading ??= this.#make().catch(() => (this.#loading = null));
    return this.#loading;
  }

  async #make(): Promise<Extras> {
    const context = this.context();
    const [{ Extras: Made }] = await Promise.all([import('./extras'), context.words.complete()]);
    return (this.#extras = new Made(context));
  }

  /** Loads them and hands them over, where they can be had. */
  with(use: (extras: Extras) => void): void {
    void this.load().then((extras) => extras && use(extras));
  }
}
