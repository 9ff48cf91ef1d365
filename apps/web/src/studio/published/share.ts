/**
 * What a share is at a moment, and how long a new one lasts.
 *
 * Pure: the moment is an argument.
 */

import type { Grant } from '../api/model';

/** How long a share can be asked to last. */
export const LIFETIMES = ['day', 'week', 'month', 'ever'] as const;

/** One of them. */
export type Lifetime = (typeof LIFETIMES)[number];

/** Lifetimes as the server takes them. */
export const EXPIRIES: Readonly<Record<Lifetime, string>> = {
  day: '1d',
  week: '7d',
  month: '30d',
  ever: 'never',
};

/** Whether a share still lets somebody watch. */
export type ShareState = 'open' | 'expired' | 'revoked';

/** Returns where a share stands. */
export function stateOf(
  { revoked, expires_at: ends }: Pick<Grant, 'revoked' | 'expires_at'>,
  nowMs: number,
): ShareState {
  if (revoked) return 'revoked';
  return ends !== null && Date.parse(ends) <= nowMs ? 'expired' : 'open';
}
