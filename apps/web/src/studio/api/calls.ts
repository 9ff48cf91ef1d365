/**
 * What the page asks of the server, each as a function.
 *
 * Knows the routes, and nothing of who shows what they answer.
 */

import type { Page } from '../list/paged.svelte';
import type { JobVerb } from '../queue/order';
import type {
  Audit,
  Collected,
  Grant,
  Job,
  Media,
  NewJob,
  NewShare,
  Performance,
  Queue,
  Settings,
  Share,
  Title,
  Watched,
} from './model';
import type { Report } from '../trace/report';
import { client, dataOf, fetched } from './transport';

const at = encodeURIComponent;
/** What names one thing in a path. */
const of = (id: string) => ({ params: { path: { id } } });

/** Which part of a list: names that contain `query`, after a cursor. */
function part(query: string, after: string | null, limit: number) {
  return { query: { limit, ...(query !== '' && { query }), ...(after !== null && { after }) } };
}

export const titles = {
  list: (query: string, after: string | null, limit: number): Promise<Page<Title>> =>
    dataOf(client.GET('/v1/titles', { params: part(query, after, limit) })),
  rename: (id: string, name: string): Promise<Title> =>
    dataOf(client.PATCH('/v1/titles/{id}', { ...of(id), body: { name } })),
  remove: (id: string): Promise<unknown> => dataOf(client.DELETE('/v1/titles/{id}', of(id))),
  poster: (id: string): string => `/v1/titles/${at(id)}/poster`,
  grants: (id: string): Promise<Page<Grant>> =>
    dataOf(
      client.GET('/v1/titles/{id}/grants', { params: { ...part('', null, 500), path: { id } } }),
    ),
  share: (id: string, body: NewShare): Promise<Share> =>
    dataOf(client.POST('/v1/titles/{id}/shares', { ...of(id), body })),
  revoke: (id: string): Promise<Grant> => dataOf(client.DELETE('/v1/grants/{id}', of(id))),
};

export const media = {
  list: (query: string, after: string | null, limit: number): Promise<Page<Media>> =>
    dataOf(client.GET('/v1/media', { params: part(query, after, limit) })),
  get: (id: string): Promise<Media> => dataOf(client.GET('/v1/media/{id}', of(id))),
  rename: (id: string, name: string): Promise<Media> =>
    dataOf(client.PATCH('/v1/media/{id}', { ...of(id), body: { name } })),
  remove: (id: string): Promise<unknown> => dataOf(client.DELETE('/v1/media/{id}', of(id))),
  watched: (): Promise<Watched> => dataOf(client.GET('/v1/watched')),
  waveform: (id: string): Promise<{ readonly peaks: readonly number[] }> =>
    dataOf(client.GET('/v1/media/{id}/waveform', of(id))),
  thumbnail: (id: string): string => `/v1/media/${at(id)}/thumbnail`,
  content: (id: string): string => `/v1/media/${at(id)}/content`,
};

const VERBS = {
  cancel: '/v1/jobs/{id}/cancel',
  pause: '/v1/jobs/{id}/pause',
  resume: '/v1/jobs/{id}/resume',
  retry: '/v1/jobs/{id}/retry',
} as const;

const outputOf = (id: string, name: string): string =>
  `/v1/jobs/${at(id)}/outputs/${at(name)}`;

export const jobs = {
  list: (after: string | null, limit: number): Promise<Page<Job>> =>
    dataOf(client.GET('/v1/jobs', { params: part('', after, limit) })),
  log: (id: string): Promise<{ readonly lines: readonly string[] }> =>
    dataOf(client.GET('/v1/jobs/{id}/log', of(id))),
  submit: (body: NewJob): Promise<Job> => dataOf(client.POST('/v1/jobs', { body })),
  act: (id: string, verb: JobVerb): Promise<Job> => dataOf(client.POST(VERBS[verb], of(id))),
  dismiss: (id: string): Promise<unknown> => dataOf(client.DELETE('/v1/jobs/{id}', of(id))),
  setPriority: (id: string, priority: number): Promise<Job> =>
    dataOf(client.PATCH('/v1/jobs/{id}', { ...of(id), body: { priority } })),
  output: outputOf,
  /** What a trace came to. */
  report: async (id: string): Promise<Report> =>
    (await fetched(new Request(outputOf(id, 'report.json')))).json() as Promise<Report>,
  queue: (): Promise<Queue> => dataOf(client.GET('/v1/queue')),
  drain: (verb: 'drain' | 'resume'): Promise<Queue> =>
    dataOf(client.POST(verb === 'drain' ? '/v1/queue/drain' : '/v1/queue/resume')),
};

export const desk = {
  performance: (): Promise<Performance> => dataOf(client.GET('/performance/metrics')),
  collect: (): Promise<Collected> => dataOf(client.POST('/performance/gc')),
  settings: (): Promise<Settings> => dataOf(client.GET('/v1/settings')),
  preset: (body: Settings): Promise<Settings> => dataOf(client.PUT('/v1/settings', { body })),
  audit: (after: string | null): Promise<Audit> =>
    dataOf(client.GET('/v1/audit', { params: part('', after, 200) })),
};
