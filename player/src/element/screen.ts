/**
 * Full screen and picture in picture, as browsers differ over them.
 */

/** What iPhones have in place of the Fullscreen API. */
interface AppleVideo extends HTMLVideoElement {
  webkitEnterFullscreen?(): void;
  webkitSupportsFullscreen?: boolean;
}

/** Tells whether full screen can be had. */
export function hasFullscreen(video: AppleVideo): boolean {
  return document.fullscreenEnabled || 'webkitEnterFullscreen' in video;
}

/** Tells whether `host` fills the screen. */
export function isFullscreen(host: Element): boolean {
  return document.fullscreenElement === host;
}

/** Enters or leaves full screen; where the browser refuses, nothing happens. */
export async function toggleFullscreen(host: Element, video: AppleVideo): Promise<void> {
  try {
    if (isFullscreen(host)) await document.exitFullscreen();
    else if (document.fullscreenEnabled) await host.requestFullscreen({ navigationUI: 'hide' });
    else video.webkitEnterFullscreen?.();
  } catch {
    // Refused without a gesture or by a policy of the page: the button stays as it is.
  }
}

/** Tells whether picture in picture can be had. */
export function hasPictureInPicture(): boolean {
  return document.pictureInPictureEnabled;
}

/** Enters or leaves picture in picture; where the browser refuses, nothing happens. */
export async function togglePictureInPicture(video: HTMLVideoElement): Promise<void> {
  try {
    if (document.pictureInPictureElement === video) await document.exitPictureInPicture();
    else if (video.readyState > 0) await video.requestPictureInPicture();
  } catch {
    // As above.
  }
}
