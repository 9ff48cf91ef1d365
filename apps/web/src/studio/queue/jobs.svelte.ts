/**
 * All jobs, as the server told of them last.
 *
 * News are collected and shown once a frame, however many come. Knows nothing of how jobs are shown.
 */

import { jobs as calls } from '../api/calls';
import type { Job, Queue } from '../api/model';
import { faultOf, type ApiError } from '../api/problem';
import { attempt } from '../edit/optimistic';
import { alarm } from '../ui/notes.svelte';
import { compareJobs, LEADS_TO, merged, without, type JobVerb } from './order';

/** Jobs that are asked for at once, and in all: what ended long ago is not shown. */
const PAGE = 500;
const MOST = 2000;

let all: ReadonlyMap<string, Job> = $state.raw(new Map());
let queue: Queue | null = $state.raw(null);
let isThere = $state(false);
let error: ApiError | null = $state.raw(null);
let news: Job[] = [];
let frame = 0;

const ordered = $derived([...all.values()].toSorted(compareJobs));

/** The jobs, for who shows them. */
export const jobs = {
  get all(): readonly Job[] {
    return ordered;
  },
  get queue(): Queue | null {
    return queue;
  },
  /** Whether the server has told of them. */
  get isThere(): boolean {
    return isThere;
  },
  get error(): ApiError | null {
    return error;
  },
  find: (id: string): Job | undefined => all.get(id),
};

/** Asks for all jobs anew. */
export async function loadJobs(): Promise<void> {
  try {
    const [state, found] = await Promise.all([calls.queue(), everyJob()]);
    news = [];
    all = new Map(found.map((job) => [job.id, job]));
    queue = state;
    isThere = true;
    error = null;
  } catch (thrown) {
    error = faultOf(thrown);
  }
}

async function everyJob(): Promise<Job[]> {
  const found: Job[] = [];
  let after: string | null = null;
  do {
    const page = await calls.list(after, PAGE);
    found.push(...page.items);
    after = page.next;
  } while (after !== null && found.length < MOST);
  return found;
}

/** A job, or that there is none of this id any more. */
export type JobNews = Job | { readonly id: string; readonly removed: true };

/** Takes in what the server said about a job. */
export function tellOfJob(told: JobNews): void {
  if ('removed' in told) {
    news = news.filter(({ id }) => id !== told.id);
    if (all.has(told.id)) all = without(all, told.id);
    return;
  }
  news.push(told);
  if (frame !== 0) return;
  // A page that nobody sees has no frames.
  const show = (): void => {
    frame = 0;
    all = merged(all, news);
    news = [];
  };
  frame = document.hidden ? Number(setTimeout(show, 250)) : requestAnimationFrame(show);
}

/** Takes in what the server said about the queue. */
export function tellOfQueue(state: Queue): void {
  queue = state;
}

/** Does something with a job, shown at once. */
export function act(job: Job, verb: JobVerb): Promise<boolean> {
  return change(job, { ...job, state: LEADS_TO[verb] }, () => calls.act(job.id, verb));
}

/** Forgets a job that has ended, shown at once. */
export function dismiss(job: Job): Promise<boolean> {
  return attempt({
    show: () => {
      all = without(all, job.id);
      return () => (all = merged(all, [job]));
    },
    send: () => calls.dismiss(job.id),
    fail: alarm,
  });
}

/** Gives a job another priority, shown at once. */
export function setPriority(job: Job, priority: number): Promise<boolean> {
  return change(job, { ...job, priority }, () => calls.setPriority(job.id, priority));
}

function change(job: Job, shown: Job, send: () => Promise<Job>): Promise<boolean> {
  return attempt({
    show: () => {
      all = merged(all, [shown]);
      return () => {
        // What the server said meanwhile stays.
        if (all.get(job.id) === shown) all = merged(all, [job]);
      };
    },
    send,
    settle: tellOfJob,
    fail: alarm,
  });
}

/** Lets nothing more begin after what runs now, or lets it. */
export function drain(isDrained: boolean): Promise<boolean> {
  const before = queue;
  return attempt({
    show: () => {
      if (before !== null) queue = { ...before, drained: isDrained };
      return () => (queue = before);
    },
    send: () => calls.drain(isDrained ? 'drain' : 'resume'),
    settle: tellOfQueue,
    fail: alarm,
  });
}
