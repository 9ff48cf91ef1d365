/**
 * Plays the HLS in clear that the address names after `#`: `<multivariant playlist>/<playlist to begin with>`.
 *
 * What a page needs to play it and no more: the same hls.js with its own loaders, the same settings, the same start. Sets
 * the same mark as the player when the first frame has been shown.
 */

import Library from '../../../player/src/engine/hls';
import { guessBandwidthBps, PLAYING, settingsFor } from '../../../player/src/engine/settings';
import transmuxerUrl from '../../../player/src/engine/transmuxer.worker.ts?worker&url';

const { Events } = Library;
const [index, start] = location.hash.slice(1).split('/');
const video = document.querySelector('video') as HTMLVideoElement;
video.requestVideoFrameCallback(() => performance.mark('veilcast:first-frame'));

const hls = new Library({ ...settingsFor(guessBandwidthBps()), workerPath: transmuxerUrl });
// Chosen by hand until it is there: hls.js would begin with another as soon as the sound has shown it a fast network.
hls.once(Events.MANIFEST_PARSED, () => {
  hls.loadLevel = hls.levels.findIndex(({ url }) => url[0]?.endsWith(`/${start}`));
  hls.startLoad();
});
hls.once(Events.INIT_PTS_FOUND, () => (hls.loadLevel = -1));
video.addEventListener('play', () => Object.assign(hls.config, PLAYING), { once: true });
hls.loadSource(`/t/${index}`);
hls.attachMedia(video);
