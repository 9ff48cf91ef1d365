/**
 * What lies over the picture: the big button, the spinner, messages, help and failures.
 *
 * Shows what it is told. Failures have a slot, as the wish for an identity has, so that a page can
 * put its own words there; what is built in serves a page that doesn't.
 */

import { explain } from '../explain';
import type { Failure } from '../failure';
import { h } from './dom';
import { icon } from './icons';
import { IdentityPanel, type IdentityTaker } from './identity-panel';
import { KEY_HELP } from './keyboard';

/** How long a brief message stays. */
const TOAST_MS = 1100;
/** Shorter waits are not worth a spinner. */
const SPINNER_DELAY_MS = 350;

/** The layers over a video. */
export class Overlays {
  readonly poster = h('img', { class: 'poster', alt: '', hidden: true });
  readonly bigPlay = h(
    'button',
    { type: 'button', class: 'big-play', 'aria-label': 'Play' },
    icon('play'),
  );
  readonly #spinner = h('div', { class: 'spinner', hidden: true }, h('i'));
  readonly #toast = h('div', { class: 'toast', role: 'status', 'data-off': true });
  readonly #notice = h('div', { class: 'notice', role: 'status', hidden: true });
  readonly #failure = h('div', { class: 'message', role: 'alert' });
  readonly help = this.#makeHelp();
  readonly #failurePanel = h('div', { class: 'panel', hidden: true });
  readonly identity: IdentityPanel;
  readonly layers: readonly HTMLElement[];
  #toastTimer: ReturnType<typeof setTimeout> | undefined;
  #spinnerTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(taker: IdentityTaker) {
    const failureSlot = h('slot', { name: 'failure' }, this.#failure);
    this.#failurePanel.append(failureSlot);
    this.identity = new IdentityPanel(taker);
    this.layers = [
      this.#spinner,
      this.bigPlay,
      this.#toast,
      this.#notice,
      this.help,
      this.identity.element,
      this.#failurePanel,
    ];
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

  /** Shows trouble that the player is dealing with by itself, or that it is over. */
  showTrouble(failure: Failure | null): void {
    this.#notice.hidden = failure === null;
    if (failure === null) return;
    const { title, action } = explain(failure);
    this.#notice.replaceChildren(h('strong', {}, title), ` ${action}`);
  }

  /** Shows why playback has ended, or nothing. */
  showFailure(failure: Failure | null): void {
    this.#failurePanel.hidden = failure === null;
    if (failure === null) return;
    const { title, happened, action } = explain(failure);
    this.#failure.replaceChildren(
      icon('shield'),
      h('h2', {}, title),
      h('p', {}, happened),
      h('p', {}, action),
    );
  }

  /** Shows or hides the list of keys. */
  toggleHelp(isShown = this.help.hidden !== false): void {
    this.help.hidden = !isShown;
    if (isShown) this.help.focus();
  }

  #makeHelp(): HTMLElement {
    const rows = KEY_HELP.flatMap(([keys, what]) => [h('dt', {}, keys), h('dd', {}, what)]);
    return h(
      'div',
      { class: 'help', role: 'dialog', 'aria-label': 'Keys', tabindex: -1, hidden: true },
      h('h2', {}, 'Keys'),
      h('dl', {}, ...rows),
    );
  }
}
