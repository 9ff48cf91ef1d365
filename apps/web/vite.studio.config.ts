/**
 * How the studio's page is built: one entry, its screens as files of their own, nothing inlined, everything pinned.
 *
 * Pinning and compressing is `build/finish.ts`, the bounds on bytes are `build/studio-budget.ts`. Invariant: the result
 * runs under the studio's policy, which allows no inline script, no `data:` and no `innerHTML`.
 */

import { svelte } from '@sveltejs/vite-plugin-svelte';
import { fileURLToPath } from 'node:url';
import { defaultClientConditions, defineConfig } from 'vite';
import { oneLanguage } from '../../player/vite.ts';
import { finish } from './build/finish.ts';
import { studioBudget } from './build/studio-budget.ts';

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** Where the server is while the page is under development. */
const SERVER = process.env['VEILCAST_STUDIO'] ?? 'http://127.0.0.1:8088';

export default defineConfig({
  root: at('.'),
  base: './',
  resolve: { conditions: ['veilcast:source', ...defaultClientConditions] },
  plugins: [
    oneLanguage(),
    // `tree` builds elements one by one: no innerHTML, so no Trusted Types policy for it.
    svelte({ configFile: false, compilerOptions: { fragments: 'tree', runes: true } }),
    finish({ index: 's/index.html', atRoot: true }),
    studioBudget(),
  ],
  server: { proxy: { '/v1': SERVER, '/performance': SERVER } },
  build: {
    target: 'es2022',
    // `light-dark()`, as it stands.
    cssTarget: ['chrome123', 'firefox120', 'safari17.5'],
    outDir: 'dist-studio',
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    rolldownOptions: { input: { studio: at('s/index.html') } },
  },
});
