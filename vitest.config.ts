/** `npm test`: what needs Node alone. The tests with a browser have `e2e/vitest.config.ts`. */

import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';
import { oneLanguage } from './player/vite.ts';

export default defineConfig({
  // The studio's state is in Svelte's runes; its screens are tested with a browser.
  plugins: [oneLanguage(), svelte({ configFile: false, compilerOptions: { runes: true } })],
  test: { include: ['player/test/**/*.test.ts', 'apps/web/test/**/*.test.ts'] },
});
