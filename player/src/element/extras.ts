/**
 * What nobody needs before the first play: the menu, the list of keys, the figures, the built-in
 * question for an identity, media keys, the captions' looks.
 *
 * A file of its own that the element loads once, when one of them is wanted or playback has begun.
 */

import type { Playback } from '../engine/playback';
import type { Link } from '../protocol';
import type { Title } from '../title';
import type { Language } from '../words/language';
import type { Words } from '../words/words';
import { readStyle, styleRules, type CaptionStyle } from './caption-style';
import { ChapterTrack } from './chapter-track';
import { listen } from './dom';
import { Help } from './help';
import { IdentityForm, type IdentityTaker } from './identity-form';
import css from './extras.css?inline';
import type { Command, LateCommand } from './keyboard';
import { runLate } from './late-commands';
import { SystemSession } from './media-session';
import { Menu } from './menu';
import { Positions } from './positions';
import { Resume } from './resume';
import { listSettings, type Chooser, type Situation } from './settings';
import type { Shelf } from './shelf';
import { Statistics } from './statistics';
import { NO_TRACKS } from '../engine/tracks';

/** What the extras work on. */
export interface ExtrasContext {
  readonly root: ShadowRoot;
  readonly video: HTMLVideoElement;
  readonly words: Words;
  readonly shelf: Shelf;
  readonly settingsButton: HTMLButtonElement;
  readonly identitySlot: HTMLElement;
  readonly taker: IdentityTaker;
  playback(): Playback | null;
  title(): Title | null;
  link(): Link | null;
  posterUrl(): string | null;
  run(command: Command): void;
  say(text: string): void;
  seek(seconds: number): void;
  setLanguage(language: Language): void;
}

const STYLE = 'captions';

const looks = new CSSStyleSheet();
looks.replaceSync(css);

/** All of them. */
export class Extras {
  readonly menu: Menu;
  readonly help: Help;
  readonly statistics: Statistics;
  readonly identity: IdentityForm;
  readonly session: SystemSession;
  readonly resume: Resume;
  readonly #positions: Positions;
  readonly #chapters: ChapterTrack;
  readonly #cues = new CSSStyleSheet();
  #style: CaptionStyle;

  constructor(private readonly context: ExtrasContext) {
    const { root, video, words, shelf, settingsButton, playback, title } = context;
    this.#style = readStyle(shelf.read(STYLE));
    this.#showStyle();
    root.adoptedStyleSheets.push(looks, this.#cues);
    this.menu = new Menu(settingsButton, words, () =>
      listSettings(this.#situation(), words, this.#chooser()),
    );
    this.#positions = new Positions(shelf);
    this.resume = new Resume(video, this.#positions);
    const link = context.link();
    if (link !== null) void this.resume.begin(link);
    this.#chapters = new ChapterTrack(video);
    this.begin();
    this.help = new Help(words);
    this.statistics = new Statistics({
      video,
      words,
      stats: () => playback()?.stats ?? null,
      tracks: () => playback()?.tracks ?? null,
    });
    this.identity = new IdentityForm(words, context.taker);
    context.identitySlot.append(this.identity.element);
    root.append(this.statistics.element, this.help.element, this.menu.element);
    listen(video, 'ratechange', () => this.menu.refresh());
    this.session = new SystemSession({
      video,
      name: () => title()?.title ?? '',
      posterUrl: () => context.posterUrl(),
      hasChapters: () => (title()?.chapters ?? []).length > 0,
      run: (command) => context.run(command),
      seek: (seconds) => context.seek(seconds),
    });
  }

  /** Begins with the title that is open now. */
  begin(): void {
    const { chapters = [], durationUs = 0 } = this.context.title() ?? {};
    this.#chapters.show(chapters, durationUs, this.context.words.language);
  }

  /** Runs a command that came with the extras. */
  run(command: LateCommand): void {
    runLate(command, this.context);
  }

  /** Puts everything away, as the playback ends. */
  close(): void {
    this.resume.end();
    this.menu.close();
    this.help.toggle(false);
    this.statistics.toggle(false);
    this.session.release();
  }

  #situation(): Situation {
    const { video, playback, title } = this.context;
    return {
      tracks: playback()?.tracks ?? NO_TRACKS,
      chapters: title()?.chapters ?? [],
      seconds: video.currentTime,
      speed: video.playbackRate,
      captionStyle: this.#style,
      remembersPosition: this.#positions.isOn,
      showsStatistics: this.statistics.isShown,
    };
  }

  #chooser(): Chooser {
    const { video, playback, seek, setLanguage } = this.context;
    return {
      selectVideo: (id) => playback()?.selectVideo(id),
      selectAudio: (id) => playback()?.selectAudio(id),
      selectSubtitles: (id) => playback()?.selectSubtitles(id),
      setSpeed: (speed) => (video.playbackRate = speed),
      seek,
      setCaptionStyle: (change) => this.#changeStyle(change),
      setLanguage,
      rememberPosition: (isOn) => (this.#positions.isOn = isOn),
      toggleStatistics: () => this.statistics.toggle(),
      showHelp: () => this.help.toggle(true),
    };
  }

  #changeStyle(change: Partial<CaptionStyle> | null): void {
    this.#style = readStyle(change && { ...this.#style, ...change });
    this.context.shelf.write(STYLE, change && this.#style);
    this.#showStyle();
  }

  #showStyle(): void {
    this.#cues.replaceSync(styleRules(this.#style));
  }
}
