/**
 * Requests of the page: with the session's proof, small reads together, and errors as the page tells them.
 *
 * Knows no route. Invariants: what changes something carries the proof that this page sent it; an answer that is none
 * of 2xx is an error; the session's end is told once, to whoever listens.
 */

import { Batcher, type Answer } from './batch';
import { ApiError, errorOf } from './problem';

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

/** Fetches; an answer that is none of 2xx is thrown. */
export async function fetched(request: Request): Promise<Response> {
  if (request.method !== 'GET' && request.method !== 'HEAD') request.headers.set(PROOF, proof);
  const limit = AbortSignal.timeout(PATIENCE_MS);
  const signal = AbortSignal.any([request.signal, limit]);
  const answer = await fetch(request, { signal, credentials: 'same-origin' });
  if (answer.ok) return answer;
  throw told(errorOf(answer.status, await bodyOf(answer), answer.headers.get('retry-after')));
}

function told(error: ApiError): ApiError {
  if (error.fault === 'session') lost();
  return error;
}

interface BatchBody {
  readonly responses: readonly { readonly id: string; readonly status: number; body: unknown }[];
}

async function together(paths: readonly string[]): Promise<readonly Answer[]> {
  const requests = paths.map((path, index) => ({ id: String(index), method: 'GET', path }));
  const request = new Request('/v1/batch', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ requests }),
  });
  const { responses } = (await (await fetched(request)).json()) as BatchBody;
  return paths.map((_, index) => {
    const found = responses.find(({ id }) => id === String(index));
    return found ?? { status: 502, body: null };
  });
}

const batcher = new Batcher(
  {
    together,
    alone: async (path) => {
      const answer = await fetched(new Request(path));
      return { status: answer.status, body: await bodyOf(answer) };
    },
  },
  (run) => void setTimeout(run),
);

/** Reads JSON, together with what else is read at this moment. */
export async function read<T>(path: string): Promise<T> {
  const { status, body } = await batcher.get(path);
  if (status < 200 || status > 299) throw told(errorOf(status, body));
  return body as T;
}
