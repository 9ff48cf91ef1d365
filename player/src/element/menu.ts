/**
 * The settings menu: quality, sound, captions, speed.
 *
 * A menu of pages: the first lists the settings, each leads to its choices. Follows the ARIA menu
 * pattern: arrow keys, Home and End, Escape. Knows nothing of what a choice does.
 */

import { h, listen } from './dom';
import { icon } from './icons';

/** Below this width a menu of five lines is higher than a 16:9 picture. */
const CRAMPED_PX = 544;

/** One choice of a setting. */
export interface Choice {
  readonly label: string;
  /** What stands small beside it. */
  readonly note?: string;
  readonly isChosen: boolean;
  choose(): void;
}

/** One setting. */
export interface Setting {
  readonly label: string;
  /** What is chosen, in short. */
  readonly value: string;
  readonly choices: readonly Choice[];
}

/** A button's menu. */
export class SettingsMenu {
  readonly element = h('div', {
    class: 'menu',
    role: 'menu',
    'aria-label': 'Settings',
    hidden: true,
  });
  #page: string | null = null;

  constructor(
    private readonly button: HTMLButtonElement,
    private readonly settings: () => readonly Setting[],
  ) {
    button.setAttribute('aria-haspopup', 'menu');
    button.setAttribute('aria-expanded', 'false');
    listen(button, 'click', () => (this.isOpen ? this.close() : this.open()));
    listen(this.element, 'keydown', (event) => this.#onKey(event as KeyboardEvent));
    listen(this.element, 'focusout', (event) => {
      const next = (event as FocusEvent).relatedTarget;
      if (next instanceof Node && !this.element.contains(next) && next !== button) this.close();
    });
  }

  get isOpen(): boolean {
    return !this.element.hidden;
  }

  open(): void {
    this.element.hidden = false;
    if (this.#isCramped()) {
      this.element.popover = 'manual';
      this.element.showPopover();
    }
    this.button.setAttribute('aria-expanded', 'true');
    this.#show(null);
  }

  close(): void {
    if (!this.isOpen) return;
    const hadFocus = this.element.matches(':focus-within');
    this.element.hidden = true;
    this.element.removeAttribute('popover');
    this.button.setAttribute('aria-expanded', 'false');
    if (hadFocus) this.button.focus();
  }

  /** Draws the page anew where something changed outside. */
  refresh(): void {
    if (!this.isOpen) return;
    const focused = this.#items().findIndex((item) => item.matches(':focus'));
    this.#draw();
    if (focused >= 0) this.#items()[focused]?.focus();
  }

  /** Whether the picture is too small to hold the menu. */
  #isCramped(): boolean {
    const host = this.element.offsetParent;
    return host !== null && host.clientWidth < CRAMPED_PX && 'popover' in HTMLElement.prototype;
  }

  #show(page: string | null): void {
    const from = this.#page;
    this.#page = page;
    this.#draw();
    const items = this.#items();
    const chosen = items.find((item) => item.getAttribute('aria-checked') === 'true');
    const origin = items.find((item) => item.dataset['setting'] === from);
    (page === null ? (origin ?? items[0]) : (chosen ?? items[0]))?.focus({ preventScroll: true });
  }

  #draw(): void {
    const settings = this.settings();
    const open = settings.find((setting) => setting.label === this.#page);
    this.element.setAttribute('aria-label', open?.label ?? 'Settings');
    this.element.replaceChildren(...(open ? this.#choices(open) : this.#overview(settings)));
  }

  #overview(settings: readonly Setting[]): HTMLElement[] {
    return settings.map(({ label, value }) => {
      const item = h(
        'button',
        { type: 'button', role: 'menuitem', tabindex: -1, 'data-setting': label },
        h('span', { class: 'label' }, label),
        h('span', { class: 'note' }, value),
        icon('next'),
      );
      item.addEventListener('click', () => this.#show(label));
      return item;
    });
  }

  #choices({ label, choices }: Setting): HTMLElement[] {
    const back = h(
      'button',
      { type: 'button', role: 'menuitem', tabindex: -1, class: 'back', 'aria-label': 'Back' },
      icon('back'),
      h('span', { class: 'label' }, label),
    );
    back.addEventListener('click', () => this.#show(null));
    return [back, ...choices.map((choice) => this.#choice(choice))];
  }

  #choice({ label, note, isChosen, choose }: Choice): HTMLElement {
    const item = h(
      'button',
      { type: 'button', role: 'menuitemradio', tabindex: -1, 'aria-checked': String(isChosen) },
      icon('check'),
      h('span', { class: 'label' }, label),
      ...(note === undefined ? [] : [h('span', { class: 'note' }, note)]),
    );
    item.addEventListener('click', () => {
      choose();
      this.#show(null);
    });
    return item;
  }

  #items(): HTMLElement[] {
    return [...this.element.querySelectorAll<HTMLElement>('[role^=menuitem]')];
  }

  #onKey(event: KeyboardEvent): void {
    const items = this.#items();
    const at = items.findIndex((item) => item.matches(':focus'));
    const to = (index: number) => items[(index + items.length) % items.length]?.focus();
    const moves: Record<string, () => void> = {
      ArrowDown: () => to(at + 1),
      ArrowUp: () => to(at - 1),
      Home: () => to(0),
      End: () => to(items.length - 1),
      ArrowRight: () => this.#page === null && items[at]?.click(),
      ArrowLeft: () => this.#page !== null && this.#show(null),
      Escape: () => (this.#page === null ? this.close() : this.#show(null)),
      Tab: () => this.close(),
    };
    const move = moves[event.key];
    // Space and Enter press the focused item by themselves; no key goes on to the player.
    event.stopPropagation();
    if (move === undefined) return;
    if (event.key !== 'Tab') event.preventDefault();
    move();
  }
}
