/**
 * Stands in for the parts of hls.js that sealed titles never reach (see `vite.ts`).
 *
 * As a demuxer it recognises nothing; as a loader it can't be made. Knows nothing of networks.
 */

/** A part that is not there. */
export default class Absent {
  constructor() {
    throw new Error('this part of hls.js is not built in');
  }

  /** Asked of demuxers: does this look like your format? */
  static probe(): boolean {
    return false;
  }
}

/** hls.js asks its fetch loader whether the browser has `fetch`. */
export function fetchSupported(): boolean {
  return false;
}

/** What hls.js calls subtitles in TTML; no playlist of ours names any. */
export const IMSC1_CODEC = 'absent';

export {
  Absent as AC3Demuxer,
  Absent as IFrameController,
  Absent as parseIMSC1,
  Absent as removePadding,
};
