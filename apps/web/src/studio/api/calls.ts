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
  Performance,
  Queue,
  Settings,
  Share,
  Title,
} from './model';
import { fetched, read } from './transport';

type Query = Readonly<Record<string, string | number | null | undefined>>;

function address(path: string, query: Query = {}): string {
  const set = Object.entries(query).filter(
    (entry): entry is [string, string | number] => entry[1] != null && entry[1] !== '',
  );
  const text = new URLSearchParams(set.map(([name, value]) => [name, String(value)])).toString();
  return text === '' ? path : `${path}?${text}`;
}

async function send<T>(method: string, path: string, body?: unknown): Promise<T> {
  const request = new Request(path, {
    method,
    ...(body !== undefined && {
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    }),
  });
  const answer = await fetched(request);
  return (answer.status === 204 ? undefined : await answer.json()) as T;
}

const id = encodeURIComponent;

export const titles = {
  list: (query: string, after: string | null, limit: number): Promise<Page<Title>> =>
    read(address('/v1/titles', { query, after, limit })),
  rename: (title: string, name: string): Promise<Title> =>
    send('PATCH', `/v1/titles/${id(title)}`, { name }),
  remove: (title: string): Promise<void> => send('DELETE', `/v1/titles/${id(title)}`),
  poster: (title: string): string => `/v1/titles/${id(title)}/poster`,
  grants: (title: string): Promise<Page<Grant>> =>
    read(address(`/v1/titles/${id(title)}/grants`, { limit: 500 })),
  share: (title: string, share: { label?: string; expires?: string; recipient?: string }): Promise<Share> =>
    send('POST', `/v1/titles/${id(title)}/shares`, share),
  revoke: (grant: string): Promise<void> => send('DELETE', `/v1/grants/${id(grant)}`),
};

export const media = {
  list: (query: string, after: string | null, limit: number): Promise<Page<Media>> =>
    read(address('/v1/media', { query, after, limit })),
  rename: (item: string, name: string): Promise<Media> =>
    send('PATCH', `/v1/media/${id(item)}`, { name }),
  remove: (item: string): Promise<void> => send('DELETE', `/v1/media/${id(item)}`),
  thumbnail: (item: string): string => `/v1/media/${id(item)}/thumbnail`,
  get: (item: string): Promise<Media> => read(`/v1/media/${id(item)}`),
  waveform: (item: string): Promise<{ readonly peaks: readonly number[] }> =>
    read(`/v1/media/${id(item)}/waveform`),
  content: (item: string): string => `/v1/media/${id(item)}/content`,
};

export const jobs = {
  list: (after: string | null, limit: number): Promise<Page<Job>> =>
    read(address('/v1/jobs', { after, limit })),
  get: (job: string): Promise<Job> => read(`/v1/jobs/${id(job)}`),
  log: (job: string): Promise<{ readonly lines: readonly string[] }> =>
    read(`/v1/jobs/${id(job)}/log`),
  submit: (spec: Readonly<Record<string, unknown>>): Promise<Job> => send('POST', '/v1/jobs', spec),
  act: (job: string, verb: JobVerb): Promise<Job> => send('POST', `/v1/jobs/${id(job)}/${verb}`),
  setPriority: (job: string, priority: number): Promise<Job> =>
    send('PATCH', `/v1/jobs/${id(job)}`, { priority }),
  output: (job: string, name: string): string => `/v1/jobs/${id(job)}/outputs/${id(name)}`,
  queue: (): Promise<Queue> => read('/v1/queue'),
  drain: (verb: 'drain' | 'resume'): Promise<Queue> => send('POST', `/v1/queue/${verb}`),
};

export const desk = {
  /** Below no `/v1/`, so that it goes alone. */
  performance: async (): Promise<Performance> =>
    (await (await fetched(new Request('/performance/metrics'))).json()) as Performance,
  collect: (): Promise<Collected> => send('POST', '/performance/gc'),
  settings: (): Promise<Settings> => read('/v1/settings'),
  preset: (settings: Settings): Promise<Settings> => send('PUT', '/v1/settings', settings),
  audit: (after: string | null): Promise<Audit> =>
    read(address('/v1/audit', { after, limit: 200 })),
};
