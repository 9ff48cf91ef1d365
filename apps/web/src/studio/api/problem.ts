/**
 * What went wrong with a request, as the page tells a person.
 *
 * Pure: an answer's status, headers and body go in (RFC 9457), an error comes out. Knows no words.
 */

/** Why a request failed, as far as the page acts on it. */
export type Fault =
  'unreachable' | 'session' | 'missing' | 'conflict' | 'busy' | 'refused' | 'broken';

const FAULTS: Readonly<Record<number, Fault>> = {
  401: 'session',
  404: 'missing',
  410: 'missing',
  409: 'conflict',
  412: 'conflict',
  428: 'conflict',
  429: 'busy',
  503: 'busy',
};

/** A request that failed. */
export class ApiError extends Error {
  constructor(
    readonly fault: Fault,
    /** HTTP's status, 0 where there was no answer. */
    readonly status: number,
    /** What the server said, for a person to read; may be empty. */
    readonly detail: string,
    /** Seconds after which it is worth asking again. */
    readonly retryAfterS: number | null = null,
  ) {
    super(detail === '' ? `${fault} (${status})` : detail);
    this.name = 'ApiError';
  }
}

/** Returns the error of an answer that is none of 2xx. */
export function errorOf(status: number, body: unknown, retryAfter: string | null = null): ApiError {
  const fault = FAULTS[status] ?? (status >= 500 ? 'broken' : 'refused');
  const said = typeof body === 'object' && body !== null ? body : {};
  const { detail, title } = said as { detail?: unknown; title?: unknown };
  const text = [detail, title].find((part) => typeof part === 'string' && part !== '');
  const seconds = Number(retryAfter ?? Number.NaN);
  const after = Number.isFinite(seconds) && seconds >= 0 ? seconds : null;
  return new ApiError(fault, status, typeof text === 'string' ? text : '', after);
}

/** Returns an error as one of ours: what isn't was thrown by the network. */
export function faultOf(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  return new ApiError('unreachable', 0, '');
}
