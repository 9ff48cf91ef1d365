/** Modules that only the bundler knows: see `vite.js` of this package. */

declare module 'hls.js/transmuxer-worker';
