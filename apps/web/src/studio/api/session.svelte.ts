/**
 * Who this page is to the server: a session that the printed address opens, and that a cookie keeps.
 *
 * Invariant: the token leaves the address bar and the history before anything else is asked for.
 */

import { addressOf, tokenOf } from '../route';
import { ApiError, faultOf } from './problem';
import { fetched, onSessionLost, setProof } from './transport';

/** Where the session stands. */
export type SessionState = 'starting' | 'open' | 'locked' | 'unreachable';

let state: SessionState = $state('starting');

/** The session, for who shows it. */
export const session = {
  get state(): SessionState {
    return state;
  },
};

async function ask(request: Request): Promise<void> {
  const answer = await fetched(request);
  const { csrf } = (await answer.json()) as { csrf: string };
  setProof(csrf);
  onSessionLost(() => (state = 'locked'));
  state = 'open';
}

/** Opens a session by a token or a password; throws what the server says against it. */
export async function open(secret: { token: string } | { password: string }): Promise<void> {
  await ask(
    new Request('/v1/session', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(secret),
    }),
  );
}

/** Begins: with the session that there is, so that tabs share one, or else with the token of the address. */
export async function start(): Promise<void> {
  const token = tokenOf(location.hash);
  if (token !== null) history.replaceState(null, '', addressOf('library'));
  try {
    await ask(new Request('/v1/session'));
    return;
  } catch (error) {
    if (token === null || faultOf(error).fault !== 'session') {
      state = isUnreachable(faultOf(error)) ? 'unreachable' : 'locked';
      return;
    }
  }
  try {
    await open({ token });
  } catch (error) {
    state = isUnreachable(faultOf(error)) ? 'unreachable' : 'locked';
  }
}

/** Asks whether the session still holds, when the studio was away: one that began anew knows it no more. */
export async function look(): Promise<void> {
  await fetched(new Request('/v1/session')).catch(() => undefined);
}

function isUnreachable({ fault }: ApiError): boolean {
  return fault === 'unreachable' || fault === 'broken' || fault === 'busy';
}
