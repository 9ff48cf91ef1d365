/**
 * What the queue says about a job, in the person's language.
 *
 * Pure.
 */

import type { Job, JobState } from '../api/model';
import { momentText } from '../ui/measures';
import type { StudioWord, StudioWords } from '../words/studio-words';
import { hasEnded, shareOf } from './order';

const STATES: Readonly<Record<JobState, StudioWord>> = {
  waiting: 'studio.stateWaiting',
  running: 'studio.stateRunning',
  paused: 'studio.statePaused',
  cancelling: 'studio.stateCancelling',
  done: 'studio.stateDone',
  failed: 'studio.stateFailed',
  cancelled: 'studio.stateCancelled',
};

const LOOKS: Readonly<Partial<Record<JobState, string>>> = {
  running: 'tint',
  done: 'ok',
  failed: 'alarm',
  paused: 'warn',
};

const KINDS: Readonly<Record<string, StudioWord>> = {
  import: 'studio.kindImport',
  make: 'studio.kindMake',
  hide: 'studio.kindHide',
  reveal: 'studio.kindReveal',
  trace: 'studio.kindTrace',
};

/** The word for a state. */
export function stateText({ state }: Job, words: StudioWords): string {
  return words.t(STATES[state]);
}

/** The look of a state's chip. */
export function stateLook({ state }: Job): string {
  return LOOKS[state] ?? '';
}

/** The word for what a job does. */
export function kindText({ kind }: Job, words: StudioWords): string {
  const word = KINDS[kind];
  return word === undefined ? kind : words.t(word);
}

/** How far a job is: step, percent, speed, what is left; or when it ended. */
export function progressText(job: Job, nowMs: number, words: StudioWords): string {
  if (hasEnded(job)) {
    const moment = job.ended_at === null ? '' : momentText(job.ended_at, nowMs, words);
    return job.state === 'failed' && job.error !== null ? job.error : moment;
  }
  const { progress } = job;
  if (progress === null) return job.state === 'waiting' ? words.t('studio.waitsForTurn') : '';
  const said = [progress.step];
  const share = shareOf(job);
  if (share !== null) said.push(words.percent(Math.round(share * 100) / 100));
  const fps = progress.fps ?? 0;
  if (fps > 0) {
    const n = words.number(fps, { maximumFractionDigits: fps < 10 ? 1 : 0 });
    said.push(words.t('studio.fps', { n }));
  }
  if (progress.eta_s !== null) {
    said.push(words.t('studio.eta', { time: words.duration(Math.ceil(progress.eta_s), 'short') }));
  }
  return said.join(' · ');
}
