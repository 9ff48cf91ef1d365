/**
 * A gateway of its own over a house's bucket, with a configuration that a test chooses; it may stop and come back.
 *
 * The real binary, with the credential that `veilcast up` uses. The gateway of `veilcast up` serves all other tests, so it stays
 * as it is.
 */

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Running } from './server';

/** A gateway that can go away and come back. */
export class OwnGateway {
  private constructor(
    private readonly folder: string,
    private readonly data: string,
    private readonly more: string,
    private running: Running<{ url: string }> | null,
    /** Where it listens; the same each time. */
    readonly url: string,
  ) {}

  /** Starts one over the bucket of the data folder `data`; `more` is added to its configuration. */
  static async start(data: string, more = ''): Promise<OwnGateway> {
    const folder = await mkdtemp(join(tmpdir(), 'veilcast-gateway-'));
    const running = await begin(folder, data, '127.0.0.1:0', more);
    return new OwnGateway(folder, data, more, running, running.said.url);
  }

  /** Starts it again. */
  async start(): Promise<void> {
    this.running = await begin(this.folder, this.data, new URL(this.url).host, this.more);
  }

  /** Ends it at once, as a crash would. */
  async kill(): Promise<void> {
    await this.running?.end('SIGKILL');
    this.running = null;
  }

  async destroy(): Promise<void> {
    await this.kill();
    await rm(this.folder, { recursive: true, force: true });
  }
}

async function begin(
  folder: string,
  data: string,
  listen: string,
  more: string,
): Promise<Running<{ url: string }>> {
  const config = join(folder, 'gateway.toml');
  const head = { bucket: join(data, 'bucket'), listen, credentials: join(data, 'gateway.toml') };
  const lines = Object.entries(head).map(([key, value]) => `${key} = ${JSON.stringify(value)}\n`);
  await writeFile(config, lines.join('') + more);
  return Running.start('veilcast-gateway', ['--config', config]);
}
