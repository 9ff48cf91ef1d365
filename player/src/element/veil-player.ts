/**
 * `<veil-player>`: the element that a page puts a sealed video in.
 *
 * Joins one playback with its controls. Its attribute `hotkeys="page"` makes the player's keys
 * work wherever on the page the focus is. Slots: `failure` and `identity` replace the built-in
 * messages. Invariant: one element plays one link at a time, and all that it started ends when it
 * leaves the page.
 */

import { IdentityKeeper } from '../engine/identities';
import { findObstacle, Playback, type PlaybackStats } from '../engine/playback';
import type { Tracks } from '../engine/tracks';
import { explain, type Explanation } from '../explain';
import type { Failure } from '../failure';
import type { IdentityQuestion, Link } from '../protocol';
import { pictureRatio, type Title } from '../title';
import { Activity } from './activity';
import { runCommand, seekTo, togglePlay } from './commands';
import { Controls } from './controls';
import { h, listen } from './dom';
import { listenToGestures } from './gestures';
import { commandOf, type Command } from './keyboard';
import { Overlays } from './overlays';
import css from './player.css?inline';
import { listSettings } from './settings';

/** What an element is doing. */
export type PlayerState = 'idle' | 'opening' | 'identity-needed' | 'unlocking' | 'ready' | 'failed';

/** The events of an element. */
export interface VeilPlayerEventMap {
  'veil-state': CustomEvent<PlayerState>;
  'veil-title': CustomEvent<Title>;
  'veil-tracks': CustomEvent<Tracks>;
  /** An identity, or the passphrase of one, is wanted. */
  'veil-identity': CustomEvent<{ readonly recipient: string } & IdentityQuestion>;
  /** How much of the work on a passphrase is done, from 0 to 1. */
  'veil-unlocking': CustomEvent<number>;
  /** The network is in trouble and being tried again, or no longer (`null`). */
  'veil-trouble': CustomEvent<Failure | null>;
  'veil-failure': CustomEvent<{ readonly failure: Failure; readonly explanation: Explanation }>;
}

const sheet = new CSSStyleSheet();
sheet.replaceSync(css);

/** Elements that take keys for themselves. */
const TYPING = 'input:not([type=range]), textarea, select, [contenteditable]';
const PRESSABLE = 'button, a[href], summary, [role^=menuitem]';

/** The player. */
export class VeilPlayerElement extends HTMLElement {
  /** The identities on this device: to remember the one that was brought, to list and to forget. */
  readonly identities = new IdentityKeeper(() => this.#playback);
  readonly #video = h('video', { playsinline: true, preload: 'auto', tabindex: -1 });
  readonly #stage = h('div', { class: 'stage' }, this.#video);
  readonly #overlays = new Overlays(this);
  readonly #controls: Controls;
  readonly #activity: Activity;
  #inPage: AbortController | null = null;
  #playback: Playback | null = null;
  #state: PlayerState = 'idle';
  #title: Title | null = null;
  #posterUrl: string | null = null;

  constructor() {
    super();
    const root = this.attachShadow({ mode: 'open' });
    root.adoptedStyleSheets = [sheet];
    this.#controls = new Controls({
      host: this,
      video: this.#video,
      run: (command) => this.#run(command),
      seek: (seconds) => seekTo(this.#video, seconds),
      settings: () => this.#settings(),
    });
    const isBusy = () =>
      this.hasAttribute('data-audio') ||
      this.#controls.menu.isOpen ||
      this.#controls.seekBar.isDragging ||
      this.#controls.element.matches(':has(:focus-visible)');
    this.#activity = new Activity(this, this.#video, isBusy);
    this.#stage.append(this.#overlays.poster);
    root.append(
      this.#stage,
      h('div', { class: 'shade' }),
      ...this.#overlays.layers,
      this.#controls.element,
      this.#controls.menu.element,
    );
    this.#video.disableRemotePlayback = true;
    this.#controls.element.inert = true;
    this.#wire();
  }

  override addEventListener<Name extends keyof VeilPlayerEventMap>(
    type: Name,
    listener: (event: VeilPlayerEventMap[Name]) => void,
    options?: boolean | AddEventListenerOptions,
  ): void;
  override addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject,
    options?: boolean | AddEventListenerOptions,
  ): void;
  override addEventListener(
    type: string,
    listener: never,
    options?: boolean | AddEventListenerOptions,
  ): void {
    super.addEventListener(type, listener, options);
  }

  /** What the player is doing. */
  get state(): PlayerState {
    return this.#state;
  }

  /** The opened title, `null` before it is known. */
  get openedTitle(): Title | null {
    return this.#title;
  }

  /** The video element, to read; its source belongs to the player. */
  get video(): HTMLVideoElement {
    return this.#video;
  }

  /** Figures of the playback, `null` before `open`. */
  get stats(): PlaybackStats | null {
    return this.#playback?.stats ?? null;
  }

  /** The choices of the playback and what is chosen, `null` before `open`. */
  get tracks(): Tracks | null {
    return this.#playback?.tracks ?? null;
  }

  /**
   * Opens a link. `gateway` is where the gateway's `/v1` stands, absolute or relative to the page;
   * `secret` is the link's fragment without `#`, and goes into a Worker at once.
   */
  open({ gateway, ...link }: Link): void {
    this.close();
    this.#setState('opening');
    const obstacle = findObstacle();
    if (obstacle !== null) return this.#fail(obstacle);
    this.#overlays.wait(true);
    this.#playback = this.#makePlayback();
    const base = new URL(gateway, document.baseURI).href.replace(/\/+$/, '');
    this.#playback.open({ ...link, gateway: base });
  }

  /** Hands over an identity file, unread, where the state is `identity-needed`. */
  provideIdentity(file: File): void {
    if (this.#state !== 'identity-needed') return;
    this.#overlays.identity.ask(null);
    this.#overlays.wait(true);
    this.#setState('opening');
    this.#playback?.provideIdentity(file);
  }

  /**
   * Hands over the passphrase of a locked identity file, where the state is `identity-needed` and
   * `veil-identity` wanted one. It takes seconds; `veil-unlocking` tells how far it is.
   */
  providePassphrase(passphrase: string): void {
    if (this.#state !== 'identity-needed') return;
    this.#showUnlocking(0);
    this.#setState('unlocking');
    this.#playback?.providePassphrase(passphrase);
  }

  play = (): Promise<void> => this.#video.play();

  pause = (): void => this.#video.pause();

  /** Chooses a picture by its rendition number, `null` for the choice by bandwidth. */
  selectVideo(id: number | null): void {
    this.#playback?.selectVideo(id);
  }

  /** Chooses a sound. */
  selectAudio(id: number): void {
    this.#playback?.selectAudio(id);
  }

  /** Chooses captions, `null` for none. */
  selectSubtitles(id: number | null): void {
    this.#playback?.selectSubtitles(id);
  }

  /** Ends the playback and forgets the title. */
  close(): void {
    this.#playback?.destroy();
    this.#playback = null;
    this.#title = null;
    this.#showPoster(null);
    this.#overlays.wait(false);
    this.#overlays.showFailure(null);
    this.#overlays.showTrouble(null);
    this.#overlays.identity.ask(null);
    this.#controls.menu.close();
    this.#controls.showTracks(null);
    this.#controls.seekBar.preview.use(null, () => Promise.resolve(null));
    this.#setState('idle');
  }

  connectedCallback(): void {
    this.setAttribute('data-state', this.#state);
    this.#inPage = new AbortController();
    this.#listenToPage(this.#inPage.signal);
  }

  disconnectedCallback(): void {
    this.#inPage?.abort();
    // An element that is only being moved is back in the page by then.
    queueMicrotask(() => {
      if (!this.isConnected) this.close();
    });
  }

  #makePlayback(): Playback {
    return new Playback(this.#video, {
      onTitle: (title) => this.#begin(title),
      onIdentityNeeded: (recipient, { wants, refused }) => {
        this.#overlays.wait(false);
        this.#overlays.identity.ask({ wants, refused });
        this.#setState('identity-needed');
        this.#emit('veil-identity', { recipient, wants, refused });
      },
      onUnlocking: (done) => this.#showUnlocking(done),
      onTrouble: (failure) => {
        this.#overlays.showTrouble(failure);
        this.#emit('veil-trouble', failure);
      },
      onTracks: (tracks) => {
        this.#controls.showTracks(tracks);
        this.#emit('veil-tracks', tracks);
      },
      onFailure: (failure) => this.#fail(failure),
    });
  }

  #begin(title: Title): void {
    this.#title = title;
    const playback = this.#playback;
    this.style.setProperty('--ratio', String(pictureRatio(title)));
    const isSound = !title.renditions.some((rendition) => rendition.type === 'video');
    this.toggleAttribute('data-audio', isSound);
    const { storyboard, poster } = title;
    this.#controls.seekBar.preview.use(storyboard ?? null, async (index) => {
      return playback?.image('storyboard', index, storyboard?.mediaType ?? '') ?? null;
    });
    if (poster) {
      void playback?.image('poster', 0, poster.mediaType).then((blob) => {
        if (playback === this.#playback) this.#showPoster(blob);
      });
    }
    this.#overlays.wait(false);
    this.#overlays.identity.ask(null);
    this.#setState('ready');
    this.#emit('veil-title', title);
  }

  #fail(failure: Failure): void {
    this.#overlays.wait(false);
    this.#overlays.showTrouble(null);
    this.#overlays.identity.ask(null);
    this.#overlays.showFailure(failure);
    this.#controls.menu.close();
    this.#setState('failed');
    this.#emit('veil-failure', { failure, explanation: explain(failure) });
  }

  #showUnlocking(done: number): void {
    this.#overlays.identity.showUnlocking(done);
    this.#emit('veil-unlocking', done);
  }

  #setState(state: PlayerState): void {
    this.#state = state;
    this.setAttribute('data-state', state);
    this.#controls.element.inert = state !== 'ready';
    this.#emit('veil-state', state);
  }

  #emit<Name extends keyof VeilPlayerEventMap>(
    name: Name,
    detail: VeilPlayerEventMap[Name]['detail'],
  ): void {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }

  #showPoster(blob: Blob | null): void {
    if (this.#posterUrl !== null) URL.revokeObjectURL(this.#posterUrl);
    this.#posterUrl = blob && URL.createObjectURL(blob);
    this.#overlays.poster.hidden = blob === null;
    if (this.#posterUrl === null) this.#overlays.poster.removeAttribute('src');
    else this.#overlays.poster.src = this.#posterUrl;
    this.removeAttribute('data-started');
  }

  #settings() {
    const tracks = this.#playback?.tracks;
    if (tracks === undefined) return [];
    return listSettings(tracks, this.#video.playbackRate, {
      selectVideo: (id) => this.selectVideo(id),
      selectAudio: (id) => this.selectAudio(id),
      selectSubtitles: (id) => this.selectSubtitles(id),
      setSpeed: (speed) => (this.#video.playbackRate = speed),
    });
  }

  #run(command: Command): void {
    if (this.#state !== 'ready') return;
    runCommand(command, {
      host: this,
      video: this.#video,
      playback: () => this.#playback,
      say: (text) => this.#overlays.say(text),
      toggleHelp: () => this.#overlays.toggleHelp(),
    });
    if (command.do === 'skip') this.#activity.wake();
  }

  #wire(): void {
    listen(this.#overlays.bigPlay, 'click', () => {
      togglePlay(this.#video);
      this.#controls.focus();
    });
    listen(this.#video, ['play', 'playing'], () => this.toggleAttribute('data-started', true));
    listen(this.#video, ['waiting', 'seeking'], () => this.#overlays.wait(true));
    listen(this.#video, ['playing', 'canplay', 'seeked', 'pause', 'emptied'], () =>
      this.#overlays.wait(false),
    );
    listenToGestures(
      this.#stage,
      (command) => this.#run(command),
      () => this.#activity.toggle(),
    );
  }

  /** Listens to the page for as long as the element is in it. */
  #listenToPage(signal: AbortSignal): void {
    const press = (event: Event): void => {
      const path = event.composedPath();
      if (!path.includes(this.#controls.menu.element)) this.#closeMenuOutside(event);
      if (!path.includes(this.#overlays.help)) this.#overlays.toggleHelp(false);
    };
    listen(document, 'pointerdown', press, signal);
    listen(document, 'keydown', (event) => this.#onKey(event as KeyboardEvent), signal);
    listen(document, 'fullscreenchange', () => this.#controls.showFullscreen(), signal);
  }

  /** The settings button opens and closes its menu itself. */
  #closeMenuOutside(event: Event): void {
    const onButton = event
      .composedPath()
      .some((node) => node instanceof Element && node.getAttribute('aria-haspopup') === 'menu');
    if (!onButton) this.#controls.menu.close();
  }

  #onKey(event: KeyboardEvent): void {
    const path = event.composedPath();
    if (
      event.defaultPrevented ||
      (this.getAttribute('hotkeys') !== 'page' && !path.includes(this))
    ) {
      return;
    }
    const [target] = path;
    if (target instanceof Element && this.#keepsKey(target, event.key)) return;
    if (event.key === 'Escape') return this.#overlays.toggleHelp(false);
    const command = commandOf(event);
    if (command === null || this.#state !== 'ready') return;
    event.preventDefault();
    this.#run(command);
    if (target === this.#controls.seekBar.element) this.#controls.seekBar.showCurrent();
  }

  /** Whether the focused element has a use of its own for a key. */
  #keepsKey(target: Element, key: string): boolean {
    if (target.matches(TYPING)) return true;
    if (target.matches('input[type=range]')) return key.startsWith('Arrow');
    return target.matches(PRESSABLE) && (key === ' ' || key === 'Enter');
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'veil-player': VeilPlayerElement;
  }
}

/** Makes `<veil-player>` known to the page. */
export function defineVeilPlayer(): void {
  if (!customElements.get('veil-player')) customElements.define('veil-player', VeilPlayerElement);
}
