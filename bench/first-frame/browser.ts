/**
 * Chromium as nobody watches it: its debugging protocol over a pipe, with nothing attached but what is asked for.
 *
 * Playwright attaches to every page and Worker and holds each until it has looked, which costs the sealed side, with its
 * three Workers, more than the other. Invariant: `close` leaves neither a process nor a file.
 */

import type { ChildProcess } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { END_LIMIT_MS, start } from '../../e2e/chromium.mjs';

/** An answer or an event of the protocol. */
interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: unknown;
  readonly result?: unknown;
  readonly error?: { readonly message: string };
}

interface Waiting {
  resolve(result: unknown): void;
  reject(error: Error): void;
}

/** A running browser. */
export class Browser {
  readonly #waiting = new Map<number, Waiting>();
  readonly #listeners = new Set<(method: string, params: unknown) => void>();
  readonly #commands: Writable;
  #nextId = 0;

  private constructor(
    child: ChildProcess,
    private readonly end: (graceMs: number) => Promise<void>,
  ) {
    this.#commands = child.stdio[3] as Writable;
    this.#read(child.stdio[4] as Readable);
    // A browser that has gone answers nothing any more; `exit` says so to everyone who waits.
    this.#commands.on('error', () => undefined);
    child.once('exit', (code) => this.#abandon(`Chromium ended with ${code}`));
    child.once('error', (error) => this.#abandon(`Chromium does not start: ${error.message}`));
  }

  static async start(...flags: string[]): Promise<Browser> {
    const outputs = ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'];
    const { child, end } = await start(['--remote-debugging-pipe', ...flags], outputs);
    return new Browser(child, end);
  }

  /** Sends a command, to the browser or to what `session` is attached to, and returns the answer. */
  send<T = unknown>(method: string, params: object = {}, session?: string): Promise<T> {
    const id = this.#nextId++;
    const command = { id, method, params, ...(session !== undefined && { sessionId: session }) };
    return new Promise<T>((resolve, reject) => {
      this.#waiting.set(id, { resolve: (result) => resolve(result as T), reject });
      this.#commands.write(`${JSON.stringify(command)}\0`);
    });
  }

  /** Hears every event until the function that it returns is called. */
  listen(listener: (method: string, params: unknown) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    this.send('Browser.close').catch(() => undefined);
    await this.end(END_LIMIT_MS);
  }

  #read(answers: Readable): void {
    let rest = '';
    answers.setEncoding('utf8');
    answers.on('data', (text: string) => {
      const messages = (rest + text).split('\0');
      rest = messages.pop() ?? '';
      for (const message of messages) this.#hear(JSON.parse(message) as Message);
    });
  }

  #hear({ id, method, params, result, error }: Message): void {
    if (method !== undefined)
      return this.#listeners.forEach((listener) => listener(method, params));
    const waiting = this.#waiting.get(id ?? -1);
    this.#waiting.delete(id ?? -1);
    if (error === undefined) waiting?.resolve(result);
    else waiting?.reject(new Error(error.message));
  }

  #abandon(why: string): void {
    for (const { reject } of this.#waiting.values()) reject(new Error(why));
    this.#waiting.clear();
  }
}
