/**
 * When there is time for what nobody waits for: a moment after the first picture.
 *
 * The language's rules for numbers and lists are of that kind. A browser takes up to 20 ms to load them.
 */

/** From the first data of the picture until it has surely been shown. */
const CALM_AFTER_MS = 300;

/** Runs `work` once, a moment after a video's first picture. */
export function whenCalm(video: HTMLVideoElement, work: () => void): void {
  video.addEventListener('loadeddata', () => setTimeout(work, CALM_AFTER_MS), { once: true });
}
