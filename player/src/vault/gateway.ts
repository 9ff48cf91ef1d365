/**
 * The gateway's HTTP interface, as the vault uses it.
 *
 * Specification: docs/format/gateway-api.md. Knows nothing of keys but the bearer, and nothing of
 * what playlists say. Invariant: the bearer goes to the gateway's own `/v1/grants/…` addresses,
 * which are written here and never taken from an answer.
 */

import { PlayerFailure, type FailureCode } from '../failure';
import type { Bytes } from './bytes';
import { Collector, download, type NetworkTiming } from './download';
import { MAX_GRANT_BYTES, parseGrantAnswer, type GrantAnswer } from './grant';
import { Fields, Malformed } from './json';
import { MAX_PLAYLIST_BYTES } from './playlist';

/** Longest problem document that is read. */
const MAX_PROBLEM_BYTES = 16 * 1024;
/** Longest answer to a signing request for one name. */
const MAX_SIGNED_BYTES = 64 * 1024;
const MAX_URL_CHARACTERS = 4096;

const BY_TYPE: Readonly<Record<string, FailureCode>> = {
  'bearer-missing': 'secret-wrong',
  'bearer-wrong': 'secret-wrong',
  'grant-unknown': 'link-unknown',
  'object-unknown': 'object-missing',
  'grant-expired': 'grant-expired',
  'grant-revoked': 'grant-revoked',
  'playlist-invalid': 'playlist-mismatch',
  'store-unavailable': 'store-unavailable',
};

/** Tells what an answer other than 200 means, by its problem type, else by its status. */
export function failureOfProblem(status: number, type: string | null): FailureCode {
  const byType = type === null ? undefined : BY_TYPE[type];
  if (byType !== undefined) return byType;
  if (status === 401) return 'secret-wrong';
  return status === 503 ? 'store-unavailable' : 'gateway-broken';
}

async function problemType(response: Response): Promise<string | null> {
  if (!response.headers.get('content-type')?.startsWith('application/problem+json')) return null;
  const announced = Number(response.headers.get('content-length') ?? 0);
  if (announced > MAX_PROBLEM_BYTES) return null;
  try {
    const text = (await response.text()).slice(0, MAX_PROBLEM_BYTES);
    return Fields.of(JSON.parse(text), 'problem').text('type', 64);
  } catch {
    return null;
  }
}

async function acceptOk(response: Response): Promise<void> {
  if (response.status === 200) return;
  throw new PlayerFailure(failureOfProblem(response.status, await problemType(response)));
}

function tooLong(): never {
  throw new PlayerFailure('gateway-broken');
}

/** One grant at one gateway. */
export class Gateway {
  constructor(
    /** Origin and path before `/v1`, without a slash at its end. */
    private readonly base: string,
    private readonly grantId: string,
    private readonly bearer: string,
    /** Ends the requests that are under way. */
    private readonly life?: AbortSignal,
  ) {}

  /** Fetches the grant. */
  async grant(): Promise<GrantAnswer> {
    const { body } = await this.#request('', MAX_GRANT_BYTES);
    try {
      return parseGrantAnswer(body, this.grantId);
    } catch (cause) {
      if (cause instanceof Malformed)
        throw new PlayerFailure('gateway-broken', undefined, { cause });
      throw cause;
    }
  }

  /** Returns the address of a playlist, which its relative URIs are resolved against. */
  playlistUrl(name: string): string {
    return `${this.#root()}/${name}.m3u8`;
  }

  /** Fetches the playlist of an object name, in the compact form where the gateway has one. */
  async playlist(name: string): Promise<{ text: string; timing: NetworkTiming; bytes: number }> {
    const { body, timing } = await this.#request(`/${name}.m3u8?form=compact`, MAX_PLAYLIST_BYTES);
    return { text: new TextDecoder().decode(body), timing, bytes: body.length };
  }

  /** Asks for the URL of one object. */
  async sign(name: string): Promise<string> {
    const { body } = await this.#request('/sign', MAX_SIGNED_BYTES, {
      method: 'POST',
      body: JSON.stringify({ names: [name] }),
    });
    try {
      const urls = Fields.parse(body, 'answer').fields('urls');
      return this.resolve(urls.text(name, MAX_URL_CHARACTERS));
    } catch (cause) {
      throw new PlayerFailure('gateway-broken', undefined, { cause });
    }
  }

  /** Returns an object's URL, which the gateway may write relative to itself. */
  resolve(reference: string): string {
    const root = this.#root();
    const url = URL.canParse(reference, root) ? new URL(reference, root) : null;
    if (url === null || !/^https?:$/.test(url.protocol)) throw new PlayerFailure('gateway-broken');
    return url.href;
  }

  #root(): string {
    return `${this.base}/v1/grants/${this.grantId}`;
  }

  async #request(
    path: string,
    limit: number,
    init: RequestInit = {},
  ): Promise<{ body: Bytes; timing: NetworkTiming }> {
    const headers: Record<string, string> = { Authorization: `Bearer ${this.bearer}` };
    if (init.body !== undefined) headers['Content-Type'] = 'application/json';
    const collector = new Collector(limit, tooLong);
    const timing = await download({
      url: this.#root() + path,
      init: { ...init, headers, cache: 'no-store' },
      ...(this.life && { signal: this.life }),
      accept: acceptOk,
      take: collector.take,
    });
    return { body: collector.bytes(), timing };
  }
}
