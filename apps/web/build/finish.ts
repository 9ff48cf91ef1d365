/**
 * The last steps of a build: integrity hashes in the pages, compressed siblings beside the files.
 *
 * Knows nothing of what the files are. Invariant: a page names the hash of every script and style
 * that it loads by itself; what those load later, they name by content hash.
 */

import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import type { HtmlTagDescriptor, Plugin } from 'vite';

/** Below this the headers weigh more than what compression saves. */
const MIN_BYTES = 512;
const COMPRESSIBLE = /\.(html|js|css|svg|json|txt)$/;
const REFERENCE = /<(?:script|link)\b[^>]*?\b(?:src|href)="(\/assets\/[^"]+)"[^>]*>/g;

/** Returns the Subresource Integrity value of a file's bytes. */
export function integrityOf(bytes: Uint8Array): string {
  return `sha384-${createHash('sha384').update(bytes).digest('base64')}`;
}

/** Writes `integrity` into the tags of a page; `read` returns the bytes behind a reference. */
export function addIntegrity(html: string, read: (reference: string) => Uint8Array): string {
  return html.replace(REFERENCE, (tag, reference: string) =>
    tag.replace(/\s*\/?>$/, ` integrity="${integrityOf(read(reference))}">`),
  );
}

function filesIn(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? filesIn(path) : [path];
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
      attrs: { rel: 'modulepreload', crossorigin: true, href: `/${fileName}` },
      injectTo: 'head',
    }));
}

/** The plugin. */
export function finish(): Plugin {
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
    writeBundle() {
      const read = (reference: string) => readFileSync(join(output, reference));
      for (const path of filesIn(output).filter((file) => file.endsWith('.html'))) {
        writeFileSync(path, addIntegrity(readFileSync(path, 'utf8'), read));
      }
      filesIn(output).forEach(compress);
    },
  };
}
