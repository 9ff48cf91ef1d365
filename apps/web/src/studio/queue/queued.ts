/**
 * What is said when a job was taken into the queue.
 */

import type { Job } from '../api/model';
import { addressOf } from '../route';
import { say } from '../ui/notes.svelte';
import { t } from '../words/spoken.svelte';
import { tellOfJob } from './jobs.svelte';

/** Shows a new job in the queue, and says so with a way to it. */
export function sayQueued(job: Job): void {
  tellOfJob(job);
  say(t('studio.queued', { name: job.name }), {
    label: t('studio.queue'),
    run: () => (location.hash = addressOf('queue', job.id)),
  });
}
