/**
 * Servers that tests start: programs that say in a line of JSON where they answer, and end when they are told to.
 */

import { spawn, type ChildProcess } from 'node:child_process';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { program } from './programs';

const START_LIMIT_MS = 60_000;

/** A program that answers. */
export class Running<T> {
  private constructor(
    private readonly child: ChildProcess,
    /** The first line that it printed. */
    readonly said: T,
  ) {}

  /** Starts one of our programs and waits for its first line. Its standard input stays open until it is ended. */
  static async start<T>(
    name: string,
    args: string[] = [],
    variables: Record<string, string> = {},
  ): Promise<Running<T>> {
    const env = { ...process.env, ...variables };
    const child = spawn(program(name), args, { env, stdio: ['pipe', 'pipe', 'pipe'] });
    let told = '';
    child.stderr.on('data', (text: Buffer) => (told = (told + text.toString()).slice(-4000)));
    const timer = setTimeout(() => child.kill('SIGKILL'), START_LIMIT_MS);
    for await (const line of createInterface({ input: child.stdout })) {
      clearTimeout(timer);
      return new Running(child, JSON.parse(line) as T);
    }
    throw new Error(`${name} ended before it answered: ${told}`);
  }

  async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    if (this.child.exitCode !== null) return;
    const gone = new Promise((done) => this.child.once('exit', done));
    this.child.kill(signal);
    await gone;
  }
}

/** Answers on a port that the system picks; the second part is the origin. */
export async function listen(answer: RequestListener): Promise<[Server, string]> {
  const server = createServer(answer);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return [server, `http://127.0.0.1:${(server.address() as AddressInfo).port}`];
}
