/**
 * The list of keys over the picture.
 */

import type { Word, Words } from '../words/words';
import { h, listen } from './dom';
import { sheetIcon } from './sheet-icons';

/** The keys as the help lists them; a key that has a name on a keyboard is a word. */
export const KEY_HELP: readonly (readonly [keys: readonly (Word | `=${string}`)[], what: Word])[] =
  [
    [['keySpace', '=K'], 'keyPlay'],
    [['=←', '=→'], 'keySkip5'],
    [['=J', '=L'], 'keySkip10'],
    [['keyShift', '=←', '=→'], 'keyChapter'],
    [['=,', '=.'], 'keyFrame'],
    [['=0 – 9'], 'keyTenths'],
    [['keyHome', 'keyEnd'], 'keyEnds'],
    [['=↑', '=↓'], 'keyVolume'],
    [['=M'], 'keyMute'],
    [['=C'], 'keyCaptions'],
    [['=F'], 'keyFullscreen'],
    [['=P'], 'keyPip'],
    [['=<', '=>'], 'keySpeed'],
    [['=I'], 'keyStatistics'],
    [['=?'], 'keyHelp'],
  ];

/** The sheet of keys, a dialog that doesn't hold anybody. */
export class Help {
  readonly #heading = h('h2', { id: 'help-title' });
  readonly #list = h('dl');
  readonly #close = h('button', { type: 'button', class: 'close' }, sheetIcon('close'));
  readonly element = h(
    'div',
    { class: 'help', role: 'dialog', 'aria-labelledby': 'help-title', tabindex: -1, hidden: true },
    this.#close,
    this.#heading,
    this.#list,
  );
  #from: Element | null = null;

  constructor(words: Words) {
    listen(this.#close, 'click', () => this.toggle(false));
    words.show(() => {
      this.#heading.textContent = words.t('keys');
      this.#close.setAttribute('aria-label', words.t('close'));
      this.#list.replaceChildren(...this.#rows(words));
    });
  }

  get isShown(): boolean {
    return !this.element.hidden;
  }

  /** Shows or hides the list; the focus goes there and comes back. */
  toggle(isShown = !this.isShown): void {
    if (isShown === this.isShown) return;
    const root = this.element.getRootNode() as ShadowRoot;
    if (isShown) this.#from = root.activeElement;
    const hadFocus = this.element.matches(':focus-within');
    this.element.hidden = !isShown;
    if (isShown) this.element.focus();
    else if (hadFocus && this.#from instanceof HTMLElement) this.#from.focus();
  }

  #rows({ t }: Words): HTMLElement[] {
    return KEY_HELP.flatMap(([keys, what]) => {
      const names = keys.map((key) => (key.startsWith('=') ? key.slice(1) : t(key as never)));
      const caps = names.flatMap((name) => [' ', h('kbd', {}, name)]).slice(1);
      return [h('dt', {}, ...caps), h('dd', {}, t(what))];
    });
  }
}
