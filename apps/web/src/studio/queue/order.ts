/**
 * What a queue looks like: which job stands where, what can be done with it, how far it is.
 *
 * Pure. Invariant: an older word about a job never replaces a newer one within a state of the connection: who asks
 * anew replaces everything.
 */

import type { Job, JobState } from '../api/model';

/** What a person can do with a job. */
export type JobVerb = 'cancel' | 'pause' | 'resume' | 'retry';

const PLACES: Readonly<Record<JobState, number>> = {
  running: 0,
  cancelling: 0,
  paused: 1,
  waiting: 2,
  failed: 3,
  done: 3,
  cancelled: 3,
};

const VERBS: Readonly<Record<JobState, readonly JobVerb[]>> = {
  running: ['pause', 'cancel'],
  cancelling: [],
  paused: ['resume', 'cancel'],
  waiting: ['pause', 'cancel'],
  failed: ['retry'],
  done: [],
  cancelled: ['retry'],
};

/** The state that a verb leads to, shown until the server has said so itself. */
export const LEADS_TO: Readonly<Record<JobVerb, JobState>> = {
  cancel: 'cancelling',
  pause: 'paused',
  resume: 'waiting',
  retry: 'waiting',
};

/** Returns what can be done with a job. */
export function verbsOf({ state }: Pick<Job, 'state'>): readonly JobVerb[] {
  return VERBS[state];
}

/** Tells whether a job has come to an end. */
export function hasEnded({ state }: Pick<Job, 'state'>): boolean {
  return PLACES[state] === 3;
}

/** What comes first: running, paused, waiting by priority and age, then what ended, newest first. */
export function compareJobs(a: Job, b: Job): number {
  const places = PLACES[a.state] - PLACES[b.state];
  if (places !== 0) return places;
  if (hasEnded(a)) return compare(b.ended_at ?? b.created_at, a.ended_at ?? a.created_at);
  return b.priority - a.priority || compare(a.created_at, b.created_at);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

/** Returns the jobs with others put in place of those with the same id. */
export function merged(jobs: ReadonlyMap<string, Job>, news: readonly Job[]): Map<string, Job> {
  const all = new Map(jobs);
  for (const job of news) all.set(job.id, job);
  return all;
}

/** Returns the jobs without one that is forgotten. */
export function without(jobs: ReadonlyMap<string, Job>, id: string): Map<string, Job> {
  const all = new Map(jobs);
  all.delete(id);
  return all;
}

/** Returns how much of its present step a job has done, from 0 to 1; `null` where nobody can say. */
export function shareOf({ progress }: Pick<Job, 'progress'>): number | null {
  if (!progress?.total) return null;
  return Math.min(1, Math.max(0, progress.done / progress.total));
}

/** Tells whether how far a job is can be shown: it runs, or it is known how far it was. */
export function hasBar(job: Pick<Job, 'state' | 'progress'>): boolean {
  if (hasEnded(job)) return false;
  return job.state === 'running' || job.state === 'cancelling' || shareOf(job) !== null;
}

/** Returns how many jobs are in each place of the queue. */
export function countsOf(jobs: Iterable<Job>): { active: number; waiting: number; failed: number } {
  const counts = { active: 0, waiting: 0, failed: 0 };
  for (const { state } of jobs) {
    if (state === 'running' || state === 'cancelling') counts.active++;
    else if (state === 'waiting' || state === 'paused') counts.waiting++;
    else if (state === 'failed') counts.failed++;
  }
  return counts;
}
