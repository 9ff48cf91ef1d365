/**
 * `<veil-player>`: the element that a page puts a sealed video in.
 *
 * Joins one playback with its controls. Its attribute `hotkeys="page"` makes the player's keys
 * work wherever on the page the focus is. Slots: `failure` and `identity` replace the built-in
 * messages. Invariant: one element plays one link at a time, and all that it started ends when it
 * leaves the page.
 */

import { IdentityKeeper } from '../engine/identities';
import { wholeLink } from '../engine/head-start';
import { findObstacle } from '../engine/obstacle';
import { Playback, type PlaybackStats } from '../engine/playback';
import type { Tracks } from '../engine/tracks';
import { explain } from '../explain';
import type { Failure } from '../failure';
import type { IdentityQuestion, Link } from '../protocol';
import { pictureRatio, type Title } from '../title';
import type { Words } from '../words/words';
import { Activity } from './activity';
import { playThrough, runCommand, seekTo } from './commands';
import { Controls } from './controls';
import { h, listen } from './dom';
import { TellingElement, type PlayerState } from './events';
import type { ExtrasContext } from './extras';
import { listenToGestures } from './gestures';
import type { Command } from './keyboard';
import { Later } from './later';
import { Overlays } from './overlays';
import css from './player.css?inline';
import { listenToPage } from './page-events';
import { Poster } from './poster';
import type { Resume } from './resume';
import { deviceStorage, POSITIONS, Shelf } from './shelf';
import { Spoken } from './spoken';

const sheet = new CSSStyleSheet();
sheet.replaceSync(css);

/** The player. */
export class VeilPlayerElement extends TellingElement {
  static readonly observedAttributes = ['lang'];
  /** The identities on this device: to remember the one that was brought, to list and to forget. */
  readonly identities = new IdentityKeeper(() => this.#playback);
  readonly #video = h('video', { playsinline: true, preload: 'auto', tabindex: -1 });
  readonly #shelf = new Shelf(deviceStorage());
  readonly #spoken = new Spoken(this, this.#shelf);
  readonly #poster = new Poster();
  readonly #stage = h('div', { class: 'stage' }, this.#video, this.#poster.element);
  readonly #overlays: Overlays;
  readonly #controls: Controls;
  readonly #activity: Activity;
  readonly #later = new Later(() => this.#extrasContext());
  #inPage: AbortController | null = null;
  #playback: Playback | null = null;
  #state: PlayerState = 'idle';
  #link: Link | null = null;
  #title: Title | null = null;

  constructor() {
    super();
    const root = this.attachShadow({ mode: 'open' });
    root.adoptedStyleSheets = [sheet];
    this.#overlays = new Overlays(this.#video, this.words, (seconds) => {
      seekTo(this.#video, seconds);
      this.#start();
    });
    this.#controls = new Controls({
      host: this,
      video: this.#video,
      words: this.words,
      run: (command) => this.#run(command),
      seek: (seconds) => seekTo(this.#video, seconds),
    });
    const isBusy = () =>
      this.hasAttribute('data-audio') ||
      this.#later.loaded?.menu.isOpen === true ||
      this.#controls.seekBar.isDragging ||
      this.#controls.element.matches(':has(:focus-visible)');
    this.#activity = new Activity(this, this.#video, isBusy);
    root.append(
      this.#stage,
      h('div', { class: 'shade' }),
      ...this.#overlays.layers,
      this.#controls.element,
    );
    this.#video.disableRemotePlayback = true;
    this.#controls.element.inert = true;
    this.#wire();
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

  /** The player's words in their present language; `show` tells when it changes. */
  get words(): Words {
    return this.#spoken.words;
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
  open(link: Link): void {
    this.close();
    this.#setState('opening');
    const obstacle = findObstacle();
    if (obstacle !== null) return void this.#fail(obstacle);
    this.#overlays.wait(true);
    this.#link = wholeLink(link);
    this.#playback = this.#makePlayback(this.#link);
    // Who has never stopped within a title needs nothing of this before the first play.
    if (this.#later.loaded !== null || this.#shelf.read(POSITIONS) !== null)
      this.#later.with(({ resume }) => this.#offer(resume));
  }

  /** Hands over an identity file, unread, where the state is `identity-needed`. */
  provideIdentity(file: File): void {
    if (this.#state !== 'identity-needed') return;
    this.#ask(null);
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

  /** Plays, as `HTMLMediaElement.play` does; asked for before there is a source, it waits for that. */
  play = (): Promise<void> => playThrough(this.#video);

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
    this.#link = null;
    this.#title = null;
    this.#showPoster(null);
    this.#overlays.wait(false);
    this.#overlays.offerResume(null);
    this.#overlays.showFailure(null);
    this.#overlays.showTrouble(null);
    this.#ask(null);
    this.#later.loaded?.close();
    this.#controls.showTracks(null);
    this.#controls.seekBar.showChapters([]);
    this.#controls.seekBar.preview.use(null, () => Promise.resolve(null));
    this.#setState('idle');
  }

  connectedCallback(): void {
    this.setAttribute('data-state', this.#state);
    this.#inPage = new AbortController();
    listenToPage(this.#inPage.signal, {
      host: this,
      controls: this.#controls,
      extras: () => this.#later.loaded,
      isReady: () => this.#state === 'ready',
      run: (command) => this.#run(command),
    });
    this.#spoken.follow(this.#inPage.signal);
  }

  attributeChangedCallback(): void {
    this.#spoken.choose();
  }

  disconnectedCallback(): void {
    this.#inPage?.abort();
    // An element that is only being moved is back in the page by then.
    queueMicrotask(() => {
      if (!this.isConnected) this.close();
    });
  }

  #makePlayback(link: Link): Playback {
    return new Playback(this.#video, link, {
      onTitle: (title) => this.#begin(title),
      onIdentityNeeded: (recipient, question) => void this.#want(recipient, question),
      onUnlocking: (done) => this.#showUnlocking(done),
      onTrouble: (failure) => {
        this.#overlays.showTrouble(failure);
        this.emit('veil-trouble', failure);
      },
      onTracks: (tracks) => {
        this.#controls.showTracks(tracks);
        this.#later.loaded?.menu.refresh();
        this.emit('veil-tracks', tracks);
      },
      onFailure: (failure) => void this.#fail(failure),
    });
  }

  async #want(recipient: string, question: IdentityQuestion): Promise<void> {
    if (!(await this.#hasWords())) return;
    this.#overlays.wait(false);
    this.#ask(question);
    this.#setState('identity-needed');
    this.emit('veil-identity', { recipient, ...question });
  }

  /** Waits for the words that are loaded later; tells whether the playback is still the same. */
  async #hasWords(): Promise<boolean> {
    const playback = this.#playback;
    // The looks of messages come with the extras; without them they are plain.
    void this.#later.load();
    await this.words.complete();
    return playback === this.#playback;
  }

  #begin(title: Title): void {
    this.#title = title;
    const playback = this.#playback;
    this.style.setProperty('--ratio', String(pictureRatio(title)));
    const isSound = !title.renditions.some((rendition) => rendition.type === 'video');
    this.toggleAttribute('data-audio', isSound);
    const { storyboard, poster, chapters = [] } = title;
    this.#controls.seekBar.showChapters(chapters);
    this.#controls.seekBar.preview.use(storyboard ?? null, async (index) => {
      return playback?.image('storyboard', index, storyboard?.mediaType ?? '') ?? null;
    });
    if (poster) {
      void playback?.image('poster', 0, poster.mediaType).then((blob) => {
        if (playback === this.#playback) this.#showPoster(blob);
      });
    }
    this.#overlays.wait(false);
    this.#ask(null);
    this.#later.loaded?.begin();
    this.#setState('ready');
    this.emit('veil-title', title);
  }

  async #fail(failure: Failure): Promise<void> {
    if (!(await this.#hasWords())) return;
    this.#overlays.wait(false);
    this.#overlays.showTrouble(null);
    this.#ask(null);
    this.#overlays.showFailure(failure);
    this.#later.loaded?.close();
    this.#setState('failed');
    this.emit('veil-failure', { failure, explanation: explain(failure, this.words) });
  }

  /** Asks for an identity, or no longer (`null`). */
  #ask(question: IdentityQuestion | null): void {
    this.#overlays.askIdentity(question !== null);
    if (question === null) this.#later.loaded?.identity.ask(null);
    else this.#later.with(({ identity }) => identity.ask(question));
  }

  #showUnlocking(done: number): void {
    this.#later.loaded?.identity.showUnlocking(done);
    this.emit('veil-unlocking', done);
  }

  #setState(state: PlayerState): void {
    this.#state = state;
    this.setAttribute('data-state', state);
    this.#controls.element.inert = state !== 'ready';
    this.emit('veil-state', state);
  }

  #showPoster(blob: Blob | null): void {
    this.#poster.show(blob);
    this.removeAttribute('data-started');
  }

  /** Offers to go on where the viewer stopped. */
  async #offer(resume: Resume): Promise<void> {
    const link = this.#link;
    const seconds = link && (await resume.begin(link));
    if (link === this.#link && !this.hasAttribute('data-started'))
      this.#overlays.offerResume(seconds);
  }

  #start(): void {
    void this.#video.play().catch(() => undefined);
    this.#controls.focus();
  }

  #extrasContext(): ExtrasContext {
    return {
      root: this.shadowRoot as ShadowRoot,
      video: this.#video,
      words: this.words,
      shelf: this.#shelf,
      settingsButton: this.#controls.settings,
      identitySlot: this.#overlays.identitySlot,
      taker: this,
      playback: () => this.#playback,
      title: () => this.#title,
      link: () => this.#link,
      posterUrl: () => this.#poster.url,
      run: (command) => this.#run(command),
      say: (text) => this.#overlays.say(text),
      seek: (seconds) => seekTo(this.#video, seconds),
      setLanguage: (language) => this.#spoken.keep(language),
    };
  }

  #run(command: Command): void {
    if (this.#state !== 'ready') return;
    runCommand(command, {
      host: this,
      video: this.#video,
      words: this.words,
      say: (text) => this.#overlays.say(text),
      toggleHelp: () => this.#later.with(({ help }) => help.toggle()),
      toggleStatistics: () => this.#later.with(({ statistics }) => statistics.toggle()),
      runLater: (late) => this.#later.with((extras) => extras.run(late)),
    });
    if (command.do === 'skip' || command.do === 'chapter') this.#activity.wake();
  }

  #wire(): void {
    listen(this.#overlays.bigPlay, 'click', () => this.#start());
    listen(this.#controls.settings, 'click', () => this.#later.with(({ menu }) => menu.toggle()));
    listen(this.#video, ['play', 'playing'], () => {
      this.toggleAttribute('data-started', true);
      this.#overlays.offerResume(null);
    });
    listen(this.#video, 'playing', () => void this.#later.load());
    this.words.show(() => {
      if (this.isConnected) this.emit('veil-language', this.words.language);
    });
    listenToGestures(
      this.#stage,
      (command) => this.#run(command),
      () => this.#activity.toggle(),
    );
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
