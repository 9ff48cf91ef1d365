/**
 * How a bundler builds the player: hls.js from its sources, with what we don't use left out, and each language as a
 * file of its own.
 *
 * Sealed titles are CMAF over our own loaders: no transport streams, no DRM, no advertisements, no
 * content steering, no key servers, and nothing that fetches by itself. Used by `apps/web`.
 */

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Plugin } from 'vite';

const packageJson = createRequire(import.meta.url).resolve('hls.js/package.json');
const root = join(dirname(packageJson), 'src');
const absent = fileURLToPath(new URL('./src/engine/absent.ts', import.meta.url));
const idle = fileURLToPath(new URL('./src/engine/idle.ts', import.meta.url));

/** Switches of hls.js's own build. */
const FEATURES = {
  __USE_ALT_AUDIO__: true,
  __USE_SUBTITLES__: true,
  __USE_EME_DRM__: false,
  __USE_CMCD__: false,
  __USE_CONTENT_STEERING__: false,
  __USE_VARIABLE_SUBSTITUTION__: false,
  __USE_M2TS_ADVANCED_CODECS__: false,
  __USE_MEDIA_CAPABILITIES__: false,
  __USE_INTERSTITIALS__: false,
  __USE_IFRAMES__: false,
} as const;

/** What fetches by itself. */
const NETWORK = modules('utils/fetch-loader', 'utils/xhr-loader');

/** Other modules that a sealed title never reaches. */
const ABSENT = modules(
  'controller/cmcd-controller',
  'controller/content-steering-controller',
  'controller/eme-controller',
  'controller/iframe-controller',
  'controller/interstitials-controller',
  'crypt/aes-decryptor',
  'demux/audio/aacdemuxer',
  'demux/audio/ac3-demuxer',
  'demux/audio/mp3demuxer',
  'demux/tsdemuxer',
  'remux/mp4-generator',
  'utils/cea-608-parser',
  'utils/imsc1-ttml-parser',
  'utils/output-filter',
);

/** Controllers that hls.js makes by itself: live streams' latency, and tags of ID3. */
const IDLE = modules('controller/id3-track-controller', 'controller/latency-controller');

function modules(...names: readonly string[]): string[] {
  return names.map((name) => join(root, name));
}

/** The transmuxer's own use of this remuxer is for transport streams; others take helpers from it. */
function isUnusedRemuxer(module: string, importer: string): boolean {
  return (
    module === join(root, 'remux/mp4-remuxer') && importer === join(root, 'demux/transmuxer.ts')
  );
}

function versionOf(file: string): string {
  return (createRequire(import.meta.url)(file) as { version: string }).version;
}

/**
 * hls.js gives each caption track an empty `data:` source, which a strict policy forbids and logs.
 * An empty `blob:` does the same within `media-src blob:`.
 */
const EMPTY_TRACK = {
  file: join(root, 'utils/texttrack-utils.ts'),
  from: "el.src = 'data:,WEBVTT';",
  to: "el.src = URL.createObjectURL(new Blob(['WEBVTT'], { type: 'text/vtt' }));",
} as const;

function replaceEmptyTrack(code: string): string {
  const replaced = code.replace(EMPTY_TRACK.from, EMPTY_TRACK.to);
  if (replaced === code) throw new Error('hls.js no longer sets the source that is replaced here');
  return replaced;
}

const PARTS = /\/words\/table\.json\?parts$/;
const WORDS = /\/words\/table\.json\?(first|later)=(\w+)$/;

type Table = Record<string, Record<string, Record<string, string>>>;

/** Both parts of a table: English's first words at once, every other language's when they are asked for. */
function partsOf(table: Table): string {
  const [texts = {}] = Object.values(table['first'] ?? {});
  const loaded = (part: string, language: string): string =>
    `${language}: () => import('./table.json?${part}=${language}')`;
  const [, ...others] = Object.keys(texts);
  const first = ['en: () => Promise.resolve({ default: english })'];
  first.push(...others.map((language) => loaded('first', language)));
  const later = Object.keys(texts).map((language) => loaded('later', language));
  return `import english from './table.json?first=en';
export default {
  first: { load: { ${first.join(', ')} }, there: { en: english } },
  later: { load: { ${later.join(', ')} }, there: {} },
};`;
}

/**
 * Cuts one language out of a part of the table of words, so that a page loads what it says; `?parts` is what loads
 * each.
 */
export function oneLanguage(): Plugin {
  return {
    name: 'veilcast:one-language',
    enforce: 'pre',
    load(id) {
      const [, part = '', language = ''] = WORDS.exec(id) ?? [];
      if (part === '' && !PARTS.test(id)) return null;
      const file = id.slice(0, id.lastIndexOf('?'));
      this.addWatchFile(file);
      const table = JSON.parse(readFileSync(file, 'utf8')) as Table;
      if (part === '') return { code: partsOf(table), moduleType: 'js' };
      const words = Object.entries(table[part] ?? {}).map(([word, all]) => [word, all[language]]);
      const code = `export default ${JSON.stringify(Object.fromEntries(words))};`;
      return { code, moduleType: 'js' };
    },
  };
}

/**
 * The plugin. With `network`, hls.js keeps its own loaders: the same build for a page that plays HLS in clear, which
 * benches hold the player against.
 */
export function sealedStreaming({ network = false } = {}): Plugin {
  const left = network ? ABSENT : [...ABSENT, ...NETWORK];
  const defines = Object.entries({ ...FEATURES, __VERSION__: versionOf(packageJson) });
  return {
    name: 'veilcast:sealed-streaming',
    enforce: 'pre',
    config: () => ({
      define: Object.fromEntries(defines.map(([name, value]) => [name, JSON.stringify(value)])),
    }),
    transform: (code, id) => (id === EMPTY_TRACK.file ? replaceEmptyTrack(code) : null),
    resolveId(source, importer) {
      if (source === 'hls.js') return join(root, 'exports-default.ts');
      if (source === 'hls.js/transmuxer-worker') return join(root, 'demux/transmuxer-worker.ts');
      if (!importer?.startsWith(root) || !source.startsWith('.')) return null;
      const module = join(dirname(importer), source);
      if (IDLE.includes(module)) return idle;
      return left.includes(module) || isUnusedRemuxer(module, importer) ? absent : null;
    },
  };
}
