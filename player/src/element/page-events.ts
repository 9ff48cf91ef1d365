/**
 * What an element hears from the page around it: presses outside, keys, full screen, the page's end.
 *
 * Knows nothing of playback.
 */

import type { Controls } from './controls';
import { listen } from './dom';
import type { Extras } from './extras';
import { readKey } from './hotkeys';
import type { Command } from './keyboard';

/** The element that listens. */
export interface Listener {
  readonly host: HTMLElement;
  readonly controls: Controls;
  /** What has been loaded, `null` before. */
  extras(): Extras | null;
  isReady(): boolean;
  run(command: Command): void;
}

/** A press outside puts menu and help away; the settings button does so itself. */
function putAway({ controls, extras }: Listener, path: readonly EventTarget[]): void {
  const loaded = extras();
  if (loaded === null) return;
  const { menu, help } = loaded;
  if (!path.includes(menu.element) && !path.includes(controls.settings)) menu.close();
  if (!path.includes(help.element)) help.toggle(false);
}

function onKey({ host, controls, extras, isReady, run }: Listener, event: KeyboardEvent): void {
  const command = readKey(event, host, host.getAttribute('hotkeys') === 'page');
  if (command === 'escape') return extras()?.help.toggle(false);
  if (command === null || !isReady()) return;
  event.preventDefault();
  run(command);
  const { seekBar } = controls;
  if (event.composedPath()[0] === seekBar.element) seekBar.showCurrent();
}

/** Listens to the page until `signal`. */
export function listenToPage(signal: AbortSignal, listener: Listener): void {
  const { controls, extras } = listener;
  listen(document, 'pointerdown', (event) => putAway(listener, event.composedPath()), signal);
  listen(document, 'keydown', (event) => onKey(listener, event as KeyboardEvent), signal);
  listen(document, 'fullscreenchange', () => controls.showFullscreen(), signal);
  listen(globalThis, 'pagehide', () => extras()?.resume.note(), signal);
}
