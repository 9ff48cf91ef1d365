/**
 * Opens a link as a viewer would, and says whether it plays: `node e2e/demo-check.mjs LINK`.
 *
 * It knows of the page only what a viewer knows: there is a video and a button that plays it. It presses the button, and
 * asserts that pictures and sound are decoded, that time advances and that seeks land. Figures go to standard output, one
 * a line; what is wrong goes to standard error, with exit code 1 (2 for wrong usage).
 */
import { launch } from './chromium.mjs';

/** Limits in milliseconds; a shared machine with one core left decodes slowly. */
const FIRST_FRAME_LIMIT_MS = 20_000;
const PLAY_LIMIT_MS = 20_000;
const SEEK_LIMIT_MS = 20_000;

/** How far a video has to play to have played, and how close a seek has to land, in seconds. */
const PLAYED_S = 2;
const LANDED_S = 0.3;

/** Where the seeks go, in parts of the duration: forward beyond the buffer, back, to the end, to the start. */
const SEEKS = [0.6, 0.25, 0.9, 0.05];

/** Most characters of a report about what is wrong. */
const REPORT_LIMIT = 4000;

const say = (line) => process.stdout.write(`${line}\n`);
const complain = (line) => process.stderr.write(`${line}\n`);

/** Runs in the page before anything else: notes when the first picture of the video is shown. */
function noteFirstFrame() {
  const find = (root) => {
    for (const element of root.querySelectorAll('*')) {
      if (element instanceof HTMLVideoElement) return element;
      const inside = element.shadowRoot && find(element.shadowRoot);
      if (inside) return inside;
    }
    return null;
  };
  globalThis.demo = { video: null, firstFrameMs: null };
  const attach = () => {
    const video = find(document);
    if (!video) return requestAnimationFrame(attach);
    globalThis.demo.video = video;
    video.requestVideoFrameCallback(() => (globalThis.demo.firstFrameMs = performance.now()));
  };
  document.addEventListener('DOMContentLoaded', attach);
}

/** Returns what there is to know of the video now, or `null` before there is one. */
function look() {
  const { video, firstFrameMs } = globalThis.demo;
  if (!video) return null;
  const { totalVideoFrames, droppedVideoFrames } = video.getVideoPlaybackQuality();
  return {
    firstFrameMs,
    frames: totalVideoFrames,
    dropped: droppedVideoFrames,
    soundBytes: video.webkitAudioDecodedByteCount,
    time: video.currentTime,
    duration: video.duration,
    width: video.videoWidth,
    height: video.videoHeight,
    error: video.error && `${video.error.code} ${video.error.message}`,
  };
}

/** Seeks, and waits until the picture of that time is shown; returns how long it took, in milliseconds. */
function seekTo(seconds) {
  const { video } = globalThis.demo;
  return new Promise((resolve) => {
    const start = performance.now();
    const shown = (now, frame) => {
      const there = !video.seeking && Math.abs(frame.mediaTime - video.currentTime) < 0.5;
      if (there) resolve(now - start);
      else video.requestVideoFrameCallback(shown);
    };
    video.currentTime = seconds;
    video.requestVideoFrameCallback(shown);
  });
}

/** Asks the page again and again until `done`. */
async function until(page, what, limitMs, done) {
  const end = Date.now() + limitMs;
  for (;;) {
    const seen = await page.evaluate(look);
    if (seen?.error) throw new Error(`${what}: the video failed: ${seen.error}`);
    if (seen && done(seen)) return seen;
    if (Date.now() > end) {
      const state = JSON.stringify(seen);
      throw new Error(`${what}: not within ${limitMs} ms; the video: ${state}`);
    }
    await page.waitForTimeout(20);
  }
}

async function within(limitMs, what, promise) {
  let late;
  const limit = new Promise((_, reject) => {
    late = setTimeout(() => reject(new Error(`${what}: not within ${limitMs} ms`)), limitMs);
  });
  return Promise.race([promise, limit]).finally(() => clearTimeout(late));
}

function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}

async function play(page, link) {
  await page.goto(link, { timeout: FIRST_FRAME_LIMIT_MS });
  const button = page.getByRole('button', { name: /^play\b/i }).first();
  await button.click({ timeout: FIRST_FRAME_LIMIT_MS }).catch(() => {
    throw new Error(`no button that plays within ${FIRST_FRAME_LIMIT_MS} ms`);
  });
  const first = await until(
    page,
    'the first picture',
    FIRST_FRAME_LIMIT_MS,
    (seen) => seen.firstFrameMs !== null && seen.frames > 0,
  );
  const played = await until(
    page,
    'time advances',
    PLAY_LIMIT_MS,
    (seen) => seen.time >= first.time + Math.min(PLAYED_S, first.duration / 2),
  );
  if (played.frames <= first.frames) throw new Error('time advances, but no picture is decoded');
  return played;
}

async function seek(page, duration) {
  const times = [];
  for (const part of SEEKS) {
    const target = part * duration;
    const what = `a seek to ${target.toFixed(1)} s`;
    const took = await within(SEEK_LIMIT_MS, what, page.evaluate(seekTo, target));
    const { time } = await page.evaluate(look);
    if (time < target - LANDED_S || time > target + LANDED_S + took / 1000) {
      throw new Error(`${what} landed at ${time.toFixed(2)} s`);
    }
    times.push(took);
  }
  return times;
}

async function check(page, link) {
  const played = await play(page, link);
  const seeks = await seek(page, played.duration);
  const last = await page.evaluate(look);
  if (!(last.soundBytes > 0)) say('sound: none (a silent video?)');
  else say(`sound: ${last.soundBytes} bytes decoded`);
  say(`picture: ${played.width}x${played.height}, ${played.duration.toFixed(1)} s`);
  say(`first frame: ${played.firstFrameMs.toFixed(0)} ms after the link was opened`);
  say(
    `seek: ${median(seeks).toFixed(0)} ms median of ${seeks.map((ms) => ms.toFixed(0)).join(', ')}`,
  );
  say(`dropped frames: ${last.dropped} of ${last.frames}`);
}

const [link] = process.argv.slice(2);
if (!link) {
  complain('usage: node e2e/demo-check.mjs LINK');
  process.exit(2);
}
const { context, close } = await launch();
const page = await context.newPage();
const complaints = [];
page.on('pageerror', (error) => complaints.push(String(error)));
page.on('console', (line) => line.type() === 'error' && complaints.push(line.text()));
try {
  await page.addInitScript(noteFirstFrame);
  await check(page, link);
} catch (error) {
  const text = await page
    .locator('body')
    .innerText({ timeout: 1000 })
    .catch(() => '');
  const seen = [error.message, ...complaints, 'The page says:', text.trim()].join('\n');
  complain(seen.slice(0, REPORT_LIMIT));
  process.exitCode = 1;
} finally {
  await close();
}
