/**
 * hls.js as a module of its own, so that its chunk has a name and is loaded only for playback.
 */

export { default } from 'hls.js';
