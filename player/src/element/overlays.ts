/**
 * What lies over the picture: the big button, the spinner, messages and failures.
 *
 * Shows what it is told. Failures have a slot, as the wish for an identity has, so that a page can
 * put its own words there; what is built in serves a page that doesn't.
 */

import { explain } from '../explain';
import type { Failure } from '../failure';
import type { Words } from '../words/words';
import { h, listen } from './dom';
import { icon } from './icons';
import { clock } from './time';

/** How long a brief message stays. */
const TOAST_MS = 1100;
/** Shorter waits are not worth a spinner. */
const SPINNER_DELAY_MS = 350;

/** The layers over a video. */
export class Overlays {
  readonly bigPlay = h('button', { type: 'button', class: 'big-play' }, icon('play'));
  /** Offers to go on where the viewer stopped. */
  readonly #resume = h('button', { type: 'button', class: 'resume', hidden: true });
  readonly #waiting = h('span', { class: 'unseen' });
  readonly #spinner = h(
    'div',
    { class: 'spinner', role: 'status', hidden: true },
    h('i'),
    this.#waiting,
  );
  readonly #toast = h('div', { class: 'toast', role: 'status', 'data-off': true });
  readonly #notice = h('div', { class: 'notice', role: 'status', hidden: true });
  readonly #failure = h('div', { class: 'message', role: 'alert' });
  readonly #failurePanel = h(
    'div',
    { class: 'panel', hidden: true },
    h('slot', { name: 'failure' }, this.#failure),
  );
  /** Where the built-in form goes that asks for an identity. */
  readonly identitySlot = h('slot', { name: 'identity' });
  readonly #identityPanel = h('div', { class: 'panel', hidden: true }, this.identitySlot);
  readonly layers: readonly HTMLElement[] = [
    this.#spinner,
    this.bigPlay,
    this.#resume,
    this.#toast,
    this.#notice,
    this.#identityPanel,
    this.#failurePanel,
  ];
  #toastTimer: ReturnType<typeof setTimeout> | undefined;
  #spinnerTimer: ReturnType<typeof setTimeout> | undefined;
  #resumeAtS: number | null = null;
  #trouble: Failure | null = null;
  #failed: Failure | null = null;

  constructor(
    video: HTMLVideoElement,
    private readonly words: Words,
    onResume: (seconds: number) => void,
  ) {
    listen(this.#resume, 'click', () => {
      if (this.#resumeAtS !== null) onResume(this.#resumeAtS);
    });
    listen(video, ['waiting', 'seeking'], () => this.wait(true));
    listen(video, ['playing', 'canplay', 'seeked', 'pause', 'emptied'], () => this.wait(false));
    words.show(() => {
      this.bigPlay.setAttribute('aria-label', words.t('play'));
      this.#waiting.textContent = words.t('loading');
      this.offerResume(this.#resumeAtS);
      this.showTrouble(this.#trouble);
      this.showFailure(this.#failed);
    });
  }

  /** Says something briefly. */
  say(text: string): void {
    this.#toast.textContent = text;
    this.#toast.removeAttribute('data-off');
    clearTimeout(this.#toastTimer);
    this.#toastTimer = setTimeout(() => this.#toast.setAttribute('data-off', ''), TOAST_MS);
  }

  /** Shows the spinner after a moment, or hides it. */
  wait(isWaiting: boolean): void {
    clearTimeout(this.#spinnerTimer);
    if (!isWaiting) this.#spinner.hidden = true;
    else this.#spinnerTimer = setTimeout(() => (this.#spinner.hidden = false), SPINNER_DELAY_MS);
  }

  /** Offers to go on at a second, or no longer (`null`). */
  offerResume(seconds: number | null): void {
    this.#resumeAtS = seconds;
    this.#resume.hidden = seconds === null;
    const text = seconds === null ? '' : this.words.t('continueAt', { time: clock(seconds) });
    this.#resume.replaceChildren(icon('play'), text);
  }

  /** Shows or hides the panel that asks for an identity. */
  askIdentity(isAsking: boolean): void {
    this.#identityPanel.hidden = !isAsking;
  }

  /** Shows trouble that the player is dealing with by itself, or that it is over. */
  showTrouble(failure: Failure | null): void {
    this.#trouble = failure;
    this.#notice.hidden = failure === null;
    if (failure === null) return;
    const { title, action } = explain(failure, this.words);
    this.#notice.replaceChildren(h('strong', {}, title), ` ${action}`);
  }

  /** Shows why playback has ended, or nothing. */
  showFailure(failure: Failure | null): void {
    this.#failed = failure;
    this.#failurePanel.hidden = failure === null;
    if (failure === null) return;
    const { title, happened, action } = explain(failure, this.words);
    this.#failure.replaceChildren(
      icon('shield'),
      h('h2', {}, title),
      h('p', {}, happened),
      h('p', {}, action),
    );
  }
}
