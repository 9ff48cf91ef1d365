/**
 * Runs a studio, has it make videos, and writes what its process used, how soon it answered, and how its page stood.
 *
 * `work` renders a hundred tiny productions; `page` visits the page while one is rendered. Each writes one line of JSON.
 * Knows nothing of aims: `cargo xtask bench` has them. Invariant: what is measured is the release program as a person starts it.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Browser } from '../first-frame/browser';
import { evaluate, inNewPage } from '../first-frame/visit';
import { look, UNDISTURBED_MS } from '../page/main';
import { Studio } from './studio';

/** How long it is left alone before anything is measured, and how long it is measured idle. */
const CALM_MS = 4000;
const IDLE_MS = 20_000;
/** Productions after which memory is held against that after the first ones. */
const FIRST = 10;
/** What is asked for while it renders, again and again. */
const READS = ['/v1/jobs?limit=50', '/v1/queue', '/v1/media', '/v1/titles', '/v1/productions'];
const READ_EVERY_MS = 20;

/** A production that takes a moment; each has colours of its own, so that nothing of another is used again. */
function tiny(number: number): object {
  const color = `#${(number * 0x010203 + 0x102030).toString(16).padStart(6, '0').slice(-6)}`;
  return {
    version: 1,
    title: `Tiny ${number}`,
    height: 128,
    fps: 24,
    voice: { provider: 'none' },
    scenes: [
      { text: 'A', duration: 1, background: { kind: 'gradient', colors: [color, '#000000'] } },
    ],
  };
}

/** A production that takes a while. */
const LONG = {
  version: 1,
  title: 'Long',
  height: 1280,
  voice: { provider: 'none' },
  scenes: Array.from({ length: 12 }, (_, at) => ({ text: `Scene ${at}`, duration: 5 })),
};

async function rendered(studio: Studio, from: number, to: number): Promise<void> {
  for (let number = from; number < to; number++) await studio.make(tiny(number));
  await studio.isDone();
}

async function work(studio: Studio, productions: number): Promise<object> {
  await sleep(CALM_MS);
  const before = studio.cpuMs();
  await sleep(IDLE_MS);
  const idle = { rssBytes: studio.rssBytes(), cpuShare: (studio.cpuMs() - before) / IDLE_MS };
  const reading = studio.read(READS, READ_EVERY_MS);
  const watching = studio.watchMemory();
  await rendered(studio, 0, FIRST);
  await sleep(CALM_MS);
  const afterFirst = studio.rssBytes();
  await rendered(studio, FIRST, productions);
  const [answersMs, peakBytes] = [await reading.end(), await watching.end()];
  await sleep(CALM_MS);
  return {
    idle,
    afterFirstBytes: afterFirst,
    afterAllBytes: studio.rssBytes(),
    peakBytes,
    answersMs,
    productions,
    processesLeft: studio.processesLeft(),
    filesLeft: studio.filesLeft(),
  };
}

async function visits(studio: Studio, count: number): Promise<object> {
  const browser = await Browser.start();
  const seen: object[] = [];
  try {
    const visit = async (): Promise<void> =>
      inNewPage(browser, async (session) => {
        await browser.send('Page.navigate', { url: studio.url }, session);
        await sleep(UNDISTURBED_MS);
        seen.push(await evaluate(browser, session, look));
      });
    // Whoever comes first in a new browser waits for its processes.
    await visit();
    seen.length = 0;
    for (let turn = 0; turn < count; turn++) await visit();
    const idle = seen.splice(0);
    await studio.make(LONG);
    for (let turn = 0; turn < count; turn++) await visit();
    const isRendering = await studio.isBusy();
    return { idle, rendering: seen, isRendering };
  } finally {
    await browser.close();
  }
}

/** Runs it all; returns the exit code. */
export async function main(words: readonly string[]): Promise<number> {
  const [program, part, count] = words;
  if (!program || !Number(count) || (part !== 'work' && part !== 'page')) {
    process.stderr.write('usage: node bench/visits.mjs studio PROGRAM work|page COUNT\n');
    return 2;
  }
  const folder = mkdtempSync(join(tmpdir(), 'veilcast-bench-studio-'));
  try {
    const studio = await Studio.start(program, folder);
    try {
      const run = part === 'work' ? work : visits;
      process.stdout.write(`${JSON.stringify(await run(studio, Number(count)))}\n`);
    } finally {
      await studio.end();
    }
    return 0;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
