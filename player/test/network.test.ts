/**
 * Objects on their way here, over a `fetch` that the test answers: whole, slow, changed or refused.
 *
 * Holds which failure each fault becomes, what is tried again and what never is. Opens no socket
 * and never waits in real time.
 */

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { failureOf, PlayerFailure, type Failure } from '../src/failure';
import { utf8 } from '../src/vault/bytes';
import { Connection } from '../src/vault/connection';
import { failureOfProblem, Gateway } from '../src/vault/gateway';
import { Jobs } from '../src/vault/jobs';
import { openRole, type Locate } from '../src/vault/object';
import { encodeRole, Kind, TitleKey } from '../src/vault/role';
import { expandSha512, patterned, seal } from './sealer';
import { hex } from './vectors';

const TITLE_ID = hex('a5'.repeat(16));
const SECRET = hex('5a'.repeat(32));
const ROLE = { kind: Kind.segment, rendition: 1, index: 7 } as const;
const PLAINTEXT = patterned(40_000);
const GRANT = '4'.repeat(32);

function sealed(): Uint8Array<ArrayBuffer> {
  const context = encodeRole(TITLE_ID, ROLE);
  const label = utf8('veilcast/object-key/v1\0');
  const key = expandSha512(SECRET, Buffer.concat([label, context]), 32);
  return seal(key, new Uint8Array(24), context, PLAINTEXT);
}

const titleKey = (): Promise<TitleKey> => TitleKey.import(TITLE_ID.slice(), SECRET.slice());
const located: Locate = async () => ({
  url: 'https://store.example/object',
  place: null,
  bytes: PLAINTEXT.length,
  part: 'the picture',
});

function answer(
  body: BodyInit | null,
  status = 200,
  headers: Record<string, string> = {},
): Response {
  return new Response(body, { status, headers });
}

function problem(status: number, type: string): Response {
  const body = JSON.stringify({ type, title: 'a sentence', status });
  return answer(body, status, { 'content-type': 'application/problem+json' });
}

async function failure(work: Promise<unknown>): Promise<Failure> {
  return work.then(
    () => {
      throw new Error('it succeeded');
    },
    (error: unknown) => failureOf(error),
  );
}

const fetches = vi.fn<(url: string, init: RequestInit) => Promise<Response>>();

beforeEach(() => {
  vi.stubGlobal('fetch', fetches);
  vi.stubGlobal('navigator', { onLine: true });
  const target = new EventTarget();
  vi.stubGlobal('addEventListener', target.addEventListener.bind(target));
  vi.stubGlobal('removeEventListener', target.removeEventListener.bind(target));
  vi.stubGlobal('dispatchEvent', target.dispatchEvent.bind(target));
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  fetches.mockReset();
});

describe('an object', () => {
  it('is opened while it arrives', async () => {
    fetches.mockResolvedValue(answer(sealed()));
    const onProgress = vi.fn();
    const opened = await openRole(await titleKey(), ROLE, located, undefined, onProgress);
    expect(Buffer.from(opened.plaintext).equals(Buffer.from(PLAINTEXT))).toBe(true);
    expect(opened.loaded).toBe(sealed().length);
    expect(onProgress).toHaveBeenLastCalledWith(sealed().length, sealed().length);
    expect(fetches.mock.calls[0]?.[1]).toMatchObject({
      credentials: 'omit',
      redirect: 'error',
      referrerPolicy: 'no-referrer',
    });
  });

  it('that was changed, cut, lengthened or put in another’s place is tampered with', async () => {
    const flipped = sealed();
    flipped[20_000] = (flipped[20_000] as number) ^ 1;
    const longer = new Uint8Array([...sealed(), 0]);
    for (const body of [flipped, sealed().slice(0, -1), longer, new Uint8Array(0)]) {
      fetches.mockResolvedValueOnce(answer(body));
      const found = await failure(openRole(await titleKey(), ROLE, located));
      expect(found).toEqual({ code: 'tampered', part: 'the picture' });
    }
    fetches.mockResolvedValueOnce(answer(sealed()));
    const elsewhere = openRole(await titleKey(), { ...ROLE, index: 8 }, located);
    expect((await failure(elsewhere)).code).toBe('tampered');
  });

  it('of another announced length is refused before its body is read', async () => {
    const response = answer(sealed(), 200, { 'content-length': '999' });
    fetches.mockResolvedValue(response);
    expect((await failure(openRole(await titleKey(), ROLE, located))).code).toBe('tampered');
    expect(response.bodyUsed).toBe(false);
  });

  it('whose address ran out is asked for once more under a fresh one', async () => {
    for (const status of [403, 400]) {
      fetches.mockReset();
      fetches.mockResolvedValueOnce(problem(status, 'url-expired'));
      fetches.mockResolvedValueOnce(answer(sealed()));
      const locate = vi.fn(located);
      await openRole(await titleKey(), ROLE, locate);
      expect(locate.mock.calls).toEqual([
        [ROLE, null],
        [ROLE, 'https://store.example/object'],
      ]);
    }
  });

  it('that stays refused is the store’s fault; one that is gone is missing', async () => {
    fetches.mockImplementation(async () => problem(403, 'signature-invalid'));
    const refused = await failure(openRole(await titleKey(), ROLE, located));
    expect(refused.code).toBe('store-unavailable');
    expect(fetches).toHaveBeenCalledTimes(2);
    fetches.mockImplementation(async () => problem(404, 'object-unknown'));
    const missing = await failure(openRole(await titleKey(), ROLE, located));
    expect(missing).toEqual({ code: 'object-missing', part: 'the picture' });
  });

  it('that can’t be fetched tells whether the device is offline', async () => {
    fetches.mockRejectedValue(new TypeError('Failed to fetch'));
    const unreachable = await failure(openRole(await titleKey(), ROLE, located));
    expect(unreachable.code).toBe('gateway-unreachable');
    vi.stubGlobal('navigator', { onLine: false });
    expect((await failure(openRole(await titleKey(), ROLE, located))).code).toBe('offline');
  });
});

describe('a Worker’s requests', () => {
  async function serve(expiresMs: number | null, act?: (jobs: Jobs) => void) {
    const report = vi.fn();
    const connection = new Connection(() => undefined);
    const right = Promise.resolve({ key: await titleKey(), expiresMs });
    const jobs = new Jobs(right, located, connection, report);
    const served = jobs.open(1, ROLE);
    act?.(jobs);
    await served;
    return report.mock.calls.map(([message]) => message as { event: string; failure?: Failure });
  }

  it('are answered with bytes that leave by transfer', async () => {
    fetches.mockResolvedValue(answer(sealed()));
    const messages = await serve(null);
    expect(messages.map(({ event }) => event)).toEqual(['progress', 'opened']);
  });

  it('are refused after the grant’s end', async () => {
    const messages = await serve(Date.now() - 1);
    expect(messages).toEqual([{ event: 'failed', id: 1, failure: { code: 'grant-expired' } }]);
    expect(fetches).not.toHaveBeenCalled();
  });

  it('that were aborted are not answered', async () => {
    fetches.mockImplementation(
      (_, { signal }) =>
        new Promise((_resolve, reject) => {
          const abort = () => reject(new DOMException('', 'AbortError'));
          signal?.addEventListener('abort', abort);
          // As `fetch` does: on a busy machine the abort comes before the call.
          if (signal?.aborted) abort();
        }),
    );
    expect(await serve(null, (jobs) => setTimeout(() => jobs.abort(1)))).toEqual([]);
  });
});

describe('a connection', () => {
  it('tries again what may pass, and tells of trouble once', async () => {
    vi.useFakeTimers();
    const reports: (Failure | null)[] = [];
    const connection = new Connection((trouble) => reports.push(trouble));
    const work = vi.fn(async () => {
      if (work.mock.calls.length < 4) throw new PlayerFailure('store-unavailable');
      return 'done';
    });
    const result = connection.persist(work);
    await vi.advanceTimersByTimeAsync(499);
    expect(work).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(work).toHaveBeenCalledTimes(2);
    await vi.advanceTimersByTimeAsync(3000);
    expect(await result).toBe('done');
    expect(reports).toEqual([{ code: 'store-unavailable' }, null]);
  });

  it('goes on at once when the network is back', async () => {
    vi.useFakeTimers();
    const connection = new Connection(() => undefined);
    const work = vi.fn(async () => {
      if (work.mock.calls.length < 2) throw new PlayerFailure('offline');
    });
    const result = connection.persist(work);
    await vi.advanceTimersByTimeAsync(1);
    dispatchEvent(new Event('online'));
    await result;
    expect(work).toHaveBeenCalledTimes(2);
  });

  it('never tries a broken seal again', async () => {
    const connection = new Connection(() => undefined);
    const work = vi.fn(() => Promise.reject(new PlayerFailure('tampered')));
    expect((await failure(connection.persist(work))).code).toBe('tampered');
    expect(work).toHaveBeenCalledOnce();
  });

  it('stops waiting when the request is aborted', async () => {
    vi.useFakeTimers();
    const controller = new AbortController();
    const connection = new Connection(() => undefined);
    const work = () => Promise.reject(new PlayerFailure('offline'));
    const result = connection.persist(work, controller.signal);
    const aborted = expect(result).rejects.toThrow('aborted');
    await vi.advanceTimersByTimeAsync(1);
    controller.abort();
    await aborted;
  });
});

describe('the gateway', () => {
  const gateway = new Gateway('https://veil.example', GRANT, 'the-bearer');

  it('is shown the bearer under its own address alone', async () => {
    fetches.mockResolvedValue(answer('#EXTM3U\n'));
    expect((await gateway.playlist('0'.repeat(32))).text).toBe('#EXTM3U\n');
    const [url, init] = fetches.mock.calls[0] ?? [];
    expect(url).toBe(`https://veil.example/v1/grants/${GRANT}/${'0'.repeat(32)}.m3u8?form=compact`);
    expect(init?.headers).toEqual({ Authorization: 'Bearer the-bearer' });
  });

  it.each([
    [401, 'bearer-wrong', 'secret-wrong'],
    [401, 'bearer-missing', 'secret-wrong'],
    [404, 'grant-unknown', 'link-unknown'],
    [404, 'object-unknown', 'object-missing'],
    [410, 'grant-expired', 'grant-expired'],
    [410, 'grant-revoked', 'grant-revoked'],
    [502, 'playlist-invalid', 'playlist-mismatch'],
    [503, 'store-unavailable', 'store-unavailable'],
    [500, 'surprise', 'gateway-broken'],
    [421, 'host-unknown', 'gateway-broken'],
  ] as const)('saying %i %s means %s', async (status, type, code) => {
    fetches.mockResolvedValue(problem(status, type));
    expect((await failure(gateway.grant())).code).toBe(code);
  });

  it('is understood by its status where a proxy answers in its place', () => {
    expect(failureOfProblem(401, null)).toBe('secret-wrong');
    expect(failureOfProblem(503, null)).toBe('store-unavailable');
    expect(failureOfProblem(404, null)).toBe('gateway-broken');
  });

  it('that answers nonsense or too much is broken', async () => {
    for (const body of ['<html>', '{}', 'x'.repeat(65 * 1024)]) {
      fetches.mockResolvedValueOnce(answer(body));
      expect((await failure(gateway.grant())).code).toBe('gateway-broken');
    }
  });

  it('may write addresses relative to itself, over http alone', () => {
    expect(gateway.resolve('/o/t/x?y=1')).toBe('https://veil.example/o/t/x?y=1');
    expect(gateway.resolve('https://store.example/x')).toBe('https://store.example/x');
    expect(() => gateway.resolve('javascript:alert(1)')).toThrow(PlayerFailure);
  });
});
