/**
 * How the package is built: plain ES modules that need no plugin of ours.
 *
 * Whoever uses the package loads `dist/index.js`, or hands it to a bundler of their own: Workers and what is loaded later
 * are files beside it, found by `new URL(…, import.meta.url)` and by relative imports.
 */

import { copyFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig, type Plugin } from 'vite';
import { notices } from './build/notices.ts';
import { oneLanguage, sealedStreaming } from './vite.ts';

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));

const bundled = notices();

/** The package's own licence stands beside the others'. */
const licence: Plugin = {
  name: 'veilcast:licence',
  writeBundle: () => copyFileSync(at('../LICENSE'), at('dist/LICENSE')),
};

export default defineConfig({
  root: at('.'),
  base: './',
  plugins: [sealedStreaming(), oneLanguage(), bundled.page, licence],
  worker: {
    format: 'es',
    plugins: () => [sealedStreaming(), bundled.workers()],
  },
  build: {
    target: 'es2022',
    outDir: 'dist',
    emptyOutDir: true,
    assetsInlineLimit: 0,
    lib: { entry: at('src/index.ts'), formats: ['es'], fileName: 'index' },
    minify: true,
    reportCompressedSize: false,
  },
});
