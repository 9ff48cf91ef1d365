import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: { include: ['player/test/**/*.test.ts', 'apps/web/test/**/*.test.ts'] },
});
