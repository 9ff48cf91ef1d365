/** A web host that knows nothing of the gateway. */

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { listen } from './server';

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
    const [server, origin] = await listen((request, response) => {
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
