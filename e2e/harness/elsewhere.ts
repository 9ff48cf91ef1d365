/**
 * A gateway of its own over a house's bucket, which tests may stop, and a web host that knows nothing of it.
 *
 * The gateway that `veilcast up` started serves all other tests, so it stays as it is.
 */

import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { program } from './programs';

/** A gateway that can go away and come back. */
export class OwnGateway {
  #child: ChildProcess | null = null;

  private constructor(
    private readonly folder: string,
    private readonly data: string,
    private readonly origins: readonly string[],
    /** Where it listens; the same each time. */
    readonly url: string,
  ) {}

  /** Starts one over the bucket of the data folder `data`, for its own page and those of `origins`. */
  static async start(data: string, origins: readonly string[] = []): Promise<OwnGateway> {
    const folder = await mkdtemp(join(tmpdir(), 'veilcast-gateway-'));
    const gateway = new OwnGateway(folder, data, origins, `http://127.0.0.1:${await freePort()}`);
    await gateway.start();
    return gateway;
  }

  async start(): Promise<void> {
    const config = join(this.folder, 'gateway.toml');
    const list = this.origins.map((origin) => `"${origin}"`).join(', ');
    const lines = [
      `bucket = "${join(this.data, 'bucket')}"`,
      `credentials = "${join(this.data, 'gateway.toml')}"`,
      `listen = "${new URL(this.url).host}"`,
      `[cors]\norigins = [${list}]`,
    ];
    await writeFile(config, `${lines.join('\n')}\n`);
    const stdio: ['ignore', 'pipe', 'ignore'] = ['ignore', 'pipe', 'ignore'];
    const child = spawn(program('veilcast-gateway'), ['--config', config], { stdio });
    this.#child = child;
    for await (const line of createInterface({ input: child.stdout })) {
      if ((JSON.parse(line) as { url?: string }).url) return;
    }
    throw new Error('the gateway did not become ready');
  }

  /** Ends it at once, as a network that is gone does. */
  async stop(): Promise<void> {
    const child = this.#child;
    if (child === null) return;
    const gone = new Promise((done) => child.once('exit', done));
    child.kill('SIGKILL');
    await gone;
    this.#child = null;
  }

  async destroy(): Promise<void> {
    await this.stop();
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** A port that nobody has at the moment. */
async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listen(server);
  await new Promise((done) => server.close(done));
  return port;
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return (server.address() as AddressInfo).port;
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.webmanifest': 'application/manifest+json',
};

/** A web host with a folder of files: a folder's address gives its `index.html`, and nothing else is known. */
export class WebHost {
  private constructor(
    private readonly server: Server,
    readonly folder: string,
    readonly origin: string,
    /** What it was asked for, paths with queries. */
    readonly asked: string[],
  ) {}

  /** Serves the folder below `/ours/`; `heads` has headers for each path, as a host's configuration would. */
  static async start(heads: (path: string) => Promise<Record<string, string>>): Promise<WebHost> {
    const folder = await mkdtemp(join(tmpdir(), 'veilcast-site-'));
    const asked: string[] = [];
    const server = createServer((request, response) => {
      const path = (request.url ?? '').replace(/^\/ours/, '');
      asked.push(request.url ?? '');
      const file = join(folder, path.endsWith('/') ? `${path}index.html` : path);
      Promise.all([readFile(file), heads(path)]).then(
        ([bytes, head]) => {
          const type = TYPES[extname(file)] ?? 'application/octet-stream';
          response.writeHead(200, { 'content-type': type, ...head }).end(bytes);
        },
        () => response.writeHead(404).end(),
      );
    });
    const origin = `http://127.0.0.1:${await listen(server)}`;
    return new WebHost(server, folder, origin, asked);
  }

  /** Where the page lies. */
  get page(): string {
    return `${this.origin}/ours`;
  }

  async destroy(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** Reads `_headers` as hosts do that know it: what stands below a pattern is for each path that it matches. */
export async function headersOf(folder: string, path: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  let isFor = false;
  for (const line of (await readFile(join(folder, '_headers'), 'utf8')).split('\n')) {
    if (line.startsWith('/')) {
      isFor = line.endsWith('*') ? path.startsWith(line.slice(0, -1)) : path === line;
    } else if (isFor && line.startsWith('  ')) {
      const at = line.indexOf(':');
      found[line.slice(2, at)] = line.slice(at + 1).trim();
    }
  }
  return found;
}
