/**
 * Productions on the server: reading, saving with a revision, scenes by rules, and pictures of drafts.
 */

import type { Page } from '../list/paged.svelte';
import type { Production, Scene } from '../production/document';
import type { Time } from './model';
import { fetched, read } from './transport';

/** A production as a list tells of it. */
export interface Listed {
  readonly id: string;
  readonly name: string;
  readonly updated_at: Time;
  readonly revision: number;
  readonly scenes: number;
}

/** A production as it was saved. */
export interface Saved {
  readonly name: string;
  readonly document: Production;
  readonly revision: number;
}

const at = (id: string, more = ''): string => `/v1/productions/${encodeURIComponent(id)}${more}`;

function json(path: string, method: string, body: unknown, headers = {}): Request {
  return new Request(path, {
    method,
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
}

export const productions = {
  list: (after: string | null, limit: number): Promise<Page<Listed>> =>
    read(
      `/v1/productions?limit=${limit}${after === null ? '' : `&after=${encodeURIComponent(after)}`}`,
    ),
  get: (id: string): Promise<Saved> => read(at(id)),
  async make(name: string, story: string): Promise<{ readonly id: string }> {
    const body = story.trim() === '' ? { name } : { name, story };
    return (await (await fetched(json('/v1/productions', 'POST', body))).json()) as { id: string };
  },
  async put(id: string, revision: number, name: string, document: Production): Promise<Saved> {
    const headers = { 'if-match': `"${revision}"` };
    const answer = await fetched(json(at(id), 'PUT', { name, document }, headers));
    return (await answer.json()) as Saved;
  },
  async remove(id: string): Promise<void> {
    await fetched(new Request(at(id), { method: 'DELETE' }));
  },
  async scenes(id: string, story: string): Promise<readonly Scene[]> {
    const answer = await fetched(json(at(id, '/scenes'), 'POST', { story }));
    return ((await answer.json()) as { scenes: Scene[] }).scenes;
  },
  async still(id: string, scene: number, atUs: number, signal: AbortSignal): Promise<Blob> {
    const request = json(at(id, '/still'), 'POST', { scene, at_us: Math.round(atUs) });
    return (await fetched(new Request(request, { signal }))).blob();
  },
};
