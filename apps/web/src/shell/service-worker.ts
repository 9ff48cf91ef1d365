/**
 * The service worker: the page opens without a network, and is never older than the network's.
 *
 * Owns one cache a build, with exactly the files whose hashes the build named. Knows nothing of titles, links or keys:
 * what is fetched by scripts passes it by, and what it feeds to a video comes from the page. Invariants: a file whose hash is another is not kept; the page itself comes
 * from the network where there is one, with its headers of today.
 */

import { answerFrom, FEEDS, type FeedQuestion } from './feed-answer';
import { nameOf, sha256, type Files } from './files';

/** What the build names: `build/finish.ts` replaces it. */
declare const __APP_FILES__: Files;
declare const __APP_PAGE__: { readonly index: string; readonly atRoot: boolean };
declare const __APP_VERSION__: string;

interface LongEvent extends Event {
  waitUntil(work: Promise<unknown>): void;
}

interface InstallEvent extends LongEvent {
  /** Service Worker Static Routing; absent in some browsers. */
  addRoutes?(rule: { condition: object; source: string }): Promise<void>;
}

interface FetchEvent extends LongEvent {
  readonly request: Request;
  readonly preloadResponse: Promise<Response | undefined>;
  readonly clientId: string;
  respondWith(answer: Promise<Response>): void;
}

interface WindowClient {
  postMessage(message: FeedQuestion, transfer: Transferable[]): void;
}

interface WorkerScope {
  readonly clients: { get(id: string): Promise<WindowClient | undefined>; claim(): Promise<void> };
  readonly registration: ServiceWorkerRegistration;
  skipWaiting(): Promise<void>;
  addEventListener(type: 'install', listener: (event: InstallEvent) => void): void;
  addEventListener(type: 'activate', listener: (event: LongEvent) => void): void;
  addEventListener(type: 'message', listener: (event: LongEvent) => void): void;
  addEventListener(type: 'fetch', listener: (event: FetchEvent) => void): void;
}

/** Read once, so that each hash stands once in the built worker: an exported page has another index. */
const FILES = __APP_FILES__;
const { index: INDEX, atRoot: AT_ROOT } = __APP_PAGE__;
/** The folder that the page lies in, `w/` for example. */
const FOLDER = INDEX.slice(0, INDEX.indexOf('/') + 1);
const PREFIX = 'veilcast-app-';
const CACHE = PREFIX + __APP_VERSION__;
/** A network that says nothing for so long counts as none. */
const PATIENCE_MS = 4000;
const POLICY = 'content-security-policy';
/** Headers that are about the bytes as they travelled. */
const OF_TRANSPORT = ['content-encoding', 'content-length', 'vary', 'date'];

const scope = globalThis as unknown as WorkerScope;
const root = new URL('./', location.href);
const addressOf = (name: string): string => new URL(name, root).href;

/** An answer of the same headers that no longer depends on how it came. */
function detached(answer: Response, body: BodyInit): Response {
  const headers = new Headers(answer.headers);
  for (const name of OF_TRANSPORT) headers.delete(name);
  return new Response(body, { headers });
}

/** Keeps a file if it is the one that the build named, and tells whether it is. */
async function keep(name: string, answer: Response): Promise<boolean> {
  const bytes = new Uint8Array(await answer.arrayBuffer());
  if (!answer.ok || (await sha256(bytes)) !== FILES[name]) return false;
  await (await caches.open(CACHE)).put(addressOf(name), detached(answer, bytes));
  return true;
}

async function fetchAndKeep(name: string): Promise<void> {
  const address = addressOf(name);
  const known = await caches.match(address);
  if (known && (await keep(name, known))) return;
  // Names of assets change with their content; all others are asked for anew.
  const cache = name.startsWith('assets/') ? 'default' : 'no-cache';
  const answer = await fetch(address, { cache, credentials: 'omit' });
  if (!(await keep(name, answer))) throw new Error(`${name} is not what the build named`);
}

/** A worker that has not got every file is none: the one before goes on. */
async function install(): Promise<void> {
  await Promise.all(Object.keys(FILES).map(fetchAndKeep));
  await scope.skipWaiting();
}

/** The build before stays: pages that are open may still ask for its files. */
async function activate(): Promise<void> {
  const ours = (await caches.keys()).filter((name) => name.startsWith(PREFIX) && name !== CACHE);
  await Promise.all(ours.slice(0, -1).map((name) => caches.delete(name)));
  await scope.registration.navigationPreload?.enable();
}

function late(): Promise<never> {
  return new Promise((_, reject) => setTimeout(() => reject(new Error('late')), PATIENCE_MS));
}

/** The page: today's where the network has it, else the one that was kept. */
async function page(event: FetchEvent): Promise<Response> {
  const fresh = (async () => (await event.preloadResponse) ?? fetch(event.request))();
  try {
    const answer = await Promise.race([fresh, late()]);
    if (answer.status < 500) {
      event.waitUntil(keep(INDEX, answer.clone()).catch(() => false));
      return answer;
    }
  } catch {
    // There is no network, or none that answers.
  }
  const kept = await (await caches.open(CACHE)).match(addressOf(INDEX));
  return kept ?? fresh;
}

/** A file of the page. Workers live under the policy of their script, so it is the page's of today. */
async function file(request: Request): Promise<Response> {
  const kept = await caches.match(request.url);
  if (!kept) return fetch(request);
  const index = await caches.match(addressOf(INDEX));
  const policy = index?.headers.get(POLICY);
  if (!policy || !kept.headers.has(POLICY)) return kept;
  const answer = detached(kept, await kept.arrayBuffer());
  answer.headers.set(POLICY, policy);
  return answer;
}

scope.addEventListener('install', (event) => {
  // What scripts fetch (grants, playlists, objects) needs no detour through this worker.
  const rule = { condition: { requestDestination: '' }, source: 'network' };
  event.addRoutes?.(rule).catch(() => undefined);
  event.waitUntil(install());
});

scope.addEventListener('activate', (event) => event.waitUntil(activate()));

/** A page that wants to be fed needs this worker at once, and says so. */
scope.addEventListener('message', (event) => event.waitUntil(scope.clients.claim()));

async function fed({ clientId, request }: FetchEvent, name: string): Promise<Response> {
  const client = await scope.clients.get(clientId);
  if (client === undefined) return Response.error();
  return answerFrom(name, request, (question, port) => client.postMessage(question, [port]));
}

scope.addEventListener('fetch', (event) => {
  const { request } = event;
  const name = nameOf(new URL(request.url), root);
  if (name === null || request.method !== 'GET') return;
  if (name.startsWith(FEEDS)) {
    event.respondWith(fed(event, name));
  } else if (request.mode === 'navigate') {
    if (name.startsWith(FOLDER) || (AT_ROOT && name === '')) event.respondWith(page(event));
  } else if (name.startsWith('assets/') || (name in FILES && name !== INDEX)) {
    event.respondWith(file(request));
  }
});
