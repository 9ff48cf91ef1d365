/**
 * A viewer with a browser: opens links and says what the player does.
 *
 * Every page notes from its first moment what is appended to the decoder, what breaks the content
 * security policy and what throws, so that a test can ask afterwards.
 */

import type { Browser, Page } from 'playwright-core';
import { launch } from '../chromium.mjs';

/** What every page notes. */
interface Notes {
  readonly appended: { bytes: number; sha256: string }[];
  readonly violations: string[];
  readonly pending: Promise<void>[];
}

declare global {
  var veilNotes: Notes;
}

/** A figure of the video at one moment. */
export interface Picture {
  readonly time: number;
  readonly frames: number;
  readonly soundBytes: number;
  readonly width: number;
  readonly height: number;
  readonly paused: boolean;
}

/** Runs in the page before its own scripts. */
function takeNotes(): void {
  const notes: Notes = { appended: [], violations: [], pending: [] };
  globalThis.veilNotes = notes;
  document.addEventListener('securitypolicyviolation', (event) => {
    notes.violations.push(`${event.violatedDirective}: ${event.blockedURI}`);
  });
  const append = SourceBuffer.prototype.appendBuffer;
  SourceBuffer.prototype.appendBuffer = function (data: BufferSource): void {
    const view = ArrayBuffer.isView(data) ? data : new Uint8Array(data);
    const copy = new Uint8Array(view.buffer, view.byteOffset, view.byteLength).slice();
    const hash = crypto.subtle.digest('SHA-256', copy).then((digest) => {
      const hex = [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0'));
      notes.appended.push({ bytes: copy.length, sha256: hex.join('') });
    });
    notes.pending.push(hash);
    append.call(this, data);
  };
}

/** One browser. */
export class Viewer {
  private constructor(
    private readonly browser: Browser,
    readonly close: () => Promise<void>,
  ) {}

  /** Starts a browser with its usual flags and these. */
  static async start(...flags: string[]): Promise<Viewer> {
    const { context, close } = await launch(flags);
    const browser = context?.browser();
    if (!browser) throw new Error('the browser cannot be reached');
    return new Viewer(browser, close);
  }

  /**
   * Opens a link in a new page, runs `test`, and closes the page whatever happens. The page has a
   * context of its own, so that no visit finds what an earlier one left in the cache. `prepare` runs in it first.
   */
  async visit(
    link: string,
    test: (screen: Screen) => Promise<void>,
    size = { width: 1280, height: 800 },
    prepare?: () => void,
  ): Promise<void> {
    const context = await this.browser.newContext({ viewport: size });
    try {
      const page = await context.newPage();
      await page.addInitScript(takeNotes);
      if (prepare) await page.addInitScript(prepare);
      const screen = new Screen(page);
      await page.goto(link);
      await test(screen);
    } finally {
      await context.close();
    }
  }
}

/** A page with the player on it. */
export class Screen {
  readonly errors: string[] = [];
  /** Every URL that the page and its Workers asked for. */
  readonly fetched: string[] = [];

  constructor(readonly page: Page) {
    page.on('pageerror', (error) => this.errors.push(error.message));
    page.on('request', (request) => this.fetched.push(request.url()));
  }

  /** Presses play. */
  async pressPlay(): Promise<void> {
    await this.page.getByRole('button', { name: /^play/i }).first().click();
  }

  /** Presses play and waits until time passes. */
  async play(): Promise<void> {
    await this.pressPlay();
    await this.until((picture) => picture.time > 0.3 && !picture.paused);
  }

  /** Waits until the player can play. */
  async ready(): Promise<void> {
    await this.page.locator('veil-player[data-state="ready"]').waitFor();
  }

  async picture(): Promise<Picture> {
    return this.page.evaluate(() => {
      const { video } = document.querySelector('veil-player') as unknown as {
        video: HTMLVideoElement & { webkitAudioDecodedByteCount: number };
      };
      return {
        time: video.currentTime,
        frames: video.getVideoPlaybackQuality().totalVideoFrames,
        soundBytes: video.webkitAudioDecodedByteCount,
        width: video.videoWidth,
        height: video.videoHeight,
        paused: video.paused,
      };
    });
  }

  /** Asks again and again until `done`; fails after `limitMs`. */
  async until(done: (picture: Picture) => boolean, limitMs = 30_000): Promise<Picture> {
    const end = Date.now() + limitMs;
    for (;;) {
      const picture = await this.picture();
      if (done(picture)) return picture;
      if (Date.now() > end) throw new Error(`not within ${limitMs} ms: ${JSON.stringify(picture)}`);
      await this.page.waitForTimeout(25);
    }
  }

  /** Seeks, waits for a picture there, and returns the time of it. */
  async seek(seconds: number): Promise<number> {
    return this.page.evaluate(async (target) => {
      const { video } = document.querySelector('veil-player') as unknown as {
        video: HTMLVideoElement;
      };
      return new Promise<number>((resolve) => {
        const look = (_now: number, frame: { mediaTime: number }) => {
          if (!video.seeking && Math.abs(frame.mediaTime - target) < 1.5) resolve(frame.mediaTime);
          else video.requestVideoFrameCallback(look);
        };
        video.requestVideoFrameCallback(look);
        video.currentTime = target;
      });
    }, seconds);
  }

  /** Waits for the failure that the page shows; returns its code and its words. */
  async failure(): Promise<{ code: string; text: string }> {
    const alert = this.page.locator('[role=alert][data-failure]');
    await alert.waitFor({ timeout: 60_000 });
    const code = (await alert.getAttribute('data-failure')) ?? '';
    return { code, text: await alert.innerText() };
  }

  /** What went to the decoder so far, by SHA-256. */
  async appended(): Promise<{ bytes: number; sha256: string }[]> {
    return this.page.evaluate(async () => {
      await Promise.all(veilNotes.pending);
      return veilNotes.appended;
    });
  }

  /** Breaches of the content security policy so far. */
  violations(): Promise<string[]> {
    return this.page.evaluate(() => veilNotes.violations);
  }
}
