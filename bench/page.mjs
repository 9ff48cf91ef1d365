/**
 * Measures how soon the watch page is there and how still it stands: `node bench/page.mjs LINK VISITS`.
 *
 * Each visit is a line of JSON on standard output. It only runs the TypeScript beside it, which Node does not do by
 * itself.
 */
import { fileURLToPath } from 'node:url';
import { createServer } from 'vite';

const scripts = await createServer({
  configFile: false,
  logLevel: 'error',
  appType: 'custom',
  server: { middlewareMode: true, hmr: false, watch: null },
  optimizeDeps: { noDiscovery: true },
});
try {
  const main = fileURLToPath(new URL('page/main.ts', import.meta.url));
  const { main: run } = await scripts.ssrLoadModule(main);
  process.exitCode = await run(process.argv.slice(2));
} finally {
  await scripts.close();
}
