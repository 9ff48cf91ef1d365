/** `npm test`: what needs Node alone. The tests with a browser have `e2e/vitest.config.ts`. */

import { defineConfig } from 'vitest/config';
import { oneLanguage } from './player/vite.ts';

export default defineConfig({
  plugins: [oneLanguage()],
  test: { include: ['player/test/**/*.test.ts', 'apps/web/test/**/*.test.ts'] },
});
