/**
 * Asks for an identity where a page has no words of its own for it: a file, then perhaps its
 * passphrase.
 *
 * Shows what it is told and hands on what a person brings. Invariant: the passphrase is in the
 * field alone, and the field is emptied as it is handed on.
 */

import { explain } from '../explain';
import type { IdentityQuestion } from '../protocol';
import type { Words } from '../words/words';
import { h, listen } from './dom';

/** Takes what a person brings. */
export interface IdentityTaker {
  readonly identities: { unlockWithPasskey(): Promise<boolean> };
  provideIdentity(file: File): void;
  providePassphrase(passphrase: string): void;
}

/** What a person is told to do, by what is wanted. */
const WHAT = {
  file: 'identityWantedWhat',
  passphrase: 'identityLockedWhat',
  passkey: 'identityPasskeyWhat',
} as const;

/** The form; `element` goes into the panel over the stage. */
export class IdentityForm {
  readonly #heading = h('h2');
  readonly #what = h('p');
  readonly #reason = h('p', { class: 'reason', role: 'alert' });
  readonly #field = h('input', { type: 'password', autocomplete: 'off', required: true });
  readonly #unlock = h('button');
  readonly #form = h('form', {}, this.#field, this.#unlock);
  readonly #passkey = h('button', { class: 'passkey' });
  readonly #progress = h('progress', { max: 1 });
  readonly #file = h('input', { type: 'file' });
  readonly element = h(
    'div',
    { class: 'message' },
    this.#heading,
    this.#what,
    this.#reason,
    this.#form,
    this.#passkey,
    this.#progress,
    this.#file,
  );
  #question: IdentityQuestion | null = null;

  constructor(
    private readonly words: Words,
    taker: IdentityTaker,
  ) {
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
    listen(this.#passkey, 'click', () => void taker.identities.unlockWithPasskey());
    words.show(() => this.#showWords());
  }

  /** Asks, or no longer (`null`). */
  ask(question: IdentityQuestion | null): void {
    this.#question = question;
    this.#field.value = '';
    if (question === null) return;
    const isLocked = question.wants === 'passphrase';
    this.#showWords();
    this.#form.hidden = !isLocked;
    this.#passkey.hidden = question.wants !== 'passkey';
    this.#file.hidden = false;
    this.#progress.hidden = true;
    if (isLocked) this.#field.focus();
  }

  /** Shows how much of the work on a passphrase is done, from 0 to 1. */
  showUnlocking(done: number): void {
    this.#reason.textContent = '';
    this.#form.hidden = this.#file.hidden = this.#passkey.hidden = true;
    this.#progress.hidden = false;
    this.#progress.value = done;
  }

  #showWords(): void {
    const { t } = this.words;
    const wants = this.#question?.wants ?? 'file';
    const refused = this.#question?.refused ?? null;
    this.#field.setAttribute('aria-label', t('passphrase'));
    this.#unlock.textContent = t('unlock');
    this.#progress.setAttribute('aria-label', t('unlocking'));
    this.#file.setAttribute('aria-label', t('identityFile'));
    this.#passkey.textContent = t('usePasskey');
    this.#heading.textContent = t(wants === 'file' ? 'identityWanted' : 'identityLocked');
    this.#what.textContent = t(WHAT[wants]);
    this.#reason.textContent = refused === null ? '' : explain(refused, this.words).title;
  }
}
