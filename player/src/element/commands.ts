/**
 * Does what keys, buttons and gestures ask of the video.
 *
 * Knows nothing of which of them asked.
 */

import type { Playback } from '../engine/playback';
import { stepSpeed, type Command } from './keyboard';
import { toggleFullscreen, togglePictureInPicture } from './screen';
import { preferredSubtitles, speedName, trackName } from './settings';
import { clock } from './time';

/** What commands work on. */
export interface CommandContext {
  readonly host: HTMLElement;
  readonly video: HTMLVideoElement;
  playback(): Playback | null;
  /** Tells the viewer briefly what has been done. */
  say(text: string): void;
  toggleHelp(): void;
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

function setVolume({ video, say }: CommandContext, volume: number): void {
  video.volume = Math.min(Math.max(volume, 0), 1);
  video.muted = video.volume === 0;
  say(`Volume ${Math.round(video.volume * 100)} %`);
}

function toggleMute({ video, say }: CommandContext): void {
  video.muted = !video.muted;
  if (!video.muted && video.volume === 0) video.volume = 0.5;
  say(video.muted ? 'Muted' : 'Sound on');
}

/** Turns captions off, or on in the language that fits the viewer best. */
function toggleCaptions({ playback, say }: CommandContext): void {
  const current = playback();
  if (current === null || current.tracks.subtitles.length === 0) return say('No captions');
  if (current.tracks.subtitlesId !== null) {
    current.selectSubtitles(null);
    return say('Captions off');
  }
  const id = preferredSubtitles(current.tracks, navigator.languages);
  current.selectSubtitles(id);
  const chosen = current.tracks.subtitles.find((track) => track.id === id);
  say(chosen ? `Captions: ${trackName(chosen)}` : 'Captions on');
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
    case 'speed':
      video.playbackRate = stepSpeed(video.playbackRate, command.by);
      return say(`Speed ${speedName(video.playbackRate).toLowerCase()}`);
    case 'toggle-mute':
      return toggleMute(context);
    case 'toggle-fullscreen':
      return void toggleFullscreen(host, video);
    case 'toggle-captions':
      return toggleCaptions(context);
    case 'toggle-pip':
      return void togglePictureInPicture(video);
    case 'toggle-help':
      return context.toggleHelp();
  }
}
