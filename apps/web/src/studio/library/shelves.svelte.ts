/**
 * What the studio has: titles, which are sealed and can be shared, and media, which videos are made of.
 *
 * Knows nothing of how they are shown.
 */

import { media as mediaCalls, titles as titleCalls } from '../api/calls';
import type { Media, Title } from '../api/model';
import { Paged } from '../list/paged.svelte';

let query = '';

/** All titles that the search finds. */
export const titles = new Paged<Title>((after, limit) => titleCalls.list(query, after, limit));

/** All media that the search finds. */
export const media = new Paged<Media>((after, limit) => mediaCalls.list(query, after, limit));

/** Searches both. */
export async function search(text: string): Promise<void> {
  query = text.trim();
  await Promise.all([titles.reload(), media.reload()]);
}

/** Waits until news are over before asking anew: a hundred of them make one question. */
const CALM_MS = 300;
const waiting = new Map<Paged<never>, ReturnType<typeof setTimeout>>();

/** Asks for a shelf anew, soon. */
export function refresh(shelf: 'titles' | 'media'): void {
  const list = (shelf === 'titles' ? titles : media) as Paged<never>;
  clearTimeout(waiting.get(list));
  waiting.set(
    list,
    setTimeout(() => void list.reload(), CALM_MS),
  );
}
