/**
 * Plain HLS trees in a real S3 store behind a real gateway, and a page of another origin that plays them.
 *
 * Three servers, three origins: the store, the gateway, and the page with hls.js. Nothing here is sealed.
 */

import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { program, ROOT } from './programs';
import { listen, Running } from './server';
import type { Store } from './street';

const run = promisify(execFile);
const HLS = join(ROOT, 'node_modules/hls.js/dist/hls.min.js');

/** The page: `play(url, token)` plays by hls.js, with the token for the gateway's URLs alone or by cookie. */
const PAGE = `<!doctype html><title>plain</title><video muted></video><script src="/hls.js"></script><script>
globalThis.faults = [];
globalThis.fetched = [];
globalThis.play = (url, token) => {
  const gateway = new URL(url).origin;
  const video = document.querySelector('video');
  const hls = new Hls({ xhrSetup: (xhr, to) => {
    fetched.push(to);
    if (!to.startsWith(gateway)) return;
    xhr.open('GET', to);
    if (token) xhr.setRequestHeader('Authorization', 'Bearer ' + token);
    else xhr.withCredentials = true;
  } });
  hls.on(Hls.Events.ERROR, (_, data) => faults.push(data.details + ' ' + (data.response?.code ?? '')));
  hls.loadSource(url);
  hls.attachMedia(video);
  return video.play();
};
</script>`;

/** The three servers. */
export class PlainHouse {
  private constructor(
    private readonly folder: string,
    private readonly children: Running<unknown>[],
    private readonly page: Server,
    /** The address of the page. */
    readonly pageUrl: string,
    readonly gateway: string,
    readonly store: string,
  ) {}

  static async create(): Promise<PlainHouse> {
    const folder = await mkdtemp(join(tmpdir(), 'veilcast-plain-'));
    const [page, origin] = await servePage();
    const s3 = await Running.start<Store>('testkit-s3');
    const store = s3.said;
    await makeTrees(store.folder);
    const config = await configure(folder, store.url, origin);
    const args = ['--config', config];
    const gateway = await Running.start<{ url: string }>('veilcast-gateway', args, store.variables);
    const endpoint = new URL(new URL(store.url).searchParams.get('endpoint') ?? '');
    const children = [gateway, s3];
    return new PlainHouse(folder, children, page, `${origin}/`, gateway.said.url, endpoint.origin);
  }

  /** A token for a folder, as its owner makes one. */
  async token(path: string): Promise<string> {
    const key = join(this.folder, 'key');
    const command = ['token', '--key', key, '--path', path, '--expires', '1h'];
    return (await run(program('veilcast'), command)).stdout.trim();
  }

  async destroy(): Promise<void> {
    this.page.close();
    for (const child of this.children) await child.end();
    await rm(this.folder, { recursive: true, force: true });
  }
}

async function servePage(): Promise<[Server, string]> {
  const script = await readFile(HLS);
  return listen((request, response) => {
    const isScript = request.url === '/hls.js';
    response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html');
    response.end(isScript ? script : PAGE);
  });
}

/** The same two trees below `passed/` and `signed/`: fragmented MP4 with sound apart, and transport streams with a key. */
async function makeTrees(bucket: string): Promise<void> {
  const tree = join(bucket, 'passed/clip');
  await mkdir(tree, { recursive: true });
  const clip = ['-f', 'lavfi', '-i', 'testsrc2=size=320x180:rate=25:duration=6'];
  const sound = ['-f', 'lavfi', '-i', 'sine=frequency=330:duration=6'];
  const picture = ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '25', '-pix_fmt', 'yuv420p'];
  const hls = ['-f', 'hls', '-hls_time', '2', '-hls_playlist_type', 'vod'];
  const ffmpeg = (...args: string[]) =>
    run('ffmpeg', ['-v', 'error', '-nostdin', ...args], { cwd: tree });
  await ffmpeg(...clip, ...picture, ...hls, ...parts('v'), 'v.m3u8');
  await ffmpeg(...sound, '-c:a', 'aac', ...hls, ...parts('a'), 'a.m3u8');
  await writeFile(join(tree, 'clip.key'), Buffer.alloc(16, 9));
  await writeFile(join(tree, 'info'), 'clip.key\nclip.key\n');
  const keyed = ['-hls_key_info_file', 'info', '-hls_segment_filename', 'ts_%d.ts'];
  await ffmpeg(...clip, ...sound, ...picture, '-c:a', 'aac', ...hls, ...keyed, 'ts.m3u8');
  const index = [
    '#EXTM3U',
    '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="a",DEFAULT=YES,URI="a.m3u8"',
    '#EXT-X-STREAM-INF:BANDWIDTH=500000,CODECS="avc1.42c00d,mp4a.40.2",AUDIO="a"',
    'v.m3u8',
  ];
  await writeFile(join(tree, 'index.m3u8'), `${index.join('\n')}\n`);
  await cp(tree, join(bucket, 'signed/clip'), { recursive: true });
}

function parts(name: string): string[] {
  const files = ['-hls_fmp4_init_filename', `${name}_init.mp4`];
  return ['-hls_segment_type', 'fmp4', ...files, '-hls_segment_filename', `${name}_%d.m4s`];
}

async function configure(folder: string, bucket: string, origin: string): Promise<string> {
  const key = join(folder, 'key');
  const credentials = join(folder, 'credentials.toml');
  const secret = { mode: 0o600 };
  await writeFile(key, 'a secret of more than thirty-two bytes', secret);
  const pair = `access_key_id = "E2E"\nsecret_access_key = "${'0123456789abcdef'.repeat(3)}"\n`;
  await writeFile(credentials, pair, secret);
  const tree = (prefix: string, mode: string) =>
    `[[plain]]\nprefix = "${prefix}"\nauth = "token"\nkey = "${key}"\nmode = "${mode}"\n`;
  const config = join(folder, 'gateway.toml');
  const head = `bucket = "${bucket}"\nlisten = "127.0.0.1:0"\ncredentials = "${credentials}"\n`;
  const cors = `[cors]\norigins = ["${origin}"]\ncredentials = true\n`;
  await writeFile(config, head + cors + tree('passed/', 'local') + tree('signed/', 'presigned'));
  return config;
}
