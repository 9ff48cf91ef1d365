/**
 * The played and the whole time, as the bar shows them.
 */

import { h, listen } from './dom';
import { clock } from './time';

/** The played and whole time as text. */
export function makeTimeLabel(video: HTMLVideoElement): HTMLElement {
  const now = h('span', { class: 'now' });
  const whole = h('span');
  const update = (): void => {
    now.textContent = clock(video.currentTime);
    whole.textContent = clock(video.duration);
  };
  listen(video, ['timeupdate', 'durationchange', 'seeking', 'emptied'], update);
  update();
  // The slider says the same in words; read twice it would only disturb.
  return h(
    'div',
    { class: 'time', 'aria-hidden': 'true' },
    now,
    h('span', { class: 'whole' }, ' / ', whole),
  );
}
