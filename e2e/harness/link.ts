/**
 * A bad line between viewer and gateway: slow, refusing, cut or led elsewhere, as a test says.
 *
 * A plain HTTP proxy. The gateway sees its own name; the viewer sees the proxy's, which is `localhost`, so that passkeys work.
 */

import {
  createServer,
  request,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';

/** Bytes that are passed on at once where the line is slow. */
const PIECE_BYTES = 4096;

/** A line whose bytes have to wait for each other. */
class Meter {
  #freeAtMs = 0;

  /** Waits until `bytes` have gone over a line of `bitsPerSecond`. */
  async pass(bytes: number, bitsPerSecond: number): Promise<void> {
    const now = performance.now();
    this.#freeAtMs = Math.max(this.#freeAtMs, now) + (bytes * 8000) / bitsPerSecond;
    await sleep(this.#freeAtMs - now);
  }
}

/** The line. */
export class Line {
  /** Bits a second for everybody together, `null` for no bound. */
  bitsPerSecond: number | null = null;
  /** Added before each answer. */
  latencyMs = 0;
  /** Whether nobody answers. */
  isCut = false;
  /** Tells the status that a request is refused with, `null` to pass it on. */
  refuse: (url: URL) => number | null = () => null;
  /** Requests for objects so far, and those that were refused. */
  objects = 0;
  refused = 0;
  /** Requests under way. */
  open = 0;
  readonly #meter = new Meter();

  private constructor(
    private readonly server: Server,
    /** The gateway's origin; may change. */
    public target: string,
  ) {}

  static async to(target: string): Promise<Line> {
    const server = createServer((incoming, outgoing) => void line.#serve(incoming, outgoing));
    const line = new Line(server, target);
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    return line;
  }

  /** The viewer's side of a link. */
  link(link: string): string {
    const { port } = this.server.address() as AddressInfo;
    const { pathname, hash } = new URL(link);
    return `http://localhost:${port}${pathname}${hash}`;
  }

  close(): void {
    this.server.closeAllConnections();
    this.server.close();
  }

  async #serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    this.open++;
    outgoing.on('close', () => this.open--);
    const url = new URL(incoming.url ?? '', this.target);
    if (url.pathname.startsWith('/o/')) this.objects++;
    await sleep(this.latencyMs);
    if (this.isCut) return void incoming.destroy();
    const status = this.refuse(url);
    if (status !== null) {
      this.refused++;
      return void outgoing.writeHead(status).end();
    }
    const headers = { ...incoming.headers, host: url.host };
    const onward = request(url, { method: incoming.method ?? 'GET', headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      pipeline(answer, (source) => this.#slow(source), outgoing).catch(() => outgoing.destroy());
    });
    onward.on('error', () => outgoing.destroy());
    outgoing.on('close', () => onward.destroy());
    incoming.pipe(onward);
  }

  async *#slow(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const bytes of source) {
      for (let at = 0; at < bytes.length;) {
        const rate = this.bitsPerSecond;
        const piece = bytes.subarray(at, rate === null ? bytes.length : at + PIECE_BYTES);
        if (rate !== null) await this.#meter.pass(piece.length, rate);
        if (this.isCut) throw new Error('the line is cut');
        yield piece;
        at += piece.length;
      }
    }
  }
}
