/**
 * The control bar: its buttons, their labels and states.
 *
 * Reads the video and runs commands; knows nothing of how they are done.
 */

import type { Tracks } from '../engine/tracks';
import { h, setAttribute, listen } from './dom';
import { icon, setIcon, type IconName } from './icons';
import type { Command } from './keyboard';
import { SettingsMenu, type Setting } from './menu';
import { hasFullscreen, hasPictureInPicture, isFullscreen } from './screen';
import { makeTimeLabel, SeekBar } from './seek-bar';

/** What the bar needs. */
export interface ControlsContext {
  readonly host: HTMLElement;
  readonly video: HTMLVideoElement;
  run(command: Command): void;
  seek(seconds: number): void;
  settings(): readonly Setting[];
}

function button(name: IconName, label: string, keys: string): HTMLButtonElement {
  return h(
    'button',
    { type: 'button', class: name, 'aria-label': label, 'aria-keyshortcuts': keys },
    icon(name),
  );
}

function relabel(element: Element, name: IconName, label: string): void {
  setIcon(element, name);
  setAttribute(element, 'aria-label', label);
  setAttribute(element, 'title', label);
}

/** The bar under the picture. */
export class Controls {
  readonly seekBar: SeekBar;
  readonly menu: SettingsMenu;
  readonly element: HTMLElement;
  readonly #play = button('play', 'Play', 'k');
  readonly #mute = button('loud', 'Mute', 'm');
  readonly #volume = h('input', {
    type: 'range',
    class: 'volume',
    min: 0,
    max: 1,
    step: 0.01,
    'aria-label': 'Volume',
  });
  readonly #captions = button('captions', 'Captions', 'c');
  readonly #settings = button('settings', 'Settings', '');
  readonly #pip = button('pip', 'Picture in picture', 'p');
  readonly #fullscreen = button('expand', 'Full screen', 'f');

  constructor(private readonly context: ControlsContext) {
    const { video, seek } = context;
    this.seekBar = new SeekBar(video, seek);
    this.menu = new SettingsMenu(this.#settings, context.settings);
    this.#settings.removeAttribute('aria-keyshortcuts');
    this.#settings.title = 'Settings';
    this.element = h(
      'div',
      { class: 'controls', role: 'group', 'aria-label': 'Player controls' },
      this.seekBar.element,
      h(
        'div',
        { class: 'buttons' },
        this.#play,
        h('div', { class: 'loudness' }, this.#mute, this.#volume),
        makeTimeLabel(video),
        h('div', { class: 'space' }),
        this.#captions,
        this.#settings,
        this.#pip,
        this.#fullscreen,
      ),
    );
    this.#pip.hidden = !hasPictureInPicture();
    this.#fullscreen.hidden = !hasFullscreen(video);
    this.#wire();
    this.showTracks(null);
  }

  /** Shows which captions are on, and whether there are any. */
  showTracks(tracks: Tracks | null): void {
    this.#captions.hidden = tracks === null || tracks.subtitles.length === 0;
    const isOn = tracks !== null && tracks.subtitlesId !== null;
    setAttribute(this.#captions, 'aria-pressed', String(isOn));
    this.menu.refresh();
  }

  /** Puts the keyboard's focus on the play button. */
  focus(): void {
    this.#play.focus();
  }

  /** Shows whether the player fills the screen. */
  showFullscreen(): void {
    if (isFullscreen(this.context.host)) relabel(this.#fullscreen, 'shrink', 'Leave full screen');
    else relabel(this.#fullscreen, 'expand', 'Full screen');
  }

  #wire(): void {
    const { video, run } = this.context;
    listen(this.#play, 'click', () => run({ do: 'toggle-play' }));
    listen(this.#mute, 'click', () => run({ do: 'toggle-mute' }));
    listen(this.#captions, 'click', () => run({ do: 'toggle-captions' }));
    listen(this.#pip, 'click', () => run({ do: 'toggle-pip' }));
    listen(this.#fullscreen, 'click', () => run({ do: 'toggle-fullscreen' }));
    listen(this.#volume, 'input', () => {
      video.volume = this.#volume.valueAsNumber;
      video.muted = video.volume === 0;
    });
    listen(video, ['play', 'pause', 'ended', 'emptied'], this.#showPlay);
    listen(video, 'volumechange', this.#showVolume);
    listen(video, 'ratechange', () => this.menu.refresh());
    relabel(this.#pip, 'pip', 'Picture in picture');
    relabel(this.#captions, 'captions', 'Captions');
    this.showFullscreen();
    this.#showPlay();
    this.#showVolume();
  }

  readonly #showPlay = (): void => {
    const { video } = this.context;
    if (video.ended) relabel(this.#play, 'replay', 'Play again');
    else if (video.paused) relabel(this.#play, 'play', 'Play');
    else relabel(this.#play, 'pause', 'Pause');
  };

  readonly #showVolume = (): void => {
    const { video } = this.context;
    const volume = video.muted ? 0 : video.volume;
    this.#volume.valueAsNumber = volume;
    this.#volume.style.setProperty('--vp-level', String(volume));
    setAttribute(this.#volume, 'aria-valuetext', `${Math.round(volume * 100)} percent`);
    if (volume === 0) relabel(this.#mute, 'muted', 'Unmute');
    else relabel(this.#mute, volume < 0.5 ? 'quiet' : 'loud', 'Mute');
  };
}
