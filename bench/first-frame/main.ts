/**
 * The order of the visits, and what is written of each.
 *
 * Knows nothing of medians: `cargo xtask bench` makes the figures. Invariant: the sides take turns, each visit has a
 * browser context of its own, and nothing that was opened here is written to a disk.
 */

import { Browser } from './browser';
import { unsealedSide } from './clear';
import { namesOf, wayOf, type Names, type Way } from './steps';
import { visit } from './visit';

/** One of the two things that are compared. */
interface Side {
  readonly name: 'sealed' | 'unsealed';
  readonly url: string;
}

const write = (line: unknown): boolean => process.stdout.write(`${JSON.stringify(line)}\n`);

async function measure(browser: Browser, side: Side, names: Names, which: string): Promise<Way> {
  const seen = await visit(browser, side.url);
  const way = wayOf(seen, names);
  write({ side: side.name, which, loadedBytes: seen.loadedBytes, ...way });
  return way;
}

async function within<T>(work: (browser: Browser) => Promise<T>): Promise<T> {
  const browser = await Browser.start();
  try {
    return await work(browser);
  } finally {
    await browser.close();
  }
}

async function compare(link: string, clear: string, names: Names, count: number): Promise<void> {
  const sealed: Side = { name: 'sealed', url: link };
  const { picture } = await within((browser) => measure(browser, sealed, names, 'first'));
  // The page in clear has no manifest to choose by: it begins with what the sealed side began with.
  const start = names.video.find((pieces) => pieces.picture === picture)?.playlist;
  const unsealed: Side = { name: 'unsealed', url: `${clear}#${names.index}/${start}` };
  await within((browser) => measure(browser, unsealed, names, 'first'));
  const sides = [sealed, unsealed];
  await within(async (browser) => {
    // Whoever comes first in a new browser waits for its processes: neither side's visits shall.
    for (const side of sides) await measure(browser, side, names, 'uncounted');
    for (let turn = 0; turn < count; turn++) {
      const order = turn % 2 === 0 ? sides : sides.toReversed();
      for (const side of order) await measure(browser, side, names, 'counted');
    }
  });
}

/** Runs it all; returns the exit code. */
export async function main(words: readonly string[]): Promise<number> {
  const [link, bucket, output, visits] = words;
  if (link === undefined || bucket === undefined || output === undefined || !Number(visits)) {
    process.stderr.write('usage: node bench/first-frame.mjs LINK BUCKET OUTPUT VISITS\n');
    return 2;
  }
  const unsealed = await unsealedSide(link, bucket, output);
  try {
    const names = await namesOf(unsealed.unlocked);
    await compare(link, unsealed.url, names, Number(visits));
    return 0;
  } finally {
    unsealed.close();
  }
}
