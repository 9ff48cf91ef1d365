/**
 * How the watch page is built: one entry, nothing inlined, every script and style pinned by its hash.
 *
 * What the streaming library leaves out is `player/vite.ts`; pinning and compressing is
 * `build/finish.ts`. Invariant: the result runs under the gateway's policy, which allows no inline
 * script, no `data:` and no `innerHTML`.
 */

import { svelte } from '@sveltejs/vite-plugin-svelte';
import { fileURLToPath } from 'node:url';
import { defaultClientConditions, defineConfig } from 'vite';
import { oneLanguage, sealedStreaming } from '../../player/vite.ts';
import { budget } from './build/budget.ts';
import { finish } from './build/finish.ts';

/**
 * What browsers without X-Wing load, in one file, so that they don't fetch one after the other. What
 * stretches passphrases shares some of it, and is wanted while a person types: that one may wait.
 */
const XWING = { name: 'xwing', test: /@noble[\\/](?!hashes[\\/](?:argon2|_?blake))/ };

const bytes = budget();

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  root: at('.'),
  base: './',
  // The player is built with the page, from its sources.
  resolve: { conditions: ['veilcast:source', ...defaultClientConditions] },
  plugins: [
    sealedStreaming(),
    oneLanguage(),
    // `tree` builds elements one by one: no innerHTML, so no Trusted Types policy for it.
    svelte({ configFile: false, compilerOptions: { fragments: 'tree', runes: true } }),
    finish(),
    bytes.page,
  ],
  worker: {
    format: 'es',
    plugins: () => [sealedStreaming(), bytes.workers()],
    rolldownOptions: { output: { codeSplitting: { groups: [XWING] } } },
  },
  build: {
    target: 'es2022',
    outDir: 'dist',
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    rolldownOptions: { input: { watch: at('w/index.html') } },
  },
});
