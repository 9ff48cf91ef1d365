/**
 * The order of the visits, and what is written of each.
 *
 * Knows nothing of medians: `cargo xtask bench` makes the figures. Invariants: the sides take turns, each visit has a browser
 * context of its own, and both sides seek to the same places.
 */

import { join } from 'node:path';
import { Browser } from '../first-frame/browser';
import { unsealedSide } from '../first-frame/clear';
import { namesOf } from '../first-frame/steps';
import { evaluate, within } from '../first-frame/visit';
import { buffer, look, pause, play, playToEnd, seekAll, type Used } from './in-page';

/** Else memory is told only after many seconds. */
const FLAGS = ['--enable-blink-features=ForceEagerMeasureMemory'];

/** Where nothing is buffered when they are sought in this order, in seconds; and where in a second the others are sought. */
const UNBUFFERED_S = [12.1, 21.6, 31.1, 40.6];
const IN_A_SECOND = [0.02, 0.25, 0.48, 0.75, 0.97];
/** What is buffered around the last of them. */
const BUFFERED_FROM_S = 41;
const BUFFERED_S = 4;
const PLAY_S = 6;
/** Seeks between two looks at memory. */
const LOOP_SEEKS = 40;
/** What the trailer, and the demo's clip as often as the benches take it, have at least. */
const LOOP_LENGTH_S = 45;

/** One of the things that are compared. */
interface Side {
  readonly name: 'sealed' | 'unsealed';
  readonly url: string;
}

const write = (line: unknown): boolean => process.stdout.write(`${JSON.stringify(line)}\n`);

async function use(browser: Browser, session: string): Promise<object> {
  const call = <T>(work: (...args: never[]) => T | Promise<T>, ...args: readonly unknown[]) =>
    evaluate(browser, session, work, ...args);
  await call(buffer, [0, 2]);
  const unbufferedMs = await call(seekAll, UNBUFFERED_S);
  await call(buffer, [BUFFERED_FROM_S, BUFFERED_S]);
  const places = [0, 1, 2].flatMap((second) =>
    IN_A_SECOND.map((part) => BUFFERED_FROM_S + second + part),
  );
  // There and back, so that no seek is a step to the next frame.
  const mixed = places.toSorted((a, b) => ((a * 7919) % 1) - ((b * 7919) % 1));
  const bufferedMs = await call(seekAll, mixed);
  await call(seekAll, [0.5]);
  await call(buffer, [0.5, 2]);
  const playingMs = await call(play, PLAY_S);
  await call(playToEnd);
  const used: Used = await call(look);
  return { unbufferedMs, bufferedMs, playingMs, ...used };
}

async function visits(sides: readonly Side[], count: number): Promise<void> {
  const browser = await Browser.start(...FLAGS);
  try {
    for (let turn = -1; turn < count; turn++) {
      for (const side of turn % 2 === 0 ? sides : sides.toReversed()) {
        const seen = await within(browser, side.url, (session) => use(browser, session));
        if (turn >= 0) write({ side: side.name, ...seen });
      }
    }
  } finally {
    await browser.close();
  }
}

/** Seeks about for so many minutes and writes after each round what memory is used. */
async function loop(url: string, minutes: number): Promise<void> {
  const browser = await Browser.start(...FLAGS);
  try {
    await within(browser, url, async (session) => {
      const end = Date.now() + minutes * 60_000;
      await evaluate(browser, session, buffer, [0, 2]);
      await evaluate(browser, session, play, 1);
      await evaluate(browser, session, pause);
      while (Date.now() < end) {
        const targets = Array.from({ length: LOOP_SEEKS }, () => Math.random() * LOOP_LENGTH_S);
        await evaluate(browser, session, seekAll, targets);
        const { memoryBytes } = await evaluate(browser, session, look);
        write({ loopBytes: memoryBytes });
      }
    });
  } finally {
    await browser.close();
  }
}

/** Runs it all; returns the exit code. */
export async function main(words: readonly string[]): Promise<number> {
  const [link, bucket, output, count, minutes] = words;
  if (!link || !bucket || !output || !Number(count) || minutes === undefined) {
    process.stderr.write('usage: node bench/visits.mjs player LINK BUCKET OUTPUT VISITS MINUTES\n');
    return 2;
  }
  const unsealed = await unsealedSide(link, bucket, join(output, 'clear'));
  try {
    const { index, video } = await namesOf(unsealed.unlocked);
    // The smallest picture is what the player begins with on a machine's own network.
    const [smallest] = video;
    const sides: Side[] = [
      { name: 'sealed', url: link },
      { name: 'unsealed', url: `${unsealed.url}#${index}/${smallest?.playlist}` },
    ];
    await visits(sides, Number(count));
    if (Number(minutes) > 0) await loop(link, Number(minutes));
    return 0;
  } finally {
    unsealed.close();
  }
}
