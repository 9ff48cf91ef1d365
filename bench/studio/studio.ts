/**
 * A studio's process: asked by its interface, and looked at by what the kernel counts of it.
 *
 * Knows nothing of what is compared. Invariant: whatever it writes for a while lies in a folder of its own, so that what it leaves is seen.
 */

import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

const ENDED = ['done', 'failed', 'cancelled'];
const ASK_EVERY_MS = 100;
const LOOK_EVERY_MS = 25;
/** What the kernel counts time in, on every Linux that this runs on. */
const TICK_MS = 10;

/** Something that goes on until it is ended. */
interface Ongoing<T> {
  end(): Promise<T>;
}

interface Job {
  readonly state: string;
  readonly error: string | null;
}

export class Studio {
  private constructor(
    private readonly child: ChildProcess,
    private readonly folder: string,
    /** The printed address. */
    readonly url: string,
  ) {}

  /** Starts the program with a new data folder in `folder`. */
  static async start(program: string, folder: string): Promise<Studio> {
    mkdirSync(join(folder, 'temporary'));
    const child = spawn(program, ['--data', join(folder, 'data'), '--json', 'studio'], {
      env: { ...process.env, TMPDIR: join(folder, 'temporary') },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    for await (const line of createInterface({ input: child.stdout })) {
      return new Studio(child, folder, (JSON.parse(line) as { url: string }).url);
    }
    throw new Error('the studio ended before it answered');
  }

  /** Makes a production's video. */
  async make(document: object): Promise<void> {
    const body = { name: (document as { title: string }).title, document };
    const { id } = await this.ask<{ id: string }>('POST', '/v1/productions', body);
    await this.ask('POST', '/v1/jobs', { kind: 'make', production: id });
  }

  async isBusy(): Promise<boolean> {
    const { running, pending } = await this.ask<{ running: number; pending: number }>(
      'GET',
      '/v1/queue',
    );
    return running + pending > 0;
  }

  /** Waits until nothing is to be made any more; what failed is an error. */
  async isDone(): Promise<void> {
    while (await this.isBusy()) await sleep(ASK_EVERY_MS);
    const { items } = await this.ask<{ items: Job[] }>('GET', '/v1/jobs?limit=500');
    const wrong = items.find(({ state }) => ENDED.includes(state) && state !== 'done');
    if (wrong) throw new Error(`a job ended as ${wrong.state}: ${wrong.error}`);
  }

  /** Asks for paths in turn; at the end tells how long each answer took, in milliseconds. */
  read(paths: readonly string[], everyMs: number): Ongoing<number[]> {
    const took: number[] = [];
    const over = new AbortController();
    const asking = (async () => {
      while (!over.signal.aborted) {
        for (const path of paths) {
          const begun = performance.now();
          await this.ask('GET', path);
          took.push(performance.now() - begun);
          await sleep(everyMs);
        }
      }
    })();
    return {
      end: async () => {
        over.abort();
        await asking;
        return took;
      },
    };
  }

  /** Looks at its memory; at the end tells the most that it held. */
  watchMemory(): Ongoing<number> {
    let most = 0;
    const timer = setInterval(() => (most = Math.max(most, this.rssBytes())), LOOK_EVERY_MS);
    return {
      end: async () => {
        clearInterval(timer);
        return most;
      },
    };
  }

  rssBytes(): number {
    const [, kib] = /VmRSS:\s+(\d+)/.exec(this.proc('status')) ?? [];
    return Number(kib) * 1024;
  }

  /** Processor time of the process itself. */
  cpuMs(): number {
    const stat = this.proc('stat');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
  }

  /** The names of the processes below it. */
  processesLeft(): string[] {
    const all = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
    return all.flatMap((pid) => {
      try {
        const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
        const [, name = '', parent] = /\((.*)\) \S (\d+)/.exec(stat) ?? [];
        return Number(parent) === this.child.pid ? [name] : [];
      } catch {
        return [];
      }
    });
  }

  /** Files that nobody needs any more: temporary ones, and parts of what was being made. */
  filesLeft(): string[] {
    const temporary = readdirSync(join(this.folder, 'temporary'));
    const all = readdirSync(join(this.folder, 'data'), { recursive: true, encoding: 'utf8' });
    return [...temporary, ...all.filter((name) => /\.(part|tmp|new)$/.test(name))];
  }

  async end(): Promise<void> {
    const gone = new Promise((done) => this.child.once('exit', done));
    this.child.kill('SIGTERM');
    await gone;
  }

  private proc(name: string): string {
    return readFileSync(`/proc/${this.child.pid}/${name}`, 'utf8');
  }

  private async ask<T>(method: string, path: string, body?: object): Promise<T> {
    const [origin, token] = this.url.split('/#token=') as [string, string];
    const answer = await fetch(`${origin}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body && { body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as T;
  }
}
