/**
 * What the settings menu offers, from the playback's tracks and the video's speed.
 *
 * Pure but for the calls that a choice makes.
 */

import type { Tracks } from '../engine/tracks';
import type { AudioRendition, SubtitleRendition, VideoRendition } from '../title';
import { SPEEDS } from './keyboard';
import type { Choice, Setting } from './menu';

/** Makes the choices come true. */
export interface Chooser {
  selectVideo(id: number | null): void;
  selectAudio(id: number): void;
  selectSubtitles(id: number | null): void;
  setSpeed(speed: number): void;
}

/** `1080p` for a picture, by its shorter side, so that portrait pictures read the same. */
export function qualityName({ width, height }: VideoRendition): string {
  return `${Math.min(width, height)}p`;
}

/** What a person reads for a sound or captions: its name, else its language in their own words. */
export function trackName(track: AudioRendition | SubtitleRendition): string {
  if (track.name !== '') return track.name;
  if (track.language === undefined) return `Track ${track.id}`;
  try {
    const names = new Intl.DisplayNames([...navigator.languages], { type: 'language' });
    return names.of(track.language) ?? track.language;
  } catch {
    return track.language;
  }
}

/** `Normal` or `1.5×`. */
export function speedName(factor: number): string {
  return factor === 1 ? 'Normal' : `${factor}×`;
}

function megabits({ bandwidthBps }: VideoRendition): string {
  return `${(bandwidthBps / 1e6).toFixed(1)} Mbit/s`;
}

function quality(tracks: Tracks, chooser: Chooser): Setting {
  const playing = tracks.video.find((video) => video.id === tracks.videoId);
  const now = playing ? qualityName(playing) : '';
  const choices: Choice[] = tracks.video.toReversed().map((video) => ({
    label: qualityName(video),
    note: megabits(video),
    isChosen: !tracks.isAutomatic && video.id === tracks.videoId,
    choose: () => chooser.selectVideo(video.id),
  }));
  choices.unshift({
    label: 'Automatic',
    note: tracks.isAutomatic ? now : '',
    isChosen: tracks.isAutomatic,
    choose: () => chooser.selectVideo(null),
  });
  return { label: 'Quality', value: tracks.isAutomatic ? `Auto ${now}`.trim() : now, choices };
}

function sound(tracks: Tracks, chooser: Chooser): Setting {
  const chosen = tracks.audio.find((audio) => audio.id === tracks.audioId);
  const choices = tracks.audio.map((audio) => ({
    label: trackName(audio),
    isChosen: audio === chosen,
    choose: () => chooser.selectAudio(audio.id),
  }));
  return { label: 'Sound', value: chosen ? trackName(chosen) : '', choices };
}

function captions(tracks: Tracks, chooser: Chooser): Setting {
  const chosen = tracks.subtitles.find((subtitles) => subtitles.id === tracks.subtitlesId);
  const choices = tracks.subtitles.map((subtitles) => ({
    label: trackName(subtitles),
    isChosen: subtitles === chosen,
    choose: () => chooser.selectSubtitles(subtitles.id),
  }));
  const off = { label: 'Off', isChosen: !chosen, choose: () => chooser.selectSubtitles(null) };
  return {
    label: 'Captions',
    value: chosen ? trackName(chosen) : 'Off',
    choices: [off, ...choices],
  };
}

function speed(current: number, chooser: Chooser): Setting {
  const choices = SPEEDS.map((value) => ({
    label: speedName(value),
    isChosen: value === current,
    choose: () => chooser.setSpeed(value),
  }));
  return { label: 'Speed', value: speedName(current), choices };
}

/** Returns the settings that have more than one choice. */
export function listSettings(tracks: Tracks, currentSpeed: number, chooser: Chooser): Setting[] {
  return [
    ...(tracks.video.length > 1 ? [quality(tracks, chooser)] : []),
    ...(tracks.audio.length > 1 ? [sound(tracks, chooser)] : []),
    ...(tracks.subtitles.length > 0 ? [captions(tracks, chooser)] : []),
    speed(currentSpeed, chooser),
  ];
}

/** Returns the captions that a viewer who turns them on most likely wants. */
export function preferredSubtitles(tracks: Tracks, languages: readonly string[]): number | null {
  const [first] = tracks.subtitles;
  const primary = (tag: string | undefined) => tag?.toLowerCase().split('-')[0];
  const byLanguage = languages
    .map((wanted) => tracks.subtitles.find((track) => primary(track.language) === primary(wanted)))
    .find((track) => track !== undefined);
  const standard = tracks.subtitles.find((track) => track.isDefault);
  return (byLanguage ?? standard ?? first)?.id ?? null;
}
