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

/** Begins: with the token of the address, or else with the session that there is. */
export async function start(): Promise<void> {
  onSessionLost(() => (state = 'locked'));
  const token = tokenOf(location.hash);
  if (token !== null) history.replaceState(null, '', addressOf('library'));
  try {
    if (token === null) await ask(new Request('/v1/session'));
    else await open({ token });
  } catch (error) {
    state = isUnreachable(faultOf(error)) ? 'unreachable' : 'locked';
  }
}

function isUnreachable({ fault }: ApiError): boolean {
  return fault === 'unreachable' || fault === 'broken' || fault === 'busy';
}
