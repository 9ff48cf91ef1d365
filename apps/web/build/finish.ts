/**
 * The last steps of a build: integrity hashes in the page, the service worker, the list of all hashes, compressed
 * siblings.
 *
 * Knows nothing of what the files are. Invariants: a page names the hash of every script and style that it loads by
 * itself; the service worker names the hash of every file; the list names both of them.
 */

import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { build, type HtmlTagDescriptor, type Plugin } from 'vite';

/** Below this the headers weigh more than what compression saves. */
const MIN_BYTES = 512;
const COMPRESSIBLE = /\.(html|js|css|svg|json|txt|webmanifest)$/;
const REFERENCE = /<(?:script|link)\b[^>]*?\b(?:src|href)="(?:\.\.)?\/(assets\/[^"]+)"[^>]*>/g;

const SERVICE_WORKER = 'sw.js';
const LIST = 'app.sha256';
const WORKER_SOURCE = fileURLToPath(new URL('../src/shell/service-worker.ts', import.meta.url));
const VERSION_CHARACTERS = 16;

/** Returns the Subresource Integrity value of a file's bytes. */
export function integrityOf(bytes: Uint8Array): string {
  return `sha384-${createHash('sha384').update(bytes).digest('base64')}`;
}

/** Writes `integrity` into the tags of a page; `read` returns the bytes of the file of a name. */
export function addIntegrity(html: string, read: (name: string) => Uint8Array): string {
  return html.replace(REFERENCE, (tag, name: string) =>
    tag.replace(/\s*\/?>$/, ` integrity="${integrityOf(read(name))}">`),
  );
}

function sha256(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Writes the list as `sha256sum` does: by the names' bytes, one line a file. */
export function listOf(files: Readonly<Record<string, string>>): string {
  const names = Object.keys(files).toSorted((a, b) => (a < b ? -1 : 1));
  return names.map((name) => `${files[name]}  ${name}\n`).join('');
}

function filesIn(folder: string, below = ''): string[] {
  return readdirSync(join(folder, below)).flatMap((name) => {
    const path = below === '' ? name : `${below}/${name}`;
    return statSync(join(folder, path)).isDirectory() ? filesIn(folder, path) : [path];
  });
}

function compress(path: string): void {
  const bytes = readFileSync(path);
  if (!COMPRESSIBLE.test(path) || bytes.length < MIN_BYTES) return;
  const params = {
    [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
    [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
  };
  writeFileSync(`${path}.br`, brotliCompressSync(bytes, { params }));
  writeFileSync(`${path}.gz`, gzipSync(bytes, { level: constants.Z_BEST_COMPRESSION }));
}

/** Asks for the streaming library as early as the page itself, instead of when its script runs. */
function preloadTags(
  chunks: readonly { fileName: string; name?: string | undefined }[],
): HtmlTagDescriptor[] {
  return chunks
    .filter(({ name }) => name === 'hls')
    .map(({ fileName }) => ({
      tag: 'link',
      attrs: { rel: 'modulepreload', crossorigin: true, href: `../${fileName}` },
      injectTo: 'head',
    }));
}

/** The page that a service worker keeps: its file, and whether it is at the root of its server as well. */
export interface Page {
  readonly index: string;
  readonly atRoot: boolean;
}

/** Builds the service worker around the hashes of all other files. */
async function serviceWorker(files: Readonly<Record<string, string>>, page: Page): Promise<string> {
  const result = await build({
    configFile: false,
    logLevel: 'warn',
    publicDir: false,
    define: {
      __APP_FILES__: JSON.stringify(files),
      __APP_PAGE__: JSON.stringify(page),
      __APP_VERSION__: JSON.stringify(sha256(listOf(files)).slice(0, VERSION_CHARACTERS)),
    },
    build: {
      write: false,
      target: 'es2022',
      lib: { entry: WORKER_SOURCE, formats: ['iife'], name: 'shell' },
    },
  });
  const [first] = [result].flat();
  const [chunk] = first !== undefined && 'output' in first ? first.output : [];
  if (chunk?.type !== 'chunk') throw new Error('the service worker was not built');
  return chunk.code;
}

/** What is written once everything else is there. */
async function complete(output: string, page: Page): Promise<void> {
  const read = (name: string) => readFileSync(join(output, name));
  const names = filesIn(output);
  for (const name of names.filter((file) => file.endsWith('.html'))) {
    writeFileSync(join(output, name), addIntegrity(read(name).toString(), read));
  }
  const files = Object.fromEntries(names.map((name) => [name, sha256(read(name))]));
  const worker = await serviceWorker(files, page);
  writeFileSync(join(output, SERVICE_WORKER), worker);
  writeFileSync(join(output, LIST), listOf({ ...files, [SERVICE_WORKER]: sha256(worker) }));
  for (const name of [...names, SERVICE_WORKER]) compress(join(output, name));
}

/** The plugin, for the watch page where nothing else is said. */
export function finish(page: Page = { index: 'w/index.html', atRoot: false }): Plugin {
  let output = '';
  return {
    name: 'veilcast:finish',
    apply: 'build',
    configResolved(config) {
      output = config.build.outDir.startsWith('/')
        ? config.build.outDir
        : join(config.root, config.build.outDir);
    },
    transformIndexHtml: {
      order: 'post',
      handler: (_, { bundle }) => preloadTags(Object.values(bundle ?? {})),
    },
    writeBundle: () => complete(output, page),
  };
}
