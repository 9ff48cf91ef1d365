/**
 * Which language an element speaks: the viewer's own choice, else the page's, else the browser's.
 *
 * Knows nothing of what is said.
 */

import { chooseLanguage, type Language } from '../words/language';
import { Words } from '../words/words';
import { deviceStorage, Shelf } from './shelf';

/** What the shelf keeps the viewer's own choice under. */
const NAME = 'language';

function keptIn(shelf: Shelf): string | null {
  const kept = shelf.read(NAME);
  return typeof kept === 'string' ? kept : null;
}

/** The viewer's own choice on this device, else the browser's language: for a page that is in several itself. */
export function chosenLanguage(): Language {
  return chooseLanguage([keptIn(new Shelf(deviceStorage())), ...navigator.languages]);
}

/** The words of one element. */
export class Spoken {
  readonly words = new Words();

  constructor(
    private readonly host: HTMLElement,
    private readonly shelf: Shelf,
  ) {}

  /** Looks anew at what the page and the browser say. */
  choose(): void {
    const page = this.host.closest('[lang]')?.getAttribute('lang');
    void this.words.use(chooseLanguage([keptIn(this.shelf), page, ...navigator.languages]));
  }

  /** Keeps a viewer's choice. */
  keep(language: Language): void {
    this.shelf.write(NAME, language);
    void this.words.use(language);
  }

  /** Follows the language of the page until `signal`. */
  follow(signal: AbortSignal): void {
    this.choose();
    const observer = new MutationObserver(() => this.choose());
    observer.observe(document.documentElement, { attributeFilter: ['lang'] });
    signal.addEventListener('abort', () => observer.disconnect());
  }
}
