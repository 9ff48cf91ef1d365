/**
 * Stands in for controllers of hls.js that it makes by itself and sealed titles don't need (see
 * `vite.ts`): it is made, does nothing, and ends.
 */
export default class Idle {
  destroy(): void {
    return;
  }
}
