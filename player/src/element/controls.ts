/**
 * The control bar: its buttons, their labels and states.
 *
 * Reads the video and runs commands; knows nothing of how they are done.
 */

import type { Tracks } from '../engine/tracks';
import type { Word, Words } from '../words/words';
import { whenCalm } from './calm';
import { h, setAttribute, listen } from './dom';
import { icon, setIcon, type IconName } from './icons';
import type { Command } from './keyboard';
import { hasFullscreen, hasPictureInPicture, isFullscreen } from './screen';
import { SeekBar } from './seek-bar';
import { makeTimeLabel } from './time-label';

/** What the bar needs. */
export interface ControlsContext {
  readonly host: HTMLElement;
  readonly video: HTMLVideoElement;
  readonly words: Words;
  run(command: Command): void;
  seek(seconds: number): void;
}

function button(name: IconName, keys: string | null): HTMLButtonElement {
  const attributes = { type: 'button', class: name, 'aria-keyshortcuts': keys };
  return h('button', attributes, icon(name));
}

/** The bar under the picture. */
export class Controls {
  readonly seekBar: SeekBar;
  readonly element: HTMLElement;
  readonly #play = button('play', 'k');
  readonly #mute = button('loud', 'm');
  readonly #volume = h('input', {
    type: 'range',
    class: 'volume',
    min: 0,
    max: 1,
    step: 0.01,
  });
  readonly #captions = button('captions', 'c');
  /** Opens the menu, which belongs to whoever makes it. */
  readonly settings = button('settings', null);
  readonly #pip = button('pip', 'p');
  readonly #fullscreen = button('expand', 'f');

  #isSpoken = false;

  constructor(private readonly context: ControlsContext) {
    const { video, seek, words } = context;
    this.seekBar = new SeekBar(video, words, seek);
    this.settings.setAttribute('aria-haspopup', 'menu');
    this.settings.setAttribute('aria-expanded', 'false');
    this.element = h(
      'div',
      { class: 'controls', role: 'group' },
      this.seekBar.element,
      h(
        'div',
        { class: 'buttons' },
        this.#play,
        h('div', { class: 'loudness' }, this.#mute, this.#volume),
        makeTimeLabel(video),
        h('div', { class: 'space' }),
        this.#captions,
        this.settings,
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
  }

  /** Puts the keyboard's focus on the play button. */
  focus(): void {
    this.#play.focus();
  }

  /** Shows whether the player fills the screen. */
  showFullscreen(): void {
    const isFull = isFullscreen(this.context.host);
    if (isFull) this.#label(this.#fullscreen, 'shrink', 'leaveFullscreen');
    else this.#label(this.#fullscreen, 'expand', 'fullscreen');
  }

  #label(element: Element, name: IconName, word: Word): void {
    const label = this.context.words.t(word);
    setIcon(element, name);
    setAttribute(element, 'aria-label', label);
    setAttribute(element, 'title', label);
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
    this.context.words.show(this.#showWords);
    whenCalm(video, () => {
      this.#isSpoken = true;
      this.#showVolume();
    });
  }

  readonly #showWords = (): void => {
    const { t } = this.context.words;
    this.element.setAttribute('aria-label', t('controls'));
    this.#volume.setAttribute('aria-label', t('volume'));
    this.#label(this.#pip, 'pip', 'pip');
    this.#label(this.#captions, 'captions', 'captions');
    this.#label(this.settings, 'settings', 'settings');
    this.showFullscreen();
    this.#showPlay();
    this.#showVolume();
  };

  readonly #showPlay = (): void => {
    const { video } = this.context;
    if (video.ended) this.#label(this.#play, 'replay', 'playAgain');
    else if (video.paused) this.#label(this.#play, 'play', 'play');
    else this.#label(this.#play, 'pause', 'pause');
  };

  readonly #showVolume = (): void => {
    const { video } = this.context;
    const volume = video.muted ? 0 : video.volume;
    this.#volume.valueAsNumber = volume;
    this.#volume.style.setProperty('--vp-level', String(volume));
    if (this.#isSpoken)
      setAttribute(this.#volume, 'aria-valuetext', this.context.words.percent(volume));
    if (volume === 0) this.#label(this.#mute, 'muted', 'unmute');
    else this.#label(this.#mute, volume < 0.5 ? 'quiet' : 'loud', 'mute');
  };
}
