/**
 * News from the server: one connection for all tabs of this browser.
 *
 * The tab that holds a lock has the connection and passes on what it hears; when it goes, the next one connects.
 * Knows nothing of what the news are about. Invariant: whoever may have missed something is told to ask anew (`resync`).
 */

/** News: the event's name, and what it says. */
export interface News {
  readonly name: string;
  readonly data: unknown;
}

/** Whether news arrive. */
export type Line = 'open' | 'lost';

/** Who is told. */
export interface Listener {
  news(news: News): void;
  /** Something may have been missed: ask for everything anew. */
  resync(): void;
  line(line: Line): void;
}

type Passed =
  | { readonly kind: 'news'; readonly news: News }
  | { readonly kind: 'line'; readonly line: Line }
  | { readonly kind: 'resync' }
  | { readonly kind: 'hello' };

const CHANNEL = 'veilcast-live';
const ADDRESS = '/v1/events';
/** Wait before another connection, where the browser itself gave up. */
const AGAIN_MS = 3000;

/** Events by name, as the server sends them. */
export const NAMES = ['job', 'queue', 'media', 'production', 'title'] as const;

/** Returns an event's data, `undefined` where it is no JSON. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** Listens until `signal` ends it. */
export function listen(listener: Listener, signal: AbortSignal): void {
  const channel = new BroadcastChannel(CHANNEL);
  let line: Line = 'lost';
  let leads = false;
  const take = (passed: Passed): void => {
    if (passed.kind === 'news') listener.news(passed.news);
    else if (passed.kind === 'resync') listener.resync();
    else if (passed.kind === 'line') listener.line((line = passed.line));
    else if (leads) channel.postMessage({ kind: 'line', line } satisfies Passed);
  };
  const pass = (passed: Passed): void => {
    channel.postMessage(passed);
    take(passed);
  };
  channel.addEventListener('message', ({ data }: MessageEvent<Passed>) => take(data), { signal });
  channel.postMessage({ kind: 'hello' } satisfies Passed);
  signal.addEventListener('abort', () => channel.close());
  const lead = async (): Promise<void> => {
    leads = true;
    await connect(pass, signal);
  };
  navigator.locks.request(CHANNEL, { signal }, lead).catch(() => undefined);
}

/** Has the connection until `signal` ends it. */
function connect(pass: (passed: Passed) => void, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    let source: EventSource | null = null;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let isFirst = true;
    const open = (): void => {
      source = new EventSource(ADDRESS);
      for (const name of NAMES) {
        source.addEventListener(name, ({ data }: MessageEvent<string>) => {
          pass({ kind: 'news', news: { name, data: parsed(data) } });
        });
      }
      // The server no longer knows what this browser missed.
      source.addEventListener('reset', () => pass({ kind: 'resync' }));
      source.addEventListener('open', () => {
        pass({ kind: 'line', line: 'open' });
        // The browser itself asks for what it missed; a connection of ours begins anew.
        if (isFirst) pass({ kind: 'resync' });
        isFirst = false;
      });
      source.addEventListener('error', () => {
        pass({ kind: 'line', line: 'lost' });
        if (source?.readyState !== EventSource.CLOSED) return;
        isFirst = true;
        timer = setTimeout(open, AGAIN_MS);
      });
    };
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      source?.close();
      resolve();
    });
    open();
  });
}
