/**
 * One production while it is edited: its history, and saving by itself.
 *
 * An edit is shown at once and sent when nothing was typed for a moment, with the revision that it is about. Knows
 * nothing of how it is shown. Invariants: one save at a time; an edit is on the server, on its way, or in the outbox;
 * nobody's work is overwritten without a question.
 */

import { productions, type Saved } from '../api/productions';
import { faultOf, type ApiError } from '../api/problem';
import { begin, edit, redo, undo, type History } from '../edit/history';
import { outbox } from '../edit/outbox';
import type { Production } from './document';

/** Where saving stands. */
export type SaveState = 'saved' | 'edited' | 'saving' | 'kept' | 'conflict' | 'refused';

/** A pause in typing after which an edit is sent, and how soon one that was kept is tried again. */
const CALM_MS = 600;
const AGAIN_MS = 5000;

/** The editor. */
export class Editor {
  state: SaveState = $state('saved');
  error: ApiError | null = $state.raw(null);
  name = $state('');
  /** What somebody else made of it, where both changed it. */
  theirs: Saved | null = $state.raw(null);

  #history: History<Production> = $state.raw(begin({}));
  #revision = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isSaving = false;

  constructor(
    readonly id: string,
    saved: Saved,
  ) {
    this.#take(saved);
  }

  /** Reads a production; what was edited and not sent is there again. */
  static async open(id: string): Promise<Editor> {
    const kept = await outbox.find(id).catch(() => null);
    const saved = await productions.get(id).catch((error: unknown) => {
      // Without its server the page goes on with what it has.
      if (kept === null || faultOf(error).fault !== 'unreachable') throw error;
      return { ...kept, document: kept.document as Production };
    });
    const editor = new Editor(id, saved);
    if (kept !== null) editor.#resume(kept.document as Production, kept.revision, saved);
    return editor;
  }

  get document(): Production {
    return this.#history.now;
  }

  get revision(): number {
    return this.#revision;
  }

  get canUndo(): boolean {
    return this.#history.past.length > 0;
  }

  get canRedo(): boolean {
    return this.#history.future.length > 0;
  }

  /** Whether something is not on the server yet. */
  get isDirty(): boolean {
    return this.state !== 'saved';
  }

  /** Edits; `place` is what of the document, so that typing in it is one step. */
  edit(place: string, change: (document: Production) => Production): void {
    this.#step(edit(this.#history, change(this.#history.now), place, Date.now()));
  }

  undo(): void {
    this.#step(undo(this.#history));
  }

  redo(): void {
    this.#step(redo(this.#history));
  }

  rename(name: string): void {
    this.name = name;
    this.#later();
  }

  /** Sends what is not on the server yet, now. */
  async save(): Promise<boolean> {
    clearTimeout(this.#timer);
    if (this.#isSaving || this.state === 'conflict') return false;
    if (!this.isDirty) return true;
    const [sent, name] = [this.#history.now, this.name];
    this.#isSaving = true;
    this.state = 'saving';
    try {
      const { revision } = await productions.put(this.id, this.#revision, name, sent);
      this.#revision = revision;
      this.error = null;
      this.state = 'saved';
      await outbox.drop(this.id).catch(() => undefined);
    } catch (error) {
      await this.#failed(faultOf(error));
    } finally {
      this.#isSaving = false;
    }
    if (this.#history.now !== sent || this.name !== name) this.#later();
    return this.state === 'saved';
  }

  /** Somebody saved this production: takes theirs, unless both changed it. */
  async told(revision: number): Promise<void> {
    if (revision <= this.#revision || this.#isSaving) return;
    const saved = await this.#onServer();
    if (saved === null || saved.revision <= this.#revision) return;
    if (this.isDirty) this.#disagree(saved);
    else this.#take(saved);
  }

  /** Ends a disagreement with what somebody else made. */
  takeTheirs(): void {
    if (this.theirs === null) return;
    const theirs = this.theirs;
    // Mine can be had again by undoing.
    this.#history = edit(this.#history, theirs.document, '', Date.now());
    this.name = theirs.name;
    this.#revision = theirs.revision;
    this.theirs = null;
    this.state = 'saved';
    void outbox.drop(this.id).catch(() => undefined);
  }

  /** Ends a disagreement with what is shown here. */
  async keepMine(): Promise<void> {
    if (this.theirs === null) return;
    this.#revision = this.theirs.revision;
    this.theirs = null;
    this.state = 'edited';
    await this.save();
  }

  /** Ends editing: what is left is sent. */
  close(): void {
    clearTimeout(this.#timer);
    if (this.isDirty) void this.save();
  }

  #take(saved: Saved): void {
    this.#history = begin(saved.document);
    this.name = saved.name;
    this.#revision = saved.revision;
    this.state = 'saved';
  }

  #resume(document: Production, revision: number, saved: Saved): void {
    this.#history = edit(this.#history, document, '', Date.now());
    if (saved.revision > revision) this.#disagree(saved);
    else this.#later();
  }

  #step(history: History<Production>): void {
    if (history === this.#history) return;
    this.#history = history;
    this.#later();
  }

  #later(): void {
    if (this.state === 'conflict') return;
    this.state = 'edited';
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.save(), CALM_MS);
  }

  #disagree(saved: Saved): void {
    clearTimeout(this.#timer);
    this.theirs = saved;
    this.state = 'conflict';
  }

  async #failed(fault: ApiError): Promise<void> {
    this.error = fault;
    if (fault.fault === 'conflict') {
      const saved = await this.#onServer();
      if (saved !== null) return this.#disagree(saved);
    }
    const isPassing = ['unreachable', 'busy', 'broken', 'session', 'conflict'].includes(fault.fault);
    this.state = isPassing ? 'kept' : 'refused';
    await this.#keep();
    if (isPassing) this.#timer = setTimeout(() => void this.save(), AGAIN_MS);
  }

  #onServer(): Promise<Saved | null> {
    return productions.get(this.id).catch(() => null);
  }

  async #keep(): Promise<void> {
    const document = $state.snapshot(this.#history.now);
    const kept = { id: this.id, name: this.name, document, revision: this.#revision };
    await outbox.keep({ ...kept, keptMs: Date.now() }).catch(() => undefined);
  }
}
