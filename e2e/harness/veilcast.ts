/**
 * Drives the real binaries: a data folder of its own, imports, links, and a running `veilcast up`.
 *
 * Nothing here knows what is inside a sealed object; `bucket.ts` knows what lies where.
 */

import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { program, ROOT } from './programs';

const run = promisify(execFile);
const OUTPUT_LIMIT_BYTES = 16 << 20;
const READY_LIMIT_MS = 60_000;

/** What `veilcast share --json` answers. */
export interface Shared {
  readonly grant: string;
  readonly link: string;
}

/** A data folder with a studio and, while it is up, a gateway. */
export class Veilcast {
  private up: ChildProcess | undefined;
  private logText = '';

  private constructor(
    readonly data: string,
    private readonly variables: Record<string, string> = {},
  ) {}

  /** The house whose data folder is `data`; somebody else started it. */
  static at(data: string): Veilcast {
    return new Veilcast(data);
  }

  /** A new data folder; `variables` are in the environment of every command. */
  static async create(variables: Record<string, string> = {}): Promise<Veilcast> {
    return new Veilcast(await mkdtemp(join(tmpdir(), 'veilcast-e2e-')), variables);
  }

  /** What `veilcast up` and the gateway wrote to standard error so far. */
  get log(): string {
    return this.logText;
  }

  private get environment(): NodeJS.ProcessEnv {
    return { ...process.env, ...this.variables };
  }

  /** Runs a command and returns its JSON answer. */
  async run<T>(...args: string[]): Promise<T> {
    const command = ['--data', this.data, '--json', ...args];
    const settings = { maxBuffer: OUTPUT_LIMIT_BYTES, env: this.environment };
    const { stdout } = await run(program('veilcast'), command, settings);
    return JSON.parse(stdout) as T;
  }

  import(
    file: string,
    title: string,
    ladder = 'auto',
    ...flags: string[]
  ): Promise<{ id: string }> {
    return this.run('import', file, '--title', title, '--ladder', ladder, ...flags);
  }

  share(title: string, ...args: string[]): Promise<Shared> {
    return this.run('share', title, ...args);
  }

  /** Starts studio and gateway on a port that the system picks; the answer is the gateway's URL. */
  async start(...flags: string[]): Promise<string> {
    const args = ['--data', this.data, '--json', 'up', '--listen', '127.0.0.1:0', ...flags];
    const child = spawn(program('veilcast'), args, {
      env: this.environment,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.up = child;
    child.stderr.on('data', (text: Buffer) => (this.logText += text.toString()));
    const timer = setTimeout(() => child.kill('SIGKILL'), READY_LIMIT_MS);
    for await (const line of createInterface({ input: child.stdout })) {
      const event = JSON.parse(line) as { event?: string; url?: string };
      if (event.event === 'ready' && event.url) {
        clearTimeout(timer);
        return event.url;
      }
    }
    throw new Error(`veilcast up did not become ready: ${this.logText}`);
  }

  /** Has the gateway forget what it read: a playlist that was changed in the bucket shows within a minute otherwise. */
  async forgetAll(): Promise<void> {
    const read = async (name: string) => (await readFile(join(this.data, name), 'utf8')).trim();
    const [url, token] = await Promise.all([read('gateway.url'), read('gateway.admin')]);
    const headers = { authorization: `Bearer ${token}` };
    const answer = await fetch(`${url}/performance/gc`, { method: 'POST', headers });
    if (!answer.ok) throw new Error(`the gateway forgets nothing: ${answer.status}`);
  }

  /** Stops studio and gateway as Ctrl-C does. */
  async stop(): Promise<void> {
    const child = this.up;
    if (!child || child.exitCode !== null) return;
    const gone = new Promise((done) => child.once('exit', done));
    child.kill('SIGINT');
    await gone;
    this.up = undefined;
  }

  async destroy(): Promise<void> {
    await this.stop();
    await rm(this.data, { recursive: true, force: true });
  }
}

/** Where the samples are, if they are there. */
export function samplesFolder(): string {
  return process.env['VEILCAST_SAMPLES'] ?? join(ROOT, '../shared/samples');
}

/** The trailer from the samples, or a clip made by FFmpeg where there are none. */
export async function trailer(): Promise<string> {
  const sample = join(samplesFolder(), 'media/sintel_trailer-720p.mp4');
  return existsSync(sample) ? sample : ownClip();
}

/** 52 s of moving picture and sound at 720p, made once and kept below `target`. */
async function ownClip(): Promise<string> {
  const clip = join(ROOT, 'target/tmp/e2e-clip.mp4');
  if (existsSync(clip)) return clip;
  await mkdir(dirname(clip), { recursive: true });
  const part = `${clip}.${process.pid}.mp4`;
  const picture = 'testsrc2=size=1280x720:rate=24:duration=52';
  const sound = 'sine=frequency=330:beep_factor=3:duration=52';
  const inputs = ['-f', 'lavfi', '-i', picture, '-f', 'lavfi', '-i', sound];
  const codecs = ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-c:a', 'aac'];
  await run('ffmpeg', ['-v', 'error', '-y', ...inputs, ...codecs, '-shortest', part]);
  await rename(part, clip);
  return clip;
}
