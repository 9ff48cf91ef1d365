/** When a kept copy answers, and when the network does. */

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { fetchOrKept as Fetch } from '../src/vault/kept';
import { keptAddress, keptCache } from '../src/vault/kept-places';

const GRANT = '0a'.repeat(16);
const NAME = '1b'.repeat(16);
const API = `https://veil.example/v1/grants/${GRANT}`;
const OBJECT = `https://bucket.example/t/${'2c'.repeat(16)}/${NAME}?X-Amz-Signature=1`;

/** As much of a browser's caches as copies need. */
class Caches {
  readonly all = new Map<string, Map<string, string>>();

  put(address: string, text: string): void {
    const cache = this.all.get(keptCache(GRANT)) ?? new Map<string, string>();
    this.all.set(keptCache(GRANT), cache.set(address, text));
  }

  keys(): Promise<string[]> {
    return Promise.resolve([...this.all.keys()]);
  }

  match(address: string): Promise<Response | undefined> {
    const found = [...this.all.values()].find((cache) => cache.has(address))?.get(address);
    return Promise.resolve(found === undefined ? undefined : new Response(found));
  }
}

let caches: Caches;
let network: ReturnType<typeof vi.fn>;
let fetchOrKept: typeof Fetch;

beforeEach(async () => {
  caches = new Caches();
  network = vi.fn(() => Promise.resolve(new Response('network')));
  vi.stubGlobal('caches', caches);
  vi.stubGlobal('navigator', { onLine: true });
  vi.stubGlobal('fetch', network);
  vi.resetModules();
  ({ fetchOrKept } = await import('../src/vault/kept'));
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const gone = () => network.mockRejectedValue(new TypeError('Failed to fetch'));
const asked = async (url: string, init: RequestInit = {}) => (await fetchOrKept(url, init)).text();

describe('an object', () => {
  it('comes from its copy, wherever its address leads', async () => {
    caches.put(keptAddress.object(NAME, null), 'kept');
    expect(await asked(OBJECT)).toBe('kept');
    expect(await asked(`https://other.example/${NAME}`)).toBe('kept');
    expect(network).not.toHaveBeenCalled();
  });

  it('comes from the network where it is not kept', async () => {
    caches.put(keptAddress.object('3d'.repeat(16), null), 'another');
    expect(await asked(OBJECT)).toBe('network');
    expect(await asked('https://veil.example/other.js')).toBe('network');
  });

  it('that is a part answers as that part, and as no other', async () => {
    caches.put(keptAddress.object(NAME, 'bytes=56-99'), 'kept');
    const part = await fetchOrKept(OBJECT, { headers: { Range: 'bytes=56-99' } });
    expect([part.status, part.headers.get('content-range')]).toEqual([206, 'bytes 56-99/*']);
    expect(await part.text()).toBe('kept');
    expect(await asked(OBJECT, { headers: { Range: 'bytes=56-98' } })).toBe('network');
    expect(await asked(OBJECT)).toBe('network');
  });
});

describe('grants and playlists', () => {
  beforeEach(() => {
    caches.put(keptAddress.grant(GRANT), 'kept grant');
    caches.put(keptAddress.playlist(NAME), 'kept playlist');
  });

  it('are the network’s word while it can be heard', async () => {
    expect(await asked(API)).toBe('network');
    expect(await asked(`${API}/${NAME}.m3u8?form=compact`)).toBe('network');
    network.mockResolvedValue(new Response('revoked', { status: 410 }));
    expect(await asked(API)).toBe('revoked');
  });

  it('are the copy’s where the network is gone, broken or silent', async () => {
    gone();
    expect(await asked(API)).toBe('kept grant');
    expect(await asked(`${API}/${NAME}.m3u8?form=compact`)).toBe('kept playlist');
    network.mockResolvedValue(new Response('busy', { status: 503 }));
    expect(await asked(API)).toBe('kept grant');
    vi.useFakeTimers();
    network.mockReturnValue(new Promise(() => undefined));
    const waiting = asked(API);
    await vi.advanceTimersByTimeAsync(5000);
    expect(await waiting).toBe('kept grant');
  });

  it('are not waited for where the device knows that there is no network', async () => {
    vi.stubGlobal('navigator', { onLine: false });
    expect(await asked(API)).toBe('kept grant');
    expect(network).not.toHaveBeenCalled();
  });

  it('fail as the network fails where nothing is kept, and where the request was given up', async () => {
    gone();
    await expect(asked(`https://veil.example/v1/grants/${NAME}`)).rejects.toThrow(TypeError);
    const signal = AbortSignal.abort();
    await expect(fetchOrKept(API, { signal })).rejects.toThrow(TypeError);
  });

  it('are found though they were kept after the first look', async () => {
    caches.all.clear();
    expect(await asked(OBJECT)).toBe('network');
    caches.put(keptAddress.object(NAME, null), 'kept');
    gone();
    expect(await asked(OBJECT)).toBe('kept');
  });
});

describe('signing', () => {
  const sign = (name: string) =>
    fetchOrKept(`${API}/sign`, { method: 'POST', body: JSON.stringify({ names: [name] }) });

  it('names an address at which the copy is found', async () => {
    caches.put(keptAddress.object(NAME, null), 'kept');
    gone();
    const { urls } = (await (await sign(NAME)).json()) as { urls: Record<string, string> };
    expect(await asked(urls[NAME] ?? '')).toBe('kept');
  });

  it('says of what is not kept that it is missing, so that nobody waits for it', async () => {
    caches.put(keptAddress.grant(GRANT), 'kept grant');
    gone();
    const answer = await sign(NAME);
    expect([answer.status, await answer.json()]).toEqual([404, { type: 'object-unknown' }]);
  });
});

it('without caches, everything is the network’s', async () => {
  vi.stubGlobal('caches', undefined);
  vi.resetModules();
  ({ fetchOrKept } = await import('../src/vault/kept'));
  expect(await asked(API)).toBe('network');
});
