/**
 * The choices of a playback: pictures, sounds, captions, as a menu shows them.
 *
 * Joins what hls.js lists (levels and tracks under addresses) with what the sealed manifest says
 * of them (heights, names, languages). Knows nothing of menus.
 */

import type Hls from 'hls.js';
import { parsePlaylistAddress } from '../address';
import type { AudioRendition, Rendition, SubtitleRendition, Title, VideoRendition } from '../title';

/** Choices and what is chosen; a rendition is named by its number. */
export interface Tracks {
  readonly video: readonly VideoRendition[];
  readonly audio: readonly AudioRendition[];
  readonly subtitles: readonly SubtitleRendition[];
  /** The picture that is playing. */
  readonly videoId: number | null;
  /** Whether pictures are chosen by bandwidth. */
  readonly isAutomatic: boolean;
  readonly audioId: number | null;
  /** The captions that are shown, `null` for none. */
  readonly subtitlesId: number | null;
}

/** Choices where there is nothing to choose yet. */
export const NO_TRACKS: Tracks = {
  video: [],
  audio: [],
  subtitles: [],
  videoId: null,
  isAutomatic: true,
  audioId: null,
  subtitlesId: null,
};

/** Anything that hls.js lists under a playlist's address. */
interface Listed {
  readonly url: string | readonly string[];
}

/** Returns the rendition number behind an entry of one of hls.js's lists. */
export function renditionIdOf(listed: Listed | undefined): number | null {
  if (listed === undefined) return null;
  const url = typeof listed.url === 'string' ? listed.url : listed.url[0];
  return url === undefined ? null : (parsePlaylistAddress(url)?.rendition ?? null);
}

function pick<T extends Rendition['type']>(
  title: Title,
  type: T,
  listed: readonly Listed[],
): Extract<Rendition, { type: T }>[] {
  const ids = new Set(listed.map(renditionIdOf));
  return title.renditions.filter(
    (rendition): rendition is Extract<Rendition, { type: T }> =>
      rendition.type === type && ids.has(rendition.id),
  );
}

/** Reads the present choices. */
export function readTracks(hls: Hls, title: Title): Tracks {
  const level = hls.levels[hls.currentLevel >= 0 ? hls.currentLevel : hls.loadLevel];
  return {
    video: pick(title, 'video', hls.levels),
    audio: pick(title, 'audio', hls.audioTracks),
    subtitles: pick(title, 'subtitles', hls.subtitleTracks),
    videoId: renditionIdOf(level),
    isAutomatic: hls.autoLevelEnabled,
    audioId: renditionIdOf(hls.audioTracks[hls.audioTrack]),
    subtitlesId: renditionIdOf(hls.subtitleTracks[hls.subtitleTrack]),
  };
}

/** Returns where rendition `id` stands in one of hls.js's lists, -1 where it doesn't. */
export function indexOfRendition(listed: readonly Listed[], id: number | null): number {
  return id === null ? -1 : listed.findIndex((entry) => renditionIdOf(entry) === id);
}
