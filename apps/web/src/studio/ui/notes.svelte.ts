/**
 * Short notes at the edge of the page: what was done, what failed, and what can be taken back.
 */

import type { ApiError } from '../api/problem';
import { failureText } from './failure';
import { spoken } from '../words/spoken.svelte';

/** A note. */
export interface Note {
  readonly id: number;
  readonly text: string;
  readonly isAlarm: boolean;
  readonly action: { readonly label: string; readonly run: () => void } | null;
}

/** Notes go by themselves after so long; alarms stay until they are closed. */
const SHOWN_MS = 6000;
const MOST = 4;

let all: readonly Note[] = $state.raw([]);
let count = 0;

/** The notes that are shown. */
export const notes = {
  get all(): readonly Note[] {
    return all;
  },
};

/** Closes a note. */
export function close(id: number): void {
  all = all.filter((note) => note.id !== id);
}

function add(note: Omit<Note, 'id'>): void {
  const id = ++count;
  all = [...all.slice(1 - MOST), { ...note, id }];
  if (!note.isAlarm) setTimeout(() => close(id), SHOWN_MS);
}

/** Says what was done; `action` takes it back, for example. */
export function say(text: string, action: Note['action'] = null): void {
  add({ text, isAlarm: false, action });
}

/** Says what failed. */
export function alarm(error: ApiError): void {
  add({ text: failureText(error, spoken()), isAlarm: true, action: null });
}
