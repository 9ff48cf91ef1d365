/**
 * hls.js's transmuxer as a Worker script of its own, so that no `blob:` Worker is needed.
 *
 * Sees verified plaintext alone: no key, no URL.
 */

import './transmuxer-mode';
import 'hls.js/transmuxer-worker';
