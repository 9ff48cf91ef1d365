/**
 * A studio, an S3 store, and a gateway of each kind over it: the whole way from a file to a viewer.
 *
 * Store, gateways and the public domain are programs and origins of their own, as they would be on different machines. The
 * bucket has a prefix, so that nobody takes a key for a path by luck.
 */

import { createReadStream } from 'node:fs';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { listen, Running } from './server';
import { Veilcast } from './veilcast';

/** What `testkit-s3` says when it answers. */
export interface Store {
  /** `s3://videos?endpoint=…&region=…`. */
  readonly url: string;
  /** The folder that has the bucket's objects as files. */
  readonly folder: string;
  /** The credential, as AWS's variables. */
  readonly variables: Record<string, string>;
}

/** Where a gateway has its viewers fetch objects. */
export type Mode = 'local' | 'presigned' | 'public';
export const MODES: readonly Mode[] = ['local', 'presigned', 'public'];

const PREFIX = 'films';

/** One gateway: where it answers, and the origin that its objects come from. */
interface Door {
  readonly url: string;
  readonly objects: string;
}

/** All of it. */
export class Street {
  private constructor(
    private readonly folder: string,
    private readonly children: Running<unknown>[],
    private readonly domain: Server,
    readonly house: Veilcast,
    readonly bucket: string,
    readonly doors: Readonly<Record<Mode, Door>>,
  ) {}

  static async create(): Promise<Street> {
    const folder = await mkdtemp(join(tmpdir(), 'veilcast-street-'));
    const s3 = await Running.start<Store>('testkit-s3');
    const store = s3.said;
    const [domain, domainOrigin] = await serveDomain(join(store.folder, PREFIX));
    const bucket = store.url.replace('?', `/${PREFIX}?`);
    const place = new URL(store.url);
    const endpoint = place.searchParams.get('endpoint') ?? '';
    const region = place.searchParams.get('region') ?? '';
    const urls = {
      local: '',
      presigned: `endpoint = "${endpoint}"\nbucket = "${place.host}"\nregion = "${region}"\n`,
      public: `endpoint = "${domainOrigin}"\n`,
    };
    const children: Running<unknown>[] = [];
    const door = async (mode: Mode, objects: string | undefined) => {
      const table = urls[mode] && `${urls[mode]}prefix = "${PREFIX}"\n`;
      const config = await configure(folder, store, bucket, mode, table);
      const args = ['gateway', '--config', config];
      const gateway = await Running.start<{ url: string }>('veilcast', args, store.variables);
      children.push(gateway);
      return { url: gateway.said.url, objects: objects ?? gateway.said.url };
    };
    const doors = {
      local: await door('local', undefined),
      presigned: await door('presigned', endpoint),
      public: await door('public', domainOrigin),
    };
    children.push(s3);
    const house = await Veilcast.create(store.variables);
    return new Street(folder, children, domain, house, bucket, doors);
  }

  async destroy(): Promise<void> {
    for (const child of this.children) await child.end();
    this.domain.close();
    await this.house.destroy();
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** The configuration of a gateway; whoever signs for the store does so by the store's own credential. */
async function configure(
  folder: string,
  store: Store,
  bucket: string,
  mode: Mode,
  urls: string,
): Promise<string> {
  const credentials = join(folder, 'credentials.toml');
  const { AWS_ACCESS_KEY_ID: id, AWS_SECRET_ACCESS_KEY: secret } = store.variables;
  const pair = `access_key_id = "${id}"\nsecret_access_key = "${secret}"\n`;
  await writeFile(credentials, pair, { mode: 0o600 });
  const head = `bucket = "${bucket}"\nlisten = "127.0.0.1:0"\ncredentials = "${credentials}"\n`;
  const config = join(folder, `${mode}.toml`);
  await writeFile(config, `${head}[urls]\nmode = "${mode}"\n${urls}`);
  return config;
}

/** A public domain before the bucket, as a CDN has one: objects without a signature, ranges, any page may read. */
function serveDomain(folder: string): Promise<[Server, string]> {
  return listen((request, response) => {
    void sendFile(folder, request, response).catch(() => response.writeHead(404).end());
  });
}

async function sendFile(
  folder: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const headers = {
    'access-control-allow-origin': '*',
    'access-control-allow-headers': 'range',
    'access-control-expose-headers': 'content-length, content-range',
  };
  if (request.method === 'OPTIONS') {
    response.writeHead(204, headers).end();
    return;
  }
  const { pathname } = new URL(request.url ?? '', 'http://domain');
  const key = new RegExp(`^/${PREFIX}/(t/[0-9a-f]{32}/[0-9a-f]{32})$`).exec(pathname)?.[1];
  if (!key) throw new Error('not an object of a title');
  const file = join(folder, key);
  const { size } = await stat(file);
  const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
  const start = Number(range?.[1] ?? 0);
  const end = range?.[2] ? Math.min(Number(range[2]), size - 1) : size - 1;
  const part = range ? { 'content-range': `bytes ${start}-${end}/${size}` } : {};
  const length = { 'content-length': end - start + 1 };
  response.writeHead(range ? 206 : 200, { ...headers, ...part, ...length });
  createReadStream(file, { start, end }).pipe(response);
}
