/**
 * Measures the way from a link to the first frame, sealed and in clear by turns:
 * `node bench/first-frame.mjs LINK BUCKET OUTPUT VISITS`.
 *
 * `BUCKET` is the folder behind the link's gateway, `OUTPUT` a folder for the page in clear. Each visit is a line of JSON
 * on standard output. It only runs the TypeScript beside it, which Node does not do by itself.
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
  const main = fileURLToPath(new URL('first-frame/main.ts', import.meta.url));
  const { main: run } = await scripts.ssrLoadModule(main);
  process.exitCode = await run(process.argv.slice(2));
} finally {
  await scripts.close();
}
