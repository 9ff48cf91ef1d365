/**
 * Shows what a person did at once, and takes it back where the server refuses.
 *
 * Knows nothing of what is done.
 */

import { faultOf, type ApiError } from '../api/problem';

/** Something that is done. */
export interface Deed<T> {
  /** Shows it as done; returns what takes that back. */
  readonly show: () => () => void;
  readonly send: () => Promise<T>;
  /** What the server made of it. */
  readonly settle?: (answer: T) => void;
  /** What is said where it failed. */
  readonly fail: (error: ApiError) => void;
}

/** Does it; tells whether it was done. */
export async function attempt<T>({ show, send, settle, fail }: Deed<T>): Promise<boolean> {
  const takeBack = show();
  try {
    const answer = await send();
    settle?.(answer);
    return true;
  } catch (error) {
    takeBack();
    fail(faultOf(error));
    return false;
  }
}
