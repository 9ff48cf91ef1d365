/**
 * What is done in the page of either side, by the same functions: they are sent there as text, so each stands for itself.
 *
 * Both pages have one video, in a `<veil-player>` or by itself. A seek is over when the browser has presented a frame of the
 * place that was sought (`requestVideoFrameCallback`), not when the video says so.
 */

/** Seeks, one after the other; returns how long each took until its frame was presented, in milliseconds. */
export async function seekAll(targets: readonly number[]): Promise<number[]> {
  const player = document.querySelector('veil-player') as { video?: HTMLVideoElement } | null;
  const video = player?.video ?? (document.querySelector('video') as HTMLVideoElement);
  const took: number[] = [];
  for (const target of targets) {
    const start = performance.now();
    const end = await new Promise<number>((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`no frame at ${target}`)), 15_000);
      const see = (_: number, frame: { mediaTime: number; presentationTime: number }): void => {
        if (Math.abs(frame.mediaTime - target) > 0.1) {
          video.requestVideoFrameCallback(see);
          return;
        }
        clearTimeout(late);
        resolve(frame.presentationTime);
      };
      video.requestVideoFrameCallback(see);
      video.currentTime = target;
    });
    took.push(end - start);
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  return took;
}

/** Waits until so many seconds from `from` are buffered. */
export async function buffer([from, seconds]: readonly [number, number]): Promise<void> {
  const player = document.querySelector('veil-player') as { video?: HTMLVideoElement } | null;
  const video = player?.video ?? (document.querySelector('video') as HTMLVideoElement);
  const isThere = (): boolean => {
    const { buffered, duration } = video;
    const wanted = Math.min(from + seconds, duration - 0.5);
    for (let at = 0; at < buffered.length; at++) {
      if (buffered.start(at) <= from + 0.1 && buffered.end(at) >= wanted) return true;
    }
    return false;
  };
  for (let tries = 0; !isThere(); tries++) {
    if (tries > 600) throw new Error(`nothing is buffered at ${from}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Plays for a while; returns how long it took to begin, in milliseconds. */
export async function play(seconds: number): Promise<number> {
  const player = document.querySelector('veil-player') as { video?: HTMLVideoElement } | null;
  const video = player?.video ?? (document.querySelector('video') as HTMLVideoElement);
  video.muted = true;
  const start = performance.now();
  const begun = new Promise<number>((resolve) => {
    video.addEventListener('playing', () => resolve(performance.now()), { once: true });
  });
  await video.play();
  const end = await begun;
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  return end - start;
}

/** Pauses: while a video plays, the frame of the place that was sought may be gone before it is seen. */
export function pause(): void {
  const player = document.querySelector('veil-player') as { video?: HTMLVideoElement } | null;
  (player?.video ?? (document.querySelector('video') as HTMLVideoElement)).pause();
}

/** Seeks near the end and waits for it. */
export async function playToEnd(): Promise<void> {
  const player = document.querySelector('veil-player') as { video?: HTMLVideoElement } | null;
  const video = player?.video ?? (document.querySelector('video') as HTMLVideoElement);
  video.currentTime = video.duration - 2;
  for (let tries = 0; !video.ended; tries++) {
    if (tries > 300) throw new Error('it does not end');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** What a page has used when it is looked at. */
export interface Used {
  readonly longestTaskMs: number;
  readonly frames: number;
  readonly dropped: number;
  readonly memoryBytes: number;
  /** The player's own figure, `null` where there is none. */
  readonly openingMs: number | null;
}

/** Looks at what the page has used since its beginning. */
export async function look(): Promise<Used> {
  const player = document.querySelector('veil-player') as {
    video?: HTMLVideoElement;
    stats?: { openingMs: number | null } | null;
  } | null;
  const video = player?.video ?? (document.querySelector('video') as HTMLVideoElement);
  const tasks: number[] = [];
  const observer = new PerformanceObserver((list) => {
    tasks.push(...list.getEntries().map(({ duration }) => duration));
  });
  observer.observe({ type: 'longtask', buffered: true });
  await new Promise((resolve) => setTimeout(resolve, 100));
  observer.disconnect();
  const { totalVideoFrames: frames, droppedVideoFrames: dropped } = video.getVideoPlaybackQuality();
  const measured = performance as unknown as {
    measureUserAgentSpecificMemory(): Promise<{ bytes: number }>;
  };
  const { bytes: memoryBytes } = await measured.measureUserAgentSpecificMemory();
  const openingMs = player?.stats?.openingMs ?? null;
  return { longestTaskMs: Math.max(0, ...tasks), frames, dropped, memoryBytes, openingMs };
}
