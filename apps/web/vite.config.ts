import { svelte } from '@sveltejs/vite-plugin-svelte';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';
import { sealedStreaming } from '../../player/vite.ts';
import { finish } from './build/finish.ts';

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  root: at('.'),
  base: '/',
  plugins: [
    sealedStreaming(),
    // `tree` builds elements one by one: no innerHTML, so no Trusted Types policy for it.
    svelte({ configFile: false, compilerOptions: { fragments: 'tree', runes: true } }),
    finish(),
  ],
  worker: { format: 'es', plugins: () => [sealedStreaming()] },
  build: {
    target: 'es2022',
    outDir: 'dist',
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    rolldownOptions: { input: { watch: at('watch.html') } },
  },
});
