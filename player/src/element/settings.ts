/**
 * What the settings menu offers.
 *
 * Makes the menu's pages from the tracks, the chapters and what the viewer has chosen. Pure but for
 * the calls that a choice makes.
 */

import type { Tracks } from '../engine/tracks';
import type { Chapter, VideoRendition } from '../title';
import { LANGUAGES, OWN_NAMES, type Language } from '../words/language';
import type { Words } from '../words/words';
import { STYLE_CHOICES, type CaptionStyle, type StyleName } from './caption-style';
import { chapterAt } from './chapters';
import { SPEEDS } from './keyboard';
import type { Choice, Entry, Group } from './menu';
import { qualityName, speedName, trackName } from './names';
import { clock } from './time';

/** What the menu shows. */
export interface Situation {
  readonly tracks: Tracks;
  readonly chapters: readonly Chapter[];
  readonly seconds: number;
  readonly speed: number;
  readonly captionStyle: CaptionStyle;
  readonly remembersPosition: boolean;
  readonly showsStatistics: boolean;
}

/** Makes the choices come true. */
export interface Chooser {
  selectVideo(id: number | null): void;
  selectAudio(id: number): void;
  selectSubtitles(id: number | null): void;
  setSpeed(speed: number): void;
  seek(seconds: number): void;
  /** `null` for all as at first. */
  setCaptionStyle(change: Partial<CaptionStyle> | null): void;
  setLanguage(language: Language): void;
  rememberPosition(isOn: boolean): void;
  toggleStatistics(): void;
  showHelp(): void;
}

function quality(tracks: Tracks, words: Words, chooser: Chooser): Group {
  const playing = tracks.video.find((video) => video.id === tracks.videoId);
  const now = playing ? qualityName(playing) : '';
  const choices: Choice[] = tracks.video.toReversed().map((video: VideoRendition) => ({
    kind: 'choice',
    label: qualityName(video),
    note: words.bitRate(video.bandwidthBps),
    isChosen: !tracks.isAutomatic && video.id === tracks.videoId,
    choose: () => chooser.selectVideo(video.id),
  }));
  choices.unshift({
    kind: 'choice',
    label: words.t('automatic'),
    note: tracks.isAutomatic ? now : '',
    isChosen: tracks.isAutomatic,
    choose: () => chooser.selectVideo(null),
  });
  const automatic = now === '' ? words.t('automatic') : words.t('automaticNow', { quality: now });
  return {
    kind: 'group',
    id: 'quality',
    label: words.t('quality'),
    value: tracks.isAutomatic ? automatic : now,
    entries: choices,
  };
}

function sound(tracks: Tracks, words: Words, chooser: Chooser): Group {
  const chosen = tracks.audio.find((audio) => audio.id === tracks.audioId);
  const entries = tracks.audio.map((audio): Choice => ({
    kind: 'choice',
    label: trackName(audio, words),
    isChosen: audio === chosen,
    choose: () => chooser.selectAudio(audio.id),
  }));
  const value = chosen ? trackName(chosen, words) : '';
  return { kind: 'group', id: 'sound', label: words.t('sound'), value, entries };
}

function captionStyle(style: CaptionStyle, words: Words, chooser: Chooser): Group {
  const names = Object.keys(STYLE_CHOICES) as StyleName[];
  const pages = names.map((name): Group => {
    const { word, values } = STYLE_CHOICES[name];
    const chosen = values.find((value) => value.value === style[name]);
    const entries = values.map((value): Choice => ({
      kind: 'choice',
      label: words.t(value.word),
      isChosen: value === chosen,
      choose: () => chooser.setCaptionStyle({ [name]: value.value }),
    }));
    const value = chosen ? words.t(chosen.word) : '';
    return { kind: 'group', id: name, label: words.t(word), value, entries };
  });
  const reset: Choice = {
    kind: 'choice',
    label: words.t('reset'),
    isChosen: false,
    choose: () => chooser.setCaptionStyle(null),
  };
  const label = words.t('captionStyle');
  return { kind: 'group', id: 'style', label, entries: [...pages, reset] };
}

function captions({ tracks, captionStyle: style }: Situation, words: Words, chooser: Chooser) {
  const chosen = tracks.subtitles.find((subtitles) => subtitles.id === tracks.subtitlesId);
  const choices = tracks.subtitles.map((subtitles): Choice => ({
    kind: 'choice',
    label: trackName(subtitles, words),
    isChosen: subtitles === chosen,
    choose: () => chooser.selectSubtitles(subtitles.id),
  }));
  const off: Choice = {
    kind: 'choice',
    label: words.t('off'),
    isChosen: !chosen,
    choose: () => chooser.selectSubtitles(null),
  };
  const group: Group = {
    kind: 'group',
    id: 'captions',
    label: words.t('captions'),
    value: chosen ? trackName(chosen, words) : words.t('off'),
    entries: [off, ...choices, captionStyle(style, words, chooser)],
  };
  return group;
}

function speed(current: number, words: Words, chooser: Chooser): Group {
  const entries = SPEEDS.map((value): Choice => ({
    kind: 'choice',
    label: speedName(value, words),
    isChosen: value === current,
    choose: () => chooser.setSpeed(value),
  }));
  const value = speedName(current, words);
  return { kind: 'group', id: 'speed', label: words.t('speed'), value, entries };
}

function chapters({ chapters: list, seconds }: Situation, words: Words, chooser: Chooser): Group {
  const now = chapterAt(list, seconds);
  const name = (index: number) => list[index]?.title || words.t('chapterNumber', { n: index + 1 });
  const entries = list.map(({ startUs }, index): Choice => ({
    kind: 'choice',
    label: name(index),
    note: clock(startUs / 1e6),
    isChosen: index === now,
    closes: true,
    choose: () => chooser.seek(startUs / 1e6),
  }));
  const value = now < 0 ? '' : name(now);
  return { kind: 'group', id: 'chapters', label: words.t('chapters'), value, entries };
}

function language(words: Words, chooser: Chooser): Group {
  const entries = LANGUAGES.map((one): Choice => ({
    kind: 'choice',
    label: OWN_NAMES[one],
    isChosen: one === words.language,
    choose: () => chooser.setLanguage(one),
  }));
  const value = OWN_NAMES[words.language];
  return { kind: 'group', id: 'language', label: words.t('language'), value, entries };
}

function more(situation: Situation, words: Words, chooser: Chooser): Group {
  const { remembersPosition, showsStatistics } = situation;
  const state = (isOn: boolean) => words.t(isOn ? 'on' : 'off');
  const cast: Group = {
    kind: 'group',
    id: 'cast',
    label: words.t('cast'),
    value: words.t('notAvailable'),
    text: words.t('castWhy'),
    entries: [],
  };
  const entries: Entry[] = [
    language(words, chooser),
    {
      kind: 'switch',
      label: words.t('rememberPosition'),
      note: state(remembersPosition),
      isOn: remembersPosition,
      turn: () => chooser.rememberPosition(!remembersPosition),
    },
    {
      kind: 'switch',
      label: words.t('statistics'),
      note: state(showsStatistics),
      isOn: showsStatistics,
      turn: () => chooser.toggleStatistics(),
    },
    { kind: 'action', label: words.t('keys'), run: () => chooser.showHelp() },
    cast,
  ];
  return { kind: 'group', id: 'more', label: words.t('more'), entries };
}

/** Returns the pages that have more than one choice. */
export function listSettings(situation: Situation, words: Words, chooser: Chooser): Group[] {
  const { tracks } = situation;
  return [
    ...(situation.chapters.length > 0 ? [chapters(situation, words, chooser)] : []),
    ...(tracks.video.length > 1 ? [quality(tracks, words, chooser)] : []),
    ...(tracks.audio.length > 1 ? [sound(tracks, words, chooser)] : []),
    ...(tracks.subtitles.length > 0 ? [captions(situation, words, chooser)] : []),
    speed(situation.speed, words, chooser),
    more(situation, words, chooser),
  ];
}
