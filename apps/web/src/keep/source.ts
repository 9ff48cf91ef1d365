/**
 * What the keeper fetches: grant, playlists and objects, from the network alone.
 *
 * Specification: docs/format/gateway-api.md. Opens nothing. Invariant: an object is taken only in the length that the
 * sealed manifest gives it; whether it is that object its seal tells when it is played.
 */

import { PlayerFailure } from '../../../../player/src/failure';
import type { Link } from '../../../../player/src/protocol';
import { networkFailure } from '../../../../player/src/vault/download';
import { failureOfProblem } from '../../../../player/src/vault/gateway';
import { parseGrantAnswer, type GrantRecord } from '../../../../player/src/vault/grant';
import { readMediaPlaylist } from '../../../../player/src/vault/playlist-reader';

/** Longest preload (manifest, poster, a viewer's list): an object that a player opens has at most 64 MiB. */
const MAX_PRELOAD_BYTES = 65 * 1024 * 1024;

/** Where an object is to be had, and what a copy knows it by. */
export interface Listing {
  readonly url: string;
  readonly name: string;
  /** The value of `Range`, `null` for an object of its own. */
  readonly range: string | null;
}

/** An object that every playback needs. */
export interface Preload {
  readonly name: string;
  readonly url: string;
}

/** A grant as the gateway sent it, and what it says. */
export interface GrantAnswer {
  readonly body: Uint8Array<ArrayBuffer>;
  readonly record: GrantRecord;
  readonly preloads: readonly Preload[];
}

async function problemType(answer: Response): Promise<string | null> {
  const problem = (await answer.json().catch(() => null)) as { type?: unknown } | null;
  return typeof problem?.type === 'string' ? problem.type : null;
}

function lastPart(address: string): string {
  return new URL(address).pathname.split('/').pop() ?? '';
}

/** One grant at one gateway, and the objects that it leads to. */
export class Source {
  readonly #root: string;

  constructor(
    { gateway, grantId }: Link,
    private readonly bearer: string,
    private readonly id = grantId,
  ) {
    this.#root = `${gateway}/v1/grants/${grantId}`;
  }

  async grant(): Promise<GrantAnswer> {
    const body = new Uint8Array(await (await this.#ask('')).arrayBuffer());
    try {
      const { record, urls } = parseGrantAnswer(body, this.id);
      const preloads = [...urls].map(([name, url]) => ({ name, url: this.#resolve(url) }));
      return { body, record, preloads };
    } catch (cause) {
      throw new PlayerFailure('gateway-broken', undefined, { cause });
    }
  }

  /** Returns a playlist as the gateway signed it. */
  async playlist(name: string): Promise<string> {
    return (await this.#ask(`/${name}.m3u8?form=compact`)).text();
  }

  /** The object name of a playlist, from its URI in the multivariant playlist. */
  nameOf(uri: string): string {
    return lastPart(this.#resolve(uri)).replace(/\.m3u8$/, '');
  }

  /** Lists the objects of a rendition, the initialisation segment first; there must be `count`. */
  async listing(uri: string, count: number): Promise<Listing[]> {
    const { map, segments } = readMediaPlaylist(await this.playlist(this.nameOf(uri)));
    const listed = map === null ? segments : [map, ...segments];
    if (listed.length !== count) throw new PlayerFailure('playlist-mismatch');
    return listed.map((one) => {
      const url = this.#resolve(one.uri);
      const { range } = one;
      const bytes = range && `bytes=${range.offset}-${range.offset + range.bytes - 1}`;
      return { url, name: lastPart(url), range: bytes };
    });
  }

  /** Fetches an object of `bytes` bytes; `null` where its address has run out. */
  async object({ url, range }: Listing, bytes: number): Promise<ArrayBuffer | null> {
    const headers: Record<string, string> = range === null ? {} : { Range: range };
    const answer = await this.#fetch(url, { headers });
    if (answer.status === 403 || answer.status === 400) return null;
    const wanted = range === null ? 200 : 206;
    if (range !== null && answer.status === 200) throw new PlayerFailure('ranges-unsupported');
    if (answer.status === 404) throw new PlayerFailure('object-missing');
    if (answer.status !== wanted) throw new PlayerFailure('store-unavailable');
    const body = await this.#read(answer);
    if (body.byteLength !== bytes) throw new PlayerFailure('tampered');
    return body;
  }

  async preload({ url }: Preload): Promise<ArrayBuffer> {
    const answer = await this.#fetch(url, {});
    if (answer.status !== 200) throw new PlayerFailure('store-unavailable');
    const body = await this.#read(answer);
    if (body.byteLength > MAX_PRELOAD_BYTES) throw new PlayerFailure('tampered');
    return body;
  }

  #resolve(reference: string): string {
    return new URL(reference, `${this.#root}/`).href;
  }

  async #ask(path: string): Promise<Response> {
    const headers = { Authorization: `Bearer ${this.bearer}` };
    const answer = await this.#fetch(this.#root + path, { headers, cache: 'no-store' });
    if (answer.status === 200) return answer;
    throw new PlayerFailure(failureOfProblem(answer.status, await problemType(answer)));
  }

  async #read(answer: Response): Promise<ArrayBuffer> {
    try {
      return await answer.arrayBuffer();
    } catch (error) {
      throw networkFailure(error);
    }
  }

  async #fetch(url: string, init: RequestInit): Promise<Response> {
    try {
      return await fetch(url, {
        credentials: 'omit',
        referrerPolicy: 'no-referrer',
        redirect: 'error',
        ...init,
      });
    } catch (error) {
      throw networkFailure(error);
    }
  }
}
