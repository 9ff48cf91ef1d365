/**
 * A gateway and a store in memory, with one title and one grant of the shared vectors.
 *
 * Answers the requests of a viewing from its link to its playlists; holds no segments. A test may change what it says.
 */

import { toHex, utf8, type Bytes } from '../src/vault/bytes';
import { encodeRole, Kind, type Role } from '../src/vault/role';
import { expandSha512, seal } from './sealer';
import { cases, hex, type GrantCase } from './vectors';

/** The grant of the shared vectors that this gateway has. */
export const [GRANT] = cases<GrantCase>('grant') as [GrantCase];
/** Where the gateway is. */
export const BASE = 'https://veil.example';
const SEGMENTS = [
  [2_000_000, 11],
  [2_000_000, 12],
] as const;
/** What the title's manifest says. */
export const MANIFEST = {
  v: 1,
  title: 'A title',
  duration_us: 4_000_000,
  renditions: [
    {
      id: 1,
      type: 'video',
      codecs: 'avc1.64001f',
      width: 640,
      height: 360,
      frame_rate: 25,
      bandwidth_bps: 1000,
      average_bandwidth_bps: 900,
      init_length: 10,
      segments: SEGMENTS,
    },
  ],
};

function derive(label: string, role: Role, length: number): Bytes {
  const info = Buffer.concat([utf8(`${label}\0`), encodeRole(hex(GRANT.title), role)]);
  return new Uint8Array(expandSha512(hex(GRANT.title_key), info, length));
}

/** Returns a role. */
export const role = (kind: Role['kind'], rendition = 0, index = 0): Role => ({
  kind,
  rendition,
  index,
});
/** Returns the object name of a role. */
export const nameOf = (of: Role): string => toHex(derive('veilcast/object-name/v1', of, 16));

/** Seals `plaintext` as the object of a role. */
export function sealAs(of: Role, plaintext: Bytes): Bytes {
  const key = derive('veilcast/object-key/v1', of, 32);
  return seal(key, new Uint8Array(24), encodeRole(hex(GRANT.title), of), plaintext);
}

/** A gateway and a store in memory, which a test may change. */
export class FakeServer {
  generation = 0;
  /** Whether the rendition lies in one file. */
  isFile = false;
  requests: string[] = [];
  manifest = sealAs(role(Kind.manifest), utf8(JSON.stringify(MANIFEST)));
  now = '2026-11-21T00:00:00Z';
  record: Record<string, unknown> = {
    v: 1,
    id: GRANT.grant,
    title: GRANT.title,
    epoch: GRANT.epoch,
    state: 'active',
    kind: 'link',
    recipient: GRANT.recipient,
    created: '2026-11-20T12:00:00Z',
    expires: GRANT.expires,
    index: `${nameOf(role(Kind.multivariantPlaylist))}.m3u8`,
    preload: [nameOf(role(Kind.manifest))],
    envelope: GRANT.envelope,
  };

  readonly fetch = async (url: string, init: RequestInit): Promise<Response> => {
    const path = url.replace(BASE, '');
    this.requests.push(path);
    const rest = path.replace(`/v1/grants/${GRANT.grant}`, '');
    if (rest === path) return new Response(this.manifest);
    if (rest === '') return Response.json(this.#grant());
    if (rest === '/sign') return Response.json(this.#sign(String(init.body)));
    if (rest.includes(nameOf(role(Kind.multivariantPlaylist)))) return new Response(this.#index());
    return new Response(this.#media());
  };

  #url(name: string): string {
    return `/o/t/${GRANT.title}/${name}?generation=${this.generation}`;
  }

  #grant(): object {
    const name = nameOf(role(Kind.manifest));
    return {
      grant: this.record,
      now: this.now,
      index_url: '/x',
      urls: { [name]: this.#url(name) },
    };
  }

  #sign(body: string): object {
    const [name] = (JSON.parse(body) as { names: string[] }).names as [string];
    return { urls: { [name]: this.#url(name) } };
  }

  #index(): string {
    const uri = `/v1/grants/${GRANT.grant}/${nameOf(role(Kind.mediaPlaylist, 1))}.m3u8`;
    return `#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n${uri}\n`;
  }

  #media(): string {
    if (this.isFile) return this.#file();
    const lines = SEGMENTS.map(
      (_, i) => `#EXTINF:2.000000,\n${this.#url(nameOf(role(Kind.segment, 1, i)))}\n`,
    );
    const map = `#EXT-X-MAP:URI="${this.#url(nameOf(role(Kind.init, 1)))}"\n`;
    return `#EXTM3U\n${map}${lines.join('')}#EXT-X-ENDLIST\n`;
  }

  #file(): string {
    const url = this.#url(nameOf(FILE));
    const lines = ['83@82', '84@165'].map(
      (range) => `#EXTINF:2.000000,\n#EXT-X-BYTERANGE:${range}\n${url}\n`,
    );
    const map = `#EXT-X-MAP:URI="${url}",BYTERANGE="82@0"\n`;
    return `#EXTM3U\n${map}${lines.join('')}#EXT-X-ENDLIST\n`;
  }
}

/** The role of the file that the rendition may lie in. */
export const FILE = role(Kind.renditionFile, 1);
