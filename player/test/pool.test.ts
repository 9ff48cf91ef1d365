/**
 * Many players, few Workers: how work is spread, what ends with a playback, and what never reaches another.
 *
 * The Workers' code runs here, in front of a gateway in memory; their messages go through `structuredClone`, as between threads.
 */

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { VaultClient, type ClientEvents } from '../src/engine/client';
import { openerCount, Pool, type WorkerLike } from '../src/engine/pool';
import type { OfPlayback, VaultReport, VaultRequest } from '../src/protocol';
import { Opening } from '../src/vault/opening';
import { Kind, type Role } from '../src/vault/role';
import { UnwrapCache } from '../src/vault/unwrap-cache';
import { Viewing } from '../src/vault/viewing';
import { BASE, FakeServer, GRANT, role } from './fake-server';

const LINK = { gateway: BASE, grantId: GRANT.grant, secret: GRANT.fragment };

/** A Worker that does nothing but note what it was asked. */
class FakeWorker implements WorkerLike {
  readonly asked: (VaultRequest & { port?: MessagePort })[] = [];
  readonly terminate = vi.fn();
  readonly #listeners = new Map<string, (event: Event) => void>();

  postMessage(message: unknown): void {
    this.asked.push(message as VaultRequest);
  }

  addEventListener(type: string, listener: (event: Event) => void): void {
    this.#listeners.set(type, listener);
  }

  say(report: VaultReport & OfPlayback): void {
    this.#listeners.get('message')?.({ data: report } as never);
  }

  fail(): void {
    this.#listeners.get('error')?.({} as never);
  }

  opens(): number[] {
    return this.asked.filter(({ op }) => op === 'open').map(({ playback }) => playback);
  }
}

function events() {
  return {
    onTitle: vi.fn(),
    onIdentityNeeded: vi.fn(),
    onUnlocking: vi.fn(),
    onStopped: vi.fn(),
    onTrouble: vi.fn(),
  } satisfies ClientEvents;
}

function poolOfFakes(openers = 2) {
  const workers: FakeWorker[] = [];
  const spawn = () => workers[workers.push(new FakeWorker()) - 1] as FakeWorker;
  const pool = new Pool({ vault: spawn, opener: spawn }, openers);
  return { pool, workers: workers as [FakeWorker, FakeWorker, FakeWorker] };
}

const segment = (index: number): Role => role(Kind.segment, 1, index);

describe('a pool', () => {
  it('has two Workers, and a third where there is a processor for it', () => {
    expect([undefined, 1, 2, 3, 64].map(openerCount)).toEqual([1, 1, 1, 2, 2]);
  });

  it('spreads the work of all players by load, openers first', () => {
    const { pool, workers } = poolOfFakes();
    const [a, b] = [new VaultClient(pool, events()), new VaultClient(pool, events())];
    for (let index = 0; index < 3; index++) a.open(segment(index));
    for (let index = 0; index < 3; index++) b.open(segment(index));
    expect(workers.map((worker) => worker.opens())).toEqual([
      [0, 1],
      [0, 1],
      [0, 1],
    ]);
  });

  it('gives a Worker that is done or was relieved more to do', async () => {
    const { pool, workers } = poolOfFakes(1);
    const client = new VaultClient(pool, events());
    const first = client.open(segment(0));
    client.open(segment(1));
    first.abort();
    first.abort();
    expect(workers[1].asked.at(-1)).toEqual({ op: 'abort', playback: 0, id: 0 });
    const third = client.open(segment(2));
    expect(workers.map((worker) => worker.opens().length)).toEqual([1, 2]);
    workers[1].say({ event: 'failed', playback: 0, id: 2, failure: { code: 'tampered' } });
    await expect(third.done).rejects.toThrow('tampered');
    client.open(segment(3));
    expect(workers.map((worker) => worker.opens().length)).toEqual([1, 3]);
  });

  it('lets a playback hear of itself alone, and of nothing after its end', async () => {
    const { pool, workers } = poolOfFakes();
    const [heardA, heardB] = [events(), events()];
    const [a, b] = [new VaultClient(pool, heardA), new VaultClient(pool, heardB)];
    const jobs = [a.open(segment(0)), b.open(segment(0))];
    const settled = vi.fn();
    for (const { done } of jobs) done.then(settled, settled);
    workers[1].say({ event: 'trouble', playback: 1, failure: { code: 'offline' } });
    expect(heardA.onTrouble).not.toHaveBeenCalled();
    expect(heardB.onTrouble).toHaveBeenCalledExactlyOnceWith({ code: 'offline' });
    a.destroy();
    expect(workers.map(({ asked }) => asked.at(-1))).toEqual(
      workers.map(() => ({ op: 'end', playback: 0 })),
    );
    workers[1].say({ event: 'failed', playback: 0, id: 0, failure: { code: 'tampered' } });
    await Promise.resolve();
    expect(settled).not.toHaveBeenCalled();
    expect(workers.reduce((sum, { asked }) => sum + asked.length, 0)).toBe(2 + 3);
  });

  it('frees what a closed player kept busy', () => {
    const { pool, workers } = poolOfFakes(1);
    const [a, b] = [new VaultClient(pool, events()), new VaultClient(pool, events())];
    a.open(segment(0));
    a.destroy();
    b.open(segment(0));
    expect(workers[1].opens()).toEqual([0, 1]);
  });

  it('that loses a Worker ends every playback once and is of no more use', () => {
    const { pool, workers } = poolOfFakes();
    const heard = [events(), events()];
    const clients = heard.map((one) => new VaultClient(pool, one));
    workers[2].fail();
    workers[0].fail();
    expect(pool.isLost).toBe(true);
    for (const one of heard) {
      expect(one.onStopped).toHaveBeenCalledExactlyOnceWith({ code: 'browser-unsupported' });
    }
    for (const worker of workers) expect(worker.terminate).toHaveBeenCalledOnce();
    for (const client of clients) client.destroy();
    expect(workers.flatMap(({ asked }) => asked)).toEqual([]);
  });
});

describe('a playback in the Workers', () => {
  let server: FakeServer;

  beforeEach(() => {
    server = new FakeServer();
    vi.stubGlobal('fetch', server.fetch);
    vi.stubGlobal('navigator', { onLine: true });
    const target = new EventTarget();
    vi.stubGlobal('addEventListener', target.addEventListener.bind(target));
    vi.stubGlobal('removeEventListener', target.removeEventListener.bind(target));
    vi.useFakeTimers({ toFake: ['Date'], now: Date.parse('2026-11-21T00:00:00Z') });
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  function begin(cache = new UnwrapCache(), secret: string = LINK.secret) {
    const reports: VaultReport[] = [];
    const arrived: { event: string; wake(): void }[] = [];
    const hear = (report: VaultReport): void => {
      reports.push(report);
      arrived.filter(({ event }) => event === report.event).forEach(({ wake }) => wake());
    };
    const until = (event: VaultReport['event']) =>
      new Promise<void>((wake) => arrived.push({ event, wake }));
    const { port1, port2 } = new MessageChannel();
    const opening = new Opening(port2, hear);
    const viewing = new Viewing({ ...LINK, secret }, [port1], cache, hear);
    const end = (): void => {
      viewing.end();
      opening.end();
    };
    return { viewing, opening, reports, until, end };
  }

  it('has its key in an opener by its own port', async () => {
    const one = begin();
    const failed = one.until('failed');
    // The gateway answers whatever it does not know with a playlist, which is no sealed object.
    one.opening.open(7, role(Kind.segment, 1, 0));
    await failed;
    expect(one.reports.map(({ event }) => event)).toEqual(expect.arrayContaining(['title']));
    expect(one.reports.find(({ event }) => event === 'failed')).toMatchObject({
      id: 7,
      failure: { code: 'tampered', part: 'the picture' },
    });
    one.end();
  });

  it('with a wrong secret opens nothing though the right one is remembered', async () => {
    const cache = new UnwrapCache();
    const right = begin(cache);
    await right.until('title');
    expect(cache.size).toBe(1);
    const secret = `${GRANT.fragment.startsWith('A') ? 'B' : 'A'}${GRANT.fragment.slice(1)}`;
    const wrong = begin(cache, secret);
    await wrong.until('stopped');
    expect(wrong.reports.at(-1)).toEqual({ event: 'stopped', failure: { code: 'secret-wrong' } });
    right.end();
    wrong.end();
  });

  it('says and asks nothing after its end', async () => {
    let answer = (): void => undefined;
    const gate = new Promise<void>((resolve) => (answer = resolve));
    const signals: AbortSignal[] = [];
    vi.stubGlobal('fetch', async (url: string, init: RequestInit) => {
      signals.push(init.signal as AbortSignal);
      await gate;
      return server.fetch(url, init);
    });
    const one = begin();
    await vi.waitFor(() => expect(signals).toHaveLength(1));
    one.viewing.open(1, role(Kind.segment, 1, 0));
    one.opening.open(2, role(Kind.segment, 1, 0));
    one.end();
    expect(signals[0]?.aborted).toBe(true);
    answer();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(one.reports).toEqual([]);
    expect(server.requests.length).toBeLessThanOrEqual(1);
  });

  it('forgets a passphrase that nobody asked for', () => {
    const one = begin();
    const passphrase = new Uint8Array([1, 2, 3]);
    one.viewing.bring({ passphrase });
    expect(passphrase).toEqual(new Uint8Array(3));
    one.end();
  });
});
