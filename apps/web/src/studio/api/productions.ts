/**
 * Productions on the server: reading, saving with a revision, scenes by rules, and pictures of drafts.
 */

import type { Page } from '../list/paged.svelte';
import type { Production, Scene } from '../production/document';
import type { Listed } from './model';
import { client, dataOf } from './transport';

/** A production as it was saved. */
export interface Saved {
  readonly name: string;
  readonly document: Production;
  readonly revision: number;
}

const of = (id: string) => ({ params: { path: { id } } });

/** A document is an object of any members to the interface, and one of ours here. */
type AnyDocument = Record<string, never>;

export const productions = {
  list: (after: string | null, limit: number): Promise<Page<Listed>> =>
    dataOf(
      client.GET('/v1/productions', {
        params: { query: { limit, ...(after !== null && { after }) } },
      }),
    ),
  get: (id: string): Promise<Saved> => dataOf(client.GET('/v1/productions/{id}', of(id))),
  make: (name: string, story: string): Promise<Saved & { readonly id: string }> =>
    dataOf(
      client.POST('/v1/productions', { body: { name, ...(story.trim() !== '' && { story }) } }),
    ),
  of: (name: string, document: Production): Promise<Saved & { readonly id: string }> =>
    dataOf(
      client.POST('/v1/productions', { body: { name, document: document as AnyDocument } }),
    ),
  put: (id: string, revision: number, name: string, document: Production): Promise<Saved> =>
    dataOf(
      client.PUT('/v1/productions/{id}', {
        params: { path: { id }, header: { 'If-Match': `"${revision}"` } },
        body: { name, document: document as AnyDocument },
      }),
    ),
  remove: (id: string): Promise<unknown> => dataOf(client.DELETE('/v1/productions/{id}', of(id))),
  scenes: async (id: string, story: string): Promise<readonly Scene[]> =>
    (await dataOf(client.POST('/v1/productions/{id}/scenes', { ...of(id), body: { story } })))
      .scenes,
  /** A picture of a scene, `atUs` after its beginning. */
  still: (id: string, scene: number, atUs: number, signal: AbortSignal): Promise<Blob> =>
    dataOf(
      client.POST('/v1/productions/{id}/still', {
        ...of(id),
        body: { scene, at_us: Math.round(atUs) },
        parseAs: 'blob',
        signal,
      }),
    ),
};
