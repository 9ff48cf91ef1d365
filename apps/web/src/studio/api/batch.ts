/**
 * Small reads that are wanted at the same moment travel in one request.
 *
 * Knows nothing of HTTP but statuses: who sends is an argument. Invariants: a read that is wanted alone goes alone,
 * one that is wanted twice goes once, and no more than the server's bound go together.
 */

/** How reads are sent; `T` is what is answered. */
export interface Sender<T> {
  alone(path: string): Promise<T>;
  /** Answers in the order of `paths`. */
  together(paths: readonly string[]): Promise<readonly T[]>;
  /** An answer for somebody else who asked the same. */
  copy(answer: T): T;
}

/** Most reads in one request; the server's bound. */
export const BATCH_LIMIT = 50;

interface Asker<T> {
  readonly settle: (answer: T) => void;
  readonly fail: (error: unknown) => void;
}

interface Waiting<T> {
  readonly path: string;
  readonly askers: Asker<T>[];
}

/** Collects reads until `later` runs what it is given. */
export class Batcher<T> {
  #waiting: Waiting<T>[] = [];

  constructor(
    private readonly sender: Sender<T>,
    private readonly later: (run: () => void) => void,
  ) {}

  /** Reads a path. */
  get(path: string): Promise<T> {
    return new Promise((settle, fail) => {
      const known = this.#waiting.find((one) => one.path === path);
      if (known !== undefined) {
        known.askers.push({ settle, fail });
        return;
      }
      if (this.#waiting.length === 0) this.later(() => void this.#send());
      this.#waiting.push({ path, askers: [{ settle, fail }] });
    });
  }

  async #send(): Promise<void> {
    const all = this.#waiting;
    this.#waiting = [];
    const parts = Array.from({ length: Math.ceil(all.length / BATCH_LIMIT) }, (_, index) =>
      all.slice(index * BATCH_LIMIT, (index + 1) * BATCH_LIMIT),
    );
    await Promise.all(parts.map((part) => this.#sendPart(part)));
  }

  async #sendPart(part: readonly Waiting<T>[]): Promise<void> {
    const [first] = part;
    try {
      const answers =
        part.length === 1 && first !== undefined
          ? [await this.sender.alone(first.path)]
          : await this.sender.together(part.map(({ path }) => path));
      for (const [index, { askers }] of part.entries()) {
        const answer = answers[index];
        if (answer === undefined) throw new Error('a read was left without an answer');
        for (const { settle } of askers.slice(1)) settle(this.sender.copy(answer));
        askers[0]?.settle(answer);
      }
    } catch (error) {
      for (const { askers } of part) for (const { fail } of askers) fail(error);
    }
  }
}
