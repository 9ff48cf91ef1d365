/**
 * Asks for an identity where a page has no words of its own for it: a file, then perhaps its
 * passphrase.
 *
 * Shows what it is told and hands on what a person brings. Invariant: the passphrase is in the
 * field alone, and the field is emptied as it is handed on.
 */

import { explain } from '../explain';
import type { IdentityQuestion } from '../protocol';
import { h, listen } from './dom';

/** Takes what a person brings. */
export interface IdentityTaker {
  provideIdentity(file: File): void;
  providePassphrase(passphrase: string): void;
}

/** The panel; `element` goes over the stage. */
export class IdentityPanel {
  readonly #heading = h('h2');
  readonly #what = h('p');
  readonly #reason = h('p', { class: 'reason', role: 'alert' });
  readonly #field = h('input', {
    type: 'password',
    autocomplete: 'off',
    'aria-label': 'Passphrase',
    required: true,
  });
  readonly #form = h('form', {}, this.#field, h('button', {}, 'Unlock'));
  readonly #progress = h('progress', { 'aria-label': 'Unlocking', max: 1 });
  readonly #file = h('input', { type: 'file', 'aria-label': 'Identity file' });
  readonly element = h(
    'div',
    { class: 'panel', hidden: true },
    h(
      'slot',
      { name: 'identity' },
      h(
        'div',
        { class: 'message' },
        this.#heading,
        this.#what,
        this.#reason,
        this.#form,
        this.#progress,
        this.#file,
      ),
    ),
  );

  constructor(taker: IdentityTaker) {
    listen(this.#file, 'change', () => {
      const file = this.#file.files?.[0];
      if (file) taker.provideIdentity(file);
      this.#file.value = '';
    });
    listen(this.#form, 'submit', (event) => {
      event.preventDefault();
      const passphrase = this.#field.value;
      this.#field.value = '';
      taker.providePassphrase(passphrase);
    });
  }

  /** Asks, or no longer (`null`). */
  ask(question: IdentityQuestion | null): void {
    this.element.hidden = question === null;
    this.#field.value = '';
    if (question === null) return;
    const isLocked = question.wants === 'passphrase';
    this.#heading.textContent = isLocked
      ? 'This identity is locked'
      : 'This video wants your identity';
    this.#what.textContent = isLocked
      ? 'Type the passphrase that it was locked with, or choose another file.'
      : 'It was sealed for one recipient. Choose the identity file that belongs to it.';
    this.#reason.textContent = question.refused === null ? '' : explain(question.refused).title;
    this.#form.hidden = !isLocked;
    this.#file.hidden = false;
    this.#progress.hidden = true;
    if (isLocked) this.#field.focus();
  }

  /** Shows how much of the work on a passphrase is done, from 0 to 1. */
  showUnlocking(done: number): void {
    this.#reason.textContent = '';
    this.#form.hidden = this.#file.hidden = true;
    this.#progress.hidden = false;
    this.#progress.value = done;
  }
}
