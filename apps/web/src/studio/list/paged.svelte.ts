/**
 * A list that comes from the server page by page, as far as somebody looks.
 *
 * Knows nothing of what the items are. Invariants: pages are asked for one after the other, since each names the next;
 * an answer to a question that was asked anew meanwhile is dropped; what was there stays until its successor is.
 */

import { untrack } from 'svelte';
import { faultOf, type ApiError } from '../api/problem';

/** One page. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly next: string | null;
  readonly total: number;
}

/** Asks for a page: the one after a cursor, the first for `null`. */
export type Ask<T> = (after: string | null, limit: number) => Promise<Page<T>>;

const FIRST_PAGE = 100;
const PAGE = 500;

/** The list. */
export class Paged<T extends { readonly id: string }> {
  items: readonly T[] = $state.raw([]);
  /** How many there are on the server; `null` until it was asked. */
  total: number | null = $state(null);
  error: ApiError | null = $state.raw(null);

  #next: string | null = null;
  #wanted = 0;
  #round = 0;
  #isAsking = false;

  constructor(private readonly ask: Ask<T>) {}

  /** Begins anew, with what is there still shown. */
  async reload(): Promise<void> {
    const round = ++this.#round;
    // An effect that asks must not be run anew by what it asked for.
    const length = untrack(() => this.items.length);
    const seen = Math.max(FIRST_PAGE, Math.min(length, PAGE));
    try {
      const page = await this.ask(null, seen);
      if (round !== this.#round) return;
      this.items = page.items;
      this.total = page.total;
      this.#next = page.next;
      this.error = null;
    } catch (error) {
      if (round === this.#round) this.error = faultOf(error);
      return;
    }
    await this.#goOn();
  }

  /** Asks for more until the item of this index is there, or the list ends. */
  async reach(index: number): Promise<void> {
    this.#wanted = Math.max(this.#wanted, index + 1);
    await this.#goOn();
  }

  /** Puts another item in the place of the one with its id, or nothing. */
  replace(id: string, item: T | null): void {
    const { length } = this.items;
    this.items = this.items.flatMap((one) => (one.id === id ? (item === null ? [] : [item]) : one));
    if (this.total !== null) this.total -= length - this.items.length;
  }

  async #goOn(): Promise<void> {
    if (this.#isAsking) return;
    this.#isAsking = true;
    try {
      while (this.#next !== null && untrack(() => this.items.length) < this.#wanted) {
        const round = this.#round;
        const page = await this.ask(this.#next, PAGE);
        if (round !== this.#round) continue;
        const known = new Set(this.items.map(({ id }) => id));
        this.items = [...this.items, ...page.items.filter(({ id }) => !known.has(id))];
        this.total = page.total;
        this.#next = page.next;
      }
      this.error = null;
    } catch (error) {
      this.error = faultOf(error);
    } finally {
      this.#isAsking = false;
    }
  }
}
