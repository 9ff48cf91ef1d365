/**
 * A plain static server: everything in memory from the start, kept-alive connections, compressed forms made beforehand.
 *
 * It does nothing per request but look up a path, which is as little as any server does.
 */

import { readdir, readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';

/** A file and how it is served. */
interface File {
  readonly type: string;
  readonly cache: string;
  readonly body: Buffer;
  readonly brotli?: Buffer | undefined;
}

/** Files by path. */
export type Files = Map<string, File>;

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
};

/** The page is by itself in its process, as the watch page is: else its memory can't be asked for. */
const ISOLATED = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
} as const;

/** A server on a port that the system picks. */
export class FileServer {
  readonly #files: Files = new Map();
  readonly #server: Server = createServer((request, response) => this.#answer(request, response));

  add(files: Files): void {
    for (const [path, file] of files) this.#files.set(path, file);
  }

  /** Adds what lies in a folder that a build wrote: names with hashes below `assets`, compressed siblings. */
  async addFolder(folder: string): Promise<void> {
    for (const name of await readdir(folder, { recursive: true })) {
      const type = TYPES[extname(name)];
      if (type === undefined) continue;
      const cache = name.startsWith('assets') ? 'public, max-age=31536000, immutable' : 'no-cache';
      const body = await readFile(join(folder, name));
      const brotli = await readFile(join(folder, `${name}.br`)).catch(() => undefined);
      this.#files.set(`/${name}`, { type, cache, body, brotli });
    }
  }

  /** Returns the origin. */
  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  #answer({ url, headers }: IncomingMessage, response: ServerResponse): void {
    const file = this.#files.get(url?.split('?')[0] ?? '');
    if (file === undefined) return void response.writeHead(404).end();
    const { type, cache, body, brotli } = file;
    const isCompressed = brotli !== undefined && /\bbr\b/.test(String(headers['accept-encoding']));
    const bytes = isCompressed ? brotli : body;
    response.writeHead(200, {
      ...ISOLATED,
      'content-type': type,
      'content-length': bytes.length,
      'cache-control': cache,
      ...(isCompressed && { 'content-encoding': 'br' }),
    });
    response.end(bytes);
  }
}
