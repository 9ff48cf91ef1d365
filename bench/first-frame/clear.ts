/**
 * The other side: the same HLS in clear, held in memory, with a page that plays it.
 *
 * Segments are opened by the player's own vault code; playlists are the bucket's, byte for byte, whose names therefore
 * hold. Invariant: what was opened stays in this process and is served to this machine alone.
 */

import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { finish } from '../../apps/web/build/finish';
import { TitleFolder } from '../../e2e/harness/bucket';
import { piecesOf, role, unlockTitle, type UnlockedTitle } from '../../e2e/harness/opened';
import { Kind } from '../../player/src/vault/role';
import { sealedStreaming } from '../../player/vite';
import { FileServer, type Files } from './server';

/** Media type and freshness as a careful operator would set them. */
const PLAYLIST = { type: 'application/vnd.apple.mpegurl', cache: 'no-cache' };
const MEDIA = { type: 'video/mp4', cache: 'public, max-age=31536000, immutable' };

/** A served title in clear. */
export interface Unsealed {
  /** Where the page lies: `<url>#<multivariant playlist>/<playlist to begin with>`. */
  readonly url: string;
  readonly unlocked: UnlockedTitle;
  close(): void;
}

/** Builds a page of the benches, with a hls.js that has its own loaders. */
export async function buildPage(input: URL, output: string): Promise<void> {
  const page = fileURLToPath(input);
  const plugins = () => [sealedStreaming({ network: true })];
  await build({
    configFile: false,
    logLevel: 'error',
    root: dirname(page),
    plugins: [...plugins(), finish()],
    worker: { format: 'es', plugins },
    build: {
      target: 'es2022',
      outDir: output,
      emptyOutDir: true,
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      reportCompressedSize: false,
      rolldownOptions: { input: page },
    },
  });
}

async function mediaFiles(folder: TitleFolder, unlocked: UnlockedTitle): Promise<Files> {
  const files: Files = new Map();
  const playlist = async (name: string) => {
    const body = await readFile(folder.path(`${name}.m3u8`));
    files.set(`/t/${name}.m3u8`, { ...PLAYLIST, body });
  };
  await playlist(await unlocked.key.name(role(Kind.multivariantPlaylist, 0, 0)));
  for (const { id } of unlocked.title.renditions) {
    await playlist(await unlocked.key.name(role(Kind.mediaPlaylist, id, 0)));
  }
  for await (const { name, bytes } of piecesOf(folder, unlocked)) {
    files.set(`/t/${name}`, { ...MEDIA, body: Buffer.from(bytes) });
  }
  return files;
}

/** Opens grant and manifest of `link` from its bucket. */
export async function unlockLink(
  link: string,
  bucket: string,
): Promise<{ folder: TitleFolder; unlocked: UnlockedTitle }> {
  const grant = new URL(link).pathname.split('/').pop() ?? '';
  const record = JSON.parse(await readFile(join(bucket, 'g', grant), 'utf8')) as { title: string };
  const folder = new TitleFolder(bucket, record.title);
  return { folder, unlocked: await unlockTitle(folder, link, grant) };
}

/** Opens the title of `link` from its bucket, builds the page into `output`, and serves both. */
export async function unsealedSide(
  link: string,
  bucket: string,
  output: string,
): Promise<Unsealed> {
  const { folder, unlocked } = await unlockLink(link, bucket);
  await buildPage(new URL('page/index.html', import.meta.url), output);
  const server = new FileServer();
  await server.addFolder(output);
  server.add(await mediaFiles(folder, unlocked));
  const origin = await server.listen();
  return { url: `${origin}/index.html`, unlocked, close: () => server.close() };
}
