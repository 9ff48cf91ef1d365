/**
 * Does what keys, buttons and gestures ask of the video.
 *
 * Knows nothing of which of them asked.
 */

import type { Words } from '../words/words';
import type { Command, LateCommand } from './keyboard';
import { toggleFullscreen, togglePictureInPicture } from './screen';
import { clock } from './time';

/** What commands work on. */
export interface CommandContext {
  readonly host: HTMLElement;
  readonly video: HTMLVideoElement;
  readonly words: Words;
  /** Tells the viewer briefly what has been done. */
  say(text: string): void;
  toggleHelp(): void;
  toggleStatistics(): void;
  /** Runs a command that is loaded later. */
  runLater(command: LateCommand): void;
}

/** Plays or pauses; a refusal of the browser to play leaves the video paused. */
export function togglePlay(video: HTMLVideoElement): void {
  if (video.paused || video.ended) void video.play().catch(() => undefined);
  else video.pause();
}

/**
 * Plays. A source that comes meanwhile ends the video's own promise though the wish is kept (see `Streaming`): then this is
 * settled with what comes of it.
 */
export async function playThrough(video: HTMLVideoElement): Promise<void> {
  try {
    await video.play();
  } catch (error) {
    const isEnded = error instanceof DOMException && error.name === 'AbortError';
    if (!isEnded || video.paused) throw error;
    await video.play();
  }
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

/** Runs one command. */
export function runCommand(command: Command, context: CommandContext): void {
  const { host, video, say } = context;
  switch (command.do) {
    case 'toggle-play':
      return togglePlay(video);
    case 'skip':
      seekTo(video, video.currentTime + command.seconds);
      return say(`${command.seconds > 0 ? '+' : '−'}${Math.abs(command.seconds)} s`);
    case 'seek-fraction':
      seekTo(video, video.duration * command.fraction);
      return say(clock(video.currentTime));
    case 'seek-end':
      return seekTo(video, command.end === 'start' ? 0 : video.duration);
    case 'volume':
      return setVolume(context, video.volume + (video.muted ? 0 : command.by));
    case 'toggle-mute':
      return toggleMute(context);
    case 'toggle-fullscreen':
      return void toggleFullscreen(host, video);
    case 'toggle-pip':
      return void togglePictureInPicture(video);
    case 'toggle-statistics':
      return context.toggleStatistics();
    case 'toggle-help':
      return context.toggleHelp();
    default:
      return context.runLater(command);
  }
}
