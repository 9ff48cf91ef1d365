/**
 * What a marked rendition needs beside any other: the viewer's slot keys, fetched and opened once.
 *
 * Specification: docs/format/key-schedule.md, "Variants". Loaded when a marked title is played. Knows nothing of playlists.
 */

import { PlayerFailure } from '../failure';
import type { VideoRendition } from '../title';
import type { Bytes } from './bytes';
import { SealBroken } from './cobblestone';
import type { GrantKeys } from './grant';
import { Malformed } from './json';
import type { VariantKey } from './object';
import { MAX_LIST_BYTES, type VariantList } from './variants';

/** Fetches an object of at most so many bytes, opened. */
export type FetchWhole = (name: string, maxBytes: number) => Promise<Bytes>;

/** The variants of one viewer; what exists once is in none of them. */
export class Slots {
  constructor(private readonly list: VariantList) {}

  /** Returns the object name of a slot's segment in `rendition`. */
  async name(rendition: number, slot: number): Promise<string | undefined> {
    return (await this.list.get(slot))?.name(rendition);
  }

  /** Returns what opens a slot's segments. */
  async key(slot: number): Promise<VariantKey | undefined> {
    return (await this.list.get(slot))?.shared;
  }
}

/** Opens the list that a grant leads to, for a marked rendition, or throws a [`PlayerFailure`]. */
export async function openSlots(
  { variants }: GrantKeys,
  { isSingleFile }: VideoRendition,
  fetchWhole: FetchWhole,
): Promise<Slots> {
  // A marked title is for who has a list: without one nothing of it can be named. And a file has one place for a segment.
  if (variants === null || isSingleFile) throw new PlayerFailure('tampered', 'the grant');
  const sealed = await fetchWhole(await variants.name(), MAX_LIST_BYTES);
  try {
    return new Slots(await variants.open(sealed));
  } catch (cause) {
    if (!(cause instanceof SealBroken || cause instanceof Malformed)) throw cause;
    throw new PlayerFailure('tampered', 'the grant', { cause });
  }
}
