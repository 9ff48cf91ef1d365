/**
 * The settings menu: pages of choices and switches, each reached from the page above it.
 *
 * Follows the ARIA menu pattern: arrow keys, Home and End, Escape. Knows nothing of what a choice
 * does.
 */

import type { Words } from '../words/words';
import { h, listen } from './dom';
import { sheetIcon } from './sheet-icons';

/** Below this width a menu of five lines is higher than a 16:9 picture. */
const CRAMPED_PX = 544;

/** One of several, of which one is chosen. */
export interface Choice {
  readonly kind: 'choice';
  readonly label: string;
  /** What stands small beside it. */
  readonly note?: string;
  readonly isChosen: boolean;
  /** Whether the menu goes away with it. */
  readonly closes?: boolean;
  choose(): void;
}

/** What is on or off. */
export interface Switch {
  readonly kind: 'switch';
  readonly label: string;
  readonly note: string;
  readonly isOn: boolean;
  turn(): void;
}

/** What is done at once; the menu goes away. */
export interface Action {
  readonly kind: 'action';
  readonly label: string;
  run(): void;
}

/** A page of its own. */
export interface Group {
  readonly kind: 'group';
  readonly id: string;
  readonly label: string;
  /** What is chosen, in short. */
  readonly value?: string;
  /** What stands under the title of its page, before the entries. */
  readonly text?: string;
  readonly entries: readonly Entry[];
}

/** A line of a menu. */
export type Entry = Choice | Switch | Action | Group;

type Item = HTMLButtonElement;

function line(role: string, ...content: readonly (Node | string)[]): Item {
  return h('button', { type: 'button', role, tabindex: -1 }, ...content);
}

const label = (text: string) => h('span', { class: 'label' }, text);
const note = (text = '') => (text === '' ? [] : [h('span', { class: 'note' }, text)]);

/** A button's menu. */
export class Menu {
  readonly element = h('div', { class: 'menu', role: 'menu', hidden: true });
  /** Ids of the groups that lead to the shown page. */
  #path: readonly string[] = [];

  constructor(
    private readonly button: HTMLButtonElement,
    private readonly words: Words,
    private readonly entries: () => readonly Entry[],
  ) {
    listen(this.element, 'keydown', (event) => this.#onKey(event as KeyboardEvent));
    listen(this.element, 'focusout', (event) => {
      const next = (event as FocusEvent).relatedTarget;
      if (next instanceof Node && !this.element.contains(next) && next !== button) this.close();
    });
    words.show(() => this.refresh());
  }

  get isOpen(): boolean {
    return !this.element.hidden;
  }

  toggle(): void {
    if (this.isOpen) this.close();
    else this.open();
  }

  open(): void {
    this.element.hidden = false;
    if (this.#isCramped()) {
      this.element.popover = 'manual';
      this.element.showPopover();
    }
    this.button.setAttribute('aria-expanded', 'true');
    this.#show([]);
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

  #show(path: readonly string[]): void {
    const from = this.#path[path.length];
    this.#path = path;
    this.#draw();
    this.element.scrollTop = 0;
    const items = this.#items();
    const origin = items.find((item) => item.dataset['group'] === from);
    const chosen = items.find((item) => item.getAttribute('aria-checked') === 'true');
    const first = items[path.length > 0 && items.length > 1 ? 1 : 0];
    const target = (from === undefined ? undefined : origin) ?? (path.length > 0 ? chosen : null);
    (target ?? first)?.focus({ preventScroll: true });
    this.element.querySelector(':focus')?.scrollIntoView({ block: 'nearest' });
  }

  #up(): void {
    if (this.#path.length === 0) this.close();
    else this.#show(this.#path.slice(0, -1));
  }

  /** The shown page's group, `null` for the first page; a page that is gone gives way to it. */
  #page(): Group | null {
    let entries = this.entries();
    let page: Group | null = null;
    for (const id of this.#path) {
      const group = entries.find((entry) => entry.kind === 'group' && entry.id === id);
      if (group?.kind !== 'group') return null;
      [page, entries] = [group, group.entries];
    }
    return page;
  }

  #draw(): void {
    const page = this.#page();
    this.element.setAttribute('aria-label', page?.label ?? this.words.t('settings'));
    const entries = (page?.entries ?? this.entries()).map((entry) => this.#item(entry));
    this.element.replaceChildren(...(page === null ? [] : this.#head(page)), ...entries);
  }

  #head({ label: title, text }: Group): HTMLElement[] {
    const back = line('menuitem', sheetIcon('back'), label(title));
    back.classList.add('back');
    back.setAttribute('aria-label', `${this.words.t('back')}: ${title}`);
    listen(back, 'click', () => this.#up());
    if (text === undefined) return [back];
    const id = 'menu-text';
    back.setAttribute('aria-describedby', id);
    return [back, h('p', { id, role: 'presentation' }, text)];
  }

  #item(entry: Entry): Item {
    switch (entry.kind) {
      case 'group':
        return this.#group(entry);
      case 'choice':
        return this.#choice(entry);
      case 'switch':
        return this.#switch(entry);
      case 'action':
        return this.#action(entry);
    }
  }

  #group({ id, label: text, value }: Group): Item {
    const item = line('menuitem', label(text), ...note(value), sheetIcon('next'));
    item.dataset['group'] = id;
    item.setAttribute('aria-haspopup', 'menu');
    listen(item, 'click', () => this.#show([...this.#path, id]));
    return item;
  }

  #choice({ label: text, note: small, isChosen, closes, choose }: Choice): Item {
    const item = line('menuitemradio', sheetIcon('check'), label(text), ...note(small));
    item.setAttribute('aria-checked', String(isChosen));
    listen(item, 'click', () => {
      choose();
      if (closes) this.close();
      else this.#up();
    });
    return item;
  }

  #switch({ label: text, note: small, isOn, turn }: Switch): Item {
    const item = line('menuitemcheckbox', label(text), ...note(small));
    item.setAttribute('aria-checked', String(isOn));
    listen(item, 'click', () => {
      turn();
      this.refresh();
    });
    return item;
  }

  #action({ label: text, run }: Action): Item {
    const item = line('menuitem', label(text));
    listen(item, 'click', () => {
      this.close();
      run();
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
      ArrowRight: () => items[at]?.matches('[data-group]') && items[at].click(),
      ArrowLeft: () => this.#path.length > 0 && this.#up(),
      Escape: () => this.#up(),
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
