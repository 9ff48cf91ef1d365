/**
 * Plays the HLS in clear that the address names after `#`: `<multivariant playlist>/<playlist to begin with>`.
 *
 * What a page needs to play it and no more: the same hls.js with its own loaders, the same settings, the same start. Sets
 * the same mark as the player when the first frame has been shown.
 */

import Library from 'hls.js';
import { guessBandwidthBps, settingsFor } from '../../../player/src/engine/settings';
import transmuxerUrl from '../../../player/src/engine/transmuxer.worker.ts?worker&url';

const { Events } = Library;
const [index, start] = location.hash.slice(1).split('/');
const video = document.querySelector('video') as HTMLVideoElement;
video.requestVideoFrameCallback(() => performance.mark('veilcast:first-frame'));

const hls = new Library({ ...settingsFor(guessBandwidthBps()), workerPath: transmuxerUrl });
hls.on(Events.MANIFEST_PARSED, () => {
  const first = hls.levels.findIndex(({ url }) => start !== undefined && url[0]?.endsWith(start));
  if (first >= 0) hls.startLevel = first;
  hls.startLoad();
});
hls.loadSource(`/t/${index}`);
hls.attachMedia(video);
