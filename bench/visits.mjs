/**
 * Makes the visits of a bench: `node bench/visits.mjs BENCH ARGUMENT…`; the bench is a folder here with a `main.ts`.
 *
 * Each visit is a line of JSON on standard output. It only runs the TypeScript, which Node does not do by itself.
 */
import { createServer } from 'vite';

const [bench, ...words] = process.argv.slice(2);
const benches = {
  'first-frame': './first-frame/main.ts',
  opening: './player/open.ts',
  page: './page/main.ts',
  player: './player/main.ts',
  studio: './studio/main.ts',
};
if (!Object.hasOwn(benches, bench ?? '')) {
  process.stderr.write(
    `usage: node bench/visits.mjs ${Object.keys(benches).join('|')} ARGUMENT…\n`,
  );
  process.exit(2);
}

const scripts = await createServer({
  configFile: false,
  logLevel: 'error',
  appType: 'custom',
  server: { middlewareMode: true, hmr: false, watch: null },
  optimizeDeps: { noDiscovery: true },
});
try {
  const { main } = await scripts.ssrLoadModule(new URL(benches[bench], import.meta.url).pathname);
  process.exitCode = await main(words);
} finally {
  await scripts.close();
}
