/** `npm test`: what needs Node alone. The tests with a browser have `e2e/vitest.config.ts`. */

import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: { include: ['player/test/**/*.test.ts', 'apps/web/test/**/*.test.ts'] },
});
