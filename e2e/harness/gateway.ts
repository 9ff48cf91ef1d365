/**
 * A gateway of its own over a house's bucket, with a configuration that a test chooses.
 *
 * The real binary, with the credential that `veilcast up` uses. Port by the system.
 */

import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { program } from './programs';
import type { Veilcast } from './veilcast';

const READY_LIMIT_MS = 30_000;

/** A running gateway. */
export class OwnGateway {
  private constructor(
    private readonly child: ChildProcess,
    private readonly folder: string,
    readonly url: string,
  ) {}

  /** Starts one over the bucket of `house`; `more` is added to its configuration. */
  static async start(house: Veilcast, more = ''): Promise<OwnGateway> {
    const folder = await mkdtemp(join(tmpdir(), 'veilcast-gateway-'));
    const config = join(folder, 'gateway.toml');
    const credentials = join(house.data, 'gateway.toml');
    const head = { bucket: join(house.data, 'bucket'), listen: '127.0.0.1:0', credentials };
    const lines = Object.entries(head).map(([key, value]) => `${key} = ${JSON.stringify(value)}\n`);
    await writeFile(config, lines.join('') + more);
    const child = spawn(program('veilcast-gateway'), ['--config', config], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const timer = setTimeout(() => child.kill('SIGKILL'), READY_LIMIT_MS);
    for await (const line of createInterface({ input: child.stdout })) {
      clearTimeout(timer);
      return new OwnGateway(child, folder, (JSON.parse(line) as { url: string }).url);
    }
    throw new Error('the gateway ended before it was ready');
  }

  /** Ends it at once, as a crash would. */
  async kill(): Promise<void> {
    const gone = new Promise((done) => this.child.once('exit', done));
    this.child.kill('SIGKILL');
    await gone;
    await rm(this.folder, { recursive: true, force: true });
  }
}
