/**
 * The player's package as somebody else gets it: packed, installed in an empty folder, put on a static page.
 *
 * The page is of another origin than the gateway, is served as files alone, and knows neither a bundler nor us.
 */

import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, extname, join, resolve, sep } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const BINARIES = process.env['VEILCAST_BIN_DIR'] ?? join(ROOT, 'target/debug');
const MEDIA_TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.json': 'application/json',
};
/** Signs the gateway's URLs; it verifies them itself. */
const CREDENTIAL = {
  VEILCAST_ACCESS_KEY_ID: 'E2E',
  VEILCAST_SECRET_ACCESS_KEY: '0123456789abcdef'.repeat(3),
};

/** What a careful host would send: nothing inline, no `eval`, Workers of its own origin alone. */
const policy = (gateway: string): string =>
  "default-src 'none'; script-src 'self'; worker-src 'self'; style-src 'self'; img-src 'self' blob:; " +
  `media-src blob:; connect-src 'self' ${gateway}; require-trusted-types-for 'script'`;

const PAGE = `<!doctype html>
<html lang="es">
  <title>Somebody’s page</title>
  <h1>Somebody’s page</h1>
  <veil-player></veil-player>
  <script type="module" src="/page.js"></script>
</html>
`;

const SCRIPT = `import { defineVeilPlayer } from './node_modules/@veilcast/player/dist/index.js';
defineVeilPlayer();
const { pathname, hash, searchParams } = new URL(location.href);
document.querySelector('veil-player').open({
  gateway: searchParams.get('gateway'),
  grantId: searchParams.get('grant'),
  secret: hash.slice(1),
});
`;

/** Packs the player and installs it in a folder of its own; returns the folder and what npm packed. */
export async function install(): Promise<{ folder: string; files: string[] }> {
  const folder = await mkdtemp(join(tmpdir(), 'veilcast-package-'));
  const packed = ['pack', '-w', '@veilcast/player', '--pack-destination', folder, '--json'];
  const { stdout } = await run('npm', packed, { cwd: ROOT, maxBuffer: 16 << 20 });
  const [tarball] = JSON.parse(stdout.slice(stdout.lastIndexOf('\n[') + 1)) as {
    filename: string;
    files: { path: string }[];
  }[];
  if (!tarball) throw new Error('npm packed nothing');
  await writeFile(join(folder, 'package.json'), '{ "private": true }');
  const offline = ['install', '--offline', '--no-audit', '--no-fund', `./${tarball.filename}`];
  await run('npm', offline, { cwd: folder });
  await writeFile(join(folder, 'index.html'), PAGE);
  await writeFile(join(folder, 'page.js'), SCRIPT);
  return { folder, files: tarball.files.map(({ path }) => path) };
}

/** A folder on an origin of its own, and a gateway that lets its pages play. */
export class Street {
  private constructor(
    private readonly folder: string,
    private readonly page: Server,
    private readonly gateway: ChildProcess,
    readonly gatewayUrl: string,
  ) {}

  /** Serves `folder`; the gateway reads the bucket in `data`. */
  static async open(folder: string, data: string): Promise<Street> {
    let gatewayUrl = '';
    const page = createServer((request, response) => {
      const path = resolve(folder, `.${new URL(request.url ?? '/', 'http://page').pathname}`);
      const file = path === folder ? join(folder, 'index.html') : path;
      const type = MEDIA_TYPES[extname(file)] ?? 'text/plain';
      const headers = { 'content-type': type, 'content-security-policy': policy(gatewayUrl) };
      const isInside = file.startsWith(folder + sep);
      (isInside ? readFile(file) : Promise.reject(new Error('outside'))).then(
        (bytes) => response.writeHead(200, headers).end(bytes),
        () => response.writeHead(404).end(),
      );
    });
    await new Promise<void>((done) => page.listen(0, '127.0.0.1', done));
    const config = join(folder, 'gateway', 'gateway.toml');
    await mkdir(dirname(config));
    await writeFile(
      config,
      `bucket = ${JSON.stringify(join(data, 'bucket'))}\nlisten = "127.0.0.1:0"\n[cors]\norigins = ["${originOf(page)}"]\n`,
    );
    const gateway = spawn(join(BINARIES, 'veilcast-gateway'), ['--config', config], {
      env: { ...process.env, ...CREDENTIAL },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    gatewayUrl = await urlOf(gateway);
    return new Street(folder, page, gateway, gatewayUrl);
  }

  /** The page with a link in its address. */
  address(grant: string, link: string): string {
    const query = new URLSearchParams({ gateway: this.gatewayUrl, grant });
    return `${originOf(this.page)}/?${query}${new URL(link).hash}`;
  }

  async close(): Promise<void> {
    this.page.close();
    const gone = new Promise((done) => this.gateway.once('exit', done));
    this.gateway.kill('SIGTERM');
    await gone;
    await rm(this.folder, { recursive: true, force: true });
  }
}

function originOf(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** The address in the first line that a gateway says. */
async function urlOf(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error('the gateway cannot be heard');
  for await (const line of createInterface({ input: child.stdout })) {
    return (JSON.parse(line) as { url: string }).url;
  }
  throw new Error('the gateway said nothing');
}
