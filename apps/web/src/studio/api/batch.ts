/**
 * Small reads that are wanted at the same moment travel in one request.
 *
 * Knows nothing of HTTP but statuses: who sends is an argument. Invariants: a read that is wanted alone goes alone,
 * one that is wanted twice goes once, and no more than the server's bound go together.
 */

/** What is answered to one read. */
export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** How reads are sent. */
export interface Sender {
  alone(path: string): Promise<Answer>;
  /** Answers in the order of `paths`. */
  together(paths: readonly string[]): Promise<readonly Answer[]>;
}

/** Most reads in one request; the server's bound. */
export const BATCH_LIMIT = 50;

interface Waiting {
  readonly path: string;
  readonly answer: Promise<Answer>;
  readonly settle: (answer: Answer) => void;
  readonly fail: (error: unknown) => void;
}

/** Collects reads until `later` runs what it is given. */
export class Batcher {
  #waiting: Waiting[] = [];

  constructor(
    private readonly sender: Sender,
    private readonly later: (run: () => void) => void,
  ) {}

  /** Reads a path. */
  get(path: string): Promise<Answer> {
    const known = this.#waiting.find((one) => one.path === path);
    if (known !== undefined) return known.answer;
    const { promise, resolve, reject } = deferred<Answer>();
    if (this.#waiting.length === 0) this.later(() => void this.#send());
    this.#waiting.push({ path, answer: promise, settle: resolve, fail: reject });
    return promise;
  }

  async #send(): Promise<void> {
    const all = this.#waiting;
    this.#waiting = [];
    const parts = Array.from({ length: Math.ceil(all.length / BATCH_LIMIT) }, (_, index) =>
      all.slice(index * BATCH_LIMIT, (index + 1) * BATCH_LIMIT),
    );
    await Promise.all(parts.map((part) => this.#sendPart(part)));
  }

  async #sendPart(part: readonly Waiting[]): Promise<void> {
    const [first] = part;
    try {
      const answers =
        part.length === 1 && first !== undefined
          ? [await this.sender.alone(first.path)]
          : await this.sender.together(part.map(({ path }) => path));
      for (const [index, one] of part.entries()) {
        const answer = answers[index];
        if (answer === undefined) one.fail(new Error('a read was left without an answer'));
        else one.settle(answer);
      }
    } catch (error) {
      for (const one of part) one.fail(error);
    }
  }
}

function deferred<T>(): {
  promise: Promise<T>;
  resolve: (value: T) => void;
  reject: (error: unknown) => void;
} {
  let resolve: (value: T) => void = () => undefined;
  let reject: (error: unknown) => void = () => undefined;
  const promise = new Promise<T>((done, failed) => {
    resolve = done;
    reject = failed;
  });
  return { promise, resolve, reject };
}
