/**
 * Does what keys, buttons and gestures ask of the video.
 *
 * Knows nothing of which of them asked.
 */

import type { Playback } from '../engine/playback';
import type { Title } from '../title';
import type { Words } from '../words/words';
import { stepChapter } from './chapters';
import { stepSpeed, type Command } from './keyboard';
import { preferredSubtitles, speedName, trackName } from './names';
import { toggleFullscreen, togglePictureInPicture } from './screen';
import { clock } from './time';

/** Assumed where the manifest tells no rate: the cinema's. */
const FRAME_RATE = 24;

/** What commands work on. */
export interface CommandContext {
  readonly host: HTMLElement;
  readonly video: HTMLVideoElement;
  readonly words: Words;
  playback(): Playback | null;
  title(): Title | null;
  /** Tells the viewer briefly what has been done. */
  say(text: string): void;
  toggleHelp(): void;
  toggleStatistics(): void;
}

/** Plays or pauses; a refusal of the browser to play leaves the video paused. */
export function togglePlay(video: HTMLVideoElement): void {
  if (video.paused || video.ended) void video.play().catch(() => undefined);
  else video.pause();
}

/** Moves to a moment inside the video. */
export function seekTo(video: HTMLVideoElement, seconds: number): void {
  if (!Number.isFinite(video.duration)) return;
  video.currentTime = Math.min(Math.max(seconds, 0), video.duration);
}

function setVolume({ video, say, words }: CommandContext, volume: number): void {
  video.volume = Math.min(Math.max(volume, 0), 1);
  video.muted = video.volume === 0;
  say(words.t('volumeAt', { percent: words.percent(video.volume) }));
}

function toggleMute({ video, say, words }: CommandContext): void {
  video.muted = !video.muted;
  if (!video.muted && video.volume === 0) video.volume = 0.5;
  say(words.t(video.muted ? 'muted' : 'soundOn'));
}

/** Turns captions off, or on in the language that fits the viewer best. */
function toggleCaptions({ playback, say, words }: CommandContext): void {
  const current = playback();
  if (current === null || current.tracks.subtitles.length === 0) {
    return say(words.t('noCaptions'));
  }
  if (current.tracks.subtitlesId !== null) {
    current.selectSubtitles(null);
    return say(words.t('captionsOff'));
  }
  const id = preferredSubtitles(current.tracks, navigator.languages);
  current.selectSubtitles(id);
  const chosen = current.tracks.subtitles.find((track) => track.id === id);
  say(chosen ? words.t('captionsIn', { name: trackName(chosen, words) }) : words.t('captionsOn'));
}

/** Goes to the next chapter or back, and says its name. */
function goToChapter({ video, title, say, words }: CommandContext, by: number): void {
  const chapters = title()?.chapters ?? [];
  if (chapters.length === 0) return say(words.t('noChapters'));
  const index = stepChapter(chapters, video.currentTime, by);
  const chapter = index === null ? undefined : chapters[index];
  if (chapter === undefined) return;
  seekTo(video, chapter.startUs / 1e6);
  say(chapter.title || words.t('chapterNumber', { n: Number(index) + 1 }));
}

/** Moves by one frame; a playing video is paused first. */
function stepFrame({ video, title, say, words }: CommandContext, by: number): void {
  video.pause();
  const rates = title()?.renditions.map((one) => (one.type === 'video' ? one.frameRate : 0)) ?? [];
  seekTo(video, video.currentTime + by / (Math.max(...rates, 0) || FRAME_RATE));
  say(words.t('frame', { time: clock(video.currentTime) }));
}

/** Runs one command. */
export function runCommand(command: Command, context: CommandContext): void {
  const { host, video, say, words } = context;
  switch (command.do) {
    case 'toggle-play':
      return togglePlay(video);
    case 'skip':
      seekTo(video, video.currentTime + command.seconds);
      return say(`${command.seconds > 0 ? '+' : '−'}${Math.abs(command.seconds)} s`);
    case 'frame':
      return stepFrame(context, command.by);
    case 'chapter':
      return goToChapter(context, command.by);
    case 'seek-fraction':
      seekTo(video, video.duration * command.fraction);
      return say(clock(video.currentTime));
    case 'seek-end':
      return seekTo(video, command.end === 'start' ? 0 : video.duration);
    case 'volume':
      return setVolume(context, video.volume + (video.muted ? 0 : command.by));
    case 'speed':
      video.playbackRate = stepSpeed(video.playbackRate, command.by);
      return say(words.t('speedAt', { speed: speedName(video.playbackRate, words) }));
    case 'toggle-mute':
      return toggleMute(context);
    case 'toggle-fullscreen':
      return void toggleFullscreen(host, video);
    case 'toggle-captions':
      return toggleCaptions(context);
    case 'toggle-pip':
      return void togglePictureInPicture(video);
    case 'toggle-statistics':
      return context.toggleStatistics();
    case 'toggle-help':
      return context.toggleHelp();
  }
}
