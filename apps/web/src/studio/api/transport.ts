/**
 * Requests of the page: with the session's proof, small reads together, and errors as the page tells them.
 *
 * Knows no route but the batch's. Invariants: what changes something carries the proof that this page sent it; an answer that is none
 * of 2xx is an error; the session's end is told once, to whoever listens.
 */

import createClient from 'openapi-fetch';
import { Batcher } from './batch';
import { type ApiError, errorOf } from './problem';
import type { components, paths } from './schema';

/** Nobody waits longer for an answer, except of uploads. */
const PATIENCE_MS = 30_000;
const PROOF = 'x-veilcast-csrf';

let proof = '';
let lost: () => void = () => undefined;

/** Sets the session's proof, which unsafe requests carry. */
export function setProof(text: string): void {
  proof = text;
}

/** Returns the headers that unsafe requests carry. */
export function proofHeaders(): Record<string, string> {
  return { [PROOF]: proof };
}

/** Says what is done when the session has ended. */
export function onSessionLost(run: () => void): void {
  lost = run;
}

async function bodyOf(answer: Response): Promise<unknown> {
  if (!answer.headers.get('content-type')?.includes('json')) return null;
  return answer.json().catch(() => null);
}

function once(request: Request): Promise<Response> {
  const limit = AbortSignal.timeout(PATIENCE_MS);
  const signal = AbortSignal.any([request.signal, limit]);
  return fetch(request, { signal, credentials: 'same-origin' });
}

/** Fetches; an answer that is none of 2xx is thrown. */
export async function fetched(request: Request): Promise<Response> {
  const isSafe = request.method === 'GET' || request.method === 'HEAD';
  const again = isSafe ? null : request.clone();
  if (!isSafe) request.headers.set(PROOF, proof);
  let answer = await once(request);
  if (answer.status === 403 && again !== null && (await isProofNew())) {
    again.headers.set(PROOF, proof);
    answer = await once(again);
  }
  if (answer.ok) return answer;
  throw told(errorOf(answer.status, await bodyOf(answer), answer.headers.get('retry-after')));
}

/** Another tab may have opened another session, and the cookie is of that one: tells whether its proof is another. */
async function isProofNew(): Promise<boolean> {
  const before = proof;
  const answer = await once(new Request('/v1/session')).catch(() => null);
  const body = answer?.ok === true ? ((await answer.json()) as { csrf: string }) : null;
  if (body !== null) proof = body.csrf;
  return proof !== before;
}

function told(error: ApiError): ApiError {
  if (error.fault === 'session') lost();
  return error;
}

type BatchAnswers = components['schemas']['BatchAnswers'];

async function together(paths: readonly string[]): Promise<readonly Response[]> {
  const requests = paths.map((path, index) => ({ id: String(index), path }));
  const request = new Request('/v1/batch', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ requests }),
  });
  const { responses } = (await (await fetched(request)).json()) as BatchAnswers;
  return paths.map((_, index) => {
    const found = responses.find(({ id }) => id === String(index));
    return Response.json(found?.body ?? null, { status: found?.status ?? 502 });
  });
}

const batcher = new Batcher<Response>(
  {
    together,
    alone: (path) => fetched(new Request(path)),
    copy: (answer) => answer.clone(),
  },
  (run) => void setTimeout(run),
);

/** What may travel with others: reads of JSON below `/v1/`, without conditions. */
function mayJoin({ method, url }: Request): boolean {
  return method === 'GET' && new URL(url).pathname.startsWith('/v1/');
}

/** Fetches, small reads together; an answer that is none of 2xx is thrown. */
async function travelled(request: Request): Promise<Response> {
  if (!mayJoin(request)) return fetched(request);
  const { pathname, search } = new URL(request.url);
  const answer = await batcher.get(pathname + search);
  if (answer.ok) return answer;
  throw told(errorOf(answer.status, await bodyOf(answer)));
}

/** The interface, by its routes. */
export const client = createClient<paths>({ baseUrl: location.origin, fetch: travelled });

/** Returns what was answered; failures have been thrown. */
export async function dataOf<T>(answer: Promise<{ data?: T }>): Promise<T> {
  return (await answer).data as T;
}
