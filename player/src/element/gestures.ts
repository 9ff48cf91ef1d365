/**
 * Pointer gestures on the picture.
 *
 * Mouse: a click plays or pauses, a double click fills the screen. Touch: a tap shows or hides the
 * controls, a double tap on a side skips 10 seconds.
 */

import { listen } from './dom';
import type { Command } from './keyboard';

const DOUBLE_TAP_MS = 300;
const SKIP_S = 10;

/** Turns pointer events on `stage` into commands; `toggleControls` is for taps. */
export function listenToGestures(
  stage: HTMLElement,
  run: (command: Command) => void,
  toggleControls: () => void,
): void {
  let lastTapMs = -Infinity;
  const tap = (event: PointerEvent): void => {
    const isDouble = event.timeStamp - lastTapMs < DOUBLE_TAP_MS;
    lastTapMs = event.timeStamp;
    const { left, width } = stage.getBoundingClientRect();
    const place = (event.clientX - left) / width;
    if (isDouble && place < 1 / 3) run({ do: 'skip', seconds: -SKIP_S });
    else if (isDouble && place > 2 / 3) run({ do: 'skip', seconds: SKIP_S });
    else toggleControls();
  };
  listen(stage, 'click', (event) => {
    const pointer = event as PointerEvent;
    if (pointer.pointerType === 'touch') tap(pointer);
    else run({ do: 'toggle-play' });
  });
  listen(stage, 'dblclick', (event) => {
    if ((event as PointerEvent).pointerType !== 'touch') run({ do: 'toggle-fullscreen' });
  });
}
