/**
 * How hls.js is set up, its loaders and Worker aside: how far it fetches ahead, what it leaves out.
 *
 * Knows nothing of seals, so that the benches' page in clear is set up by the same lines.
 */

import type { HlsConfig } from 'hls.js';
import { ASSUMED_BANDWIDTH_BPS } from './choice';

/** Seconds, and bytes, kept behind the playhead, so that a short step back costs nothing. */
const BACK_BUFFER_S = 60;
const BACK_BUFFER_BYTES = 24 * 1024 * 1024;
/** Seconds fetched before the first play: enough to begin at once, little for who never plays. */
const FIRST_BUFFER_S = 6;
/** Seconds fetched ahead while playing. */
const FORWARD_BUFFER_S = 30;
const MAX_FORWARD_BUFFER_S = 60;
const MAX_FORWARD_BUFFER_BYTES = 60 * 1024 * 1024;

/** The settings of a playback that begins at this bandwidth. */
export function settingsFor(bandwidthBps: number): Partial<HlsConfig> {
  return {
    autoStartLoad: false,
    // Else hls.js looks for its first segment 100 ms after the media source has been attached.
    startFragPrefetch: true,
    enableWorker: true,
    preferManagedMediaSource: true,
    capLevelToPlayerSize: true,
    abrEwmaDefaultEstimate: bandwidthBps,
    testBandwidth: false,
    lowLatencyMode: false,
    backBufferLength: BACK_BUFFER_S,
    maxBufferLength: FIRST_BUFFER_S,
    maxMaxBufferLength: FIRST_BUFFER_S,
    maxBufferSize: MAX_FORWARD_BUFFER_BYTES,
    enableIMSC1: false,
    enableCEA708Captions: false,
    enableID3MetadataCues: false,
    enableEmsgMetadataCues: false,
    enableDateRangeMetadataCues: false,
  };
}

/** What changes with the first play. */
export const PLAYING: Partial<HlsConfig> = {
  maxBufferLength: FORWARD_BUFFER_S,
  maxMaxBufferLength: MAX_FORWARD_BUFFER_S,
};

/** Returns how many seconds are kept behind the playhead of a picture of so many bits a second. */
export function backBufferSeconds(bitrateBps: number): number {
  return Math.min(BACK_BUFFER_S, (BACK_BUFFER_BYTES * 8) / bitrateBps);
}

/** The browser's own guess, which is rounded and capped for privacy, or a cautious one. */
export function guessBandwidthBps(): number {
  const { connection } = navigator as { connection?: { downlink?: number } };
  const guess = (connection?.downlink ?? 0) * 1e6;
  return guess > 0 ? guess : ASSUMED_BANDWIDTH_BPS;
}
