/**
 * Where the time goes: what had been loaded when, for both sides by the same names.
 *
 * The tree in clear has the bucket's own object names, so one table of names finds the same step on either side.
 */

import { fileOfRendition, role, type UnlockedTitle } from '../../e2e/harness/opened';
import { Kind } from '../../player/src/vault/role';
import type { Loaded, Seen } from './visit';

/** Names of what is loaded before the first frame. */
export interface Names {
  readonly manifest: string;
  readonly index: string;
  readonly video: readonly Pieces[];
}

interface Pieces {
  /** Size of the picture, such as `1280x720`. */
  readonly picture: string;
  readonly playlist: string;
  /** Names of the initialisation and the first media segment; the same where they lie in one file. */
  readonly init: string;
  readonly segment: string;
}

/** Milliseconds from the beginning of the navigation, in the order of the way; a side lacks what it does not have. */
export type Steps = Readonly<Record<string, number>>;

/** Derives the names of a title's objects. */
export async function namesOf({ key, title }: UnlockedTitle): Promise<Names> {
  const name = (kind: Kind, id: number) => key.name(role(kind, id, 0));
  const video: Pieces[] = [];
  for (const rendition of title.renditions) {
    if (rendition.type !== 'video') continue;
    const { id, width, height } = rendition;
    const file = fileOfRendition(rendition)?.role;
    video.push({
      picture: `${width}x${height}`,
      playlist: `${await name(Kind.mediaPlaylist, id)}.m3u8`,
      init: await key.name(file ?? role(Kind.init, id, 0)),
      segment: await key.name(file ?? role(Kind.segment, id, 0)),
    });
  }
  return {
    manifest: await name(Kind.manifest, 0),
    index: `${await name(Kind.multivariantPlaylist, 0)}.m3u8`,
    video,
  };
}

function lastPart(url: string): string {
  return new URL(url).pathname.split('/').pop() ?? '';
}

/** Finds the two in what was loaded: of one file's parts, the initialisation is the smallest. */
function loadsOf(
  pieces: Pieces,
  loaded: readonly Loaded[],
): Record<'init' | 'segment', Loaded | undefined> {
  const named = (name: string) => loaded.filter(({ url }) => lastPart(url) === name);
  const init = named(pieces.init).toSorted((a, b) => a.bytes - b.bytes)[0];
  const segments = named(pieces.segment).filter((one) => one !== init);
  return { init, segment: segments.toSorted((a, b) => a.startMs - b.startMs)[0] };
}

/** What a visit shows. */
export interface Way {
  /** Size of the first picture: of the rendition whose first segment came first. */
  readonly picture: string;
  readonly steps: Steps;
}

/** Returns the way to the first frame of a visit. */
export function wayOf({ loaded, firstFrameMs }: Seen, names: Names): Way {
  const find = (test: (one: Loaded) => boolean) => loaded.find(test);
  const named = (name: string) => find(({ url }) => lastPart(url) === name);
  const script = (part: string) => find(({ url }) => lastPart(url).startsWith(part));
  const endOf = (pieces: Pieces) => loadsOf(pieces, loaded).segment?.endMs ?? Infinity;
  const first = names.video.toSorted((a, b) => endOf(a) - endOf(b))[0];
  if (!first) throw new Error('the title has no picture');
  const { init, segment } = loadsOf(first, loaded);
  const manifest = named(names.manifest);
  const steps = {
    page: find(({ initiator }) => initiator === 'navigation')?.endMs,
    script: find(({ initiator }) => initiator === 'script')?.endMs,
    vault: script('pool.worker')?.endMs,
    grant: find(({ url }) => /\/v1\/grants\/[^/]+$/.test(url))?.endMs,
    key: manifest?.startMs,
    manifest: manifest?.endMs,
    index: named(names.index)?.endMs,
    playlist: named(first.playlist)?.endMs,
    init: init?.endMs,
    segment: segment?.endMs,
    frame: firstFrameMs,
  };
  const taken = Object.entries(steps).filter(([, ms]) => ms !== undefined);
  return { picture: first.picture, steps: Object.fromEntries(taken) as Steps };
}
