/** Tells hls.js's transmuxer that it runs in a Worker; must be imported before it. */

(globalThis as { __IN_WORKER__?: boolean }).__IN_WORKER__ = true;
