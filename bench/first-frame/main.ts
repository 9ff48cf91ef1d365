/**
 * The order of the visits, and what is written of each.
 *
 * Knows nothing of medians: `cargo xtask bench` makes the figures. Invariant: the sides take turns, each visit has a
 * browser context of its own, and nothing that was opened here is written to a disk.
 */

import { Browser } from './browser';
import { unlockLink, unsealedSide } from './clear';
import { namesOf, wayOf, type Names, type Way } from './steps';
import { visit } from './visit';

/** One of the things that are compared. */
interface Side {
  readonly name: 'sealed' | 'file' | 'unsealed';
  readonly url: string;
  readonly names: Names;
}

const write = (line: unknown): boolean => process.stdout.write(`${JSON.stringify(line)}\n`);

async function measure(browser: Browser, side: Side, which: string): Promise<Way> {
  const seen = await visit(browser, side.url);
  const way = wayOf(seen, side.names);
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

/** The sides take turns: each comes first, in the middle and last as often as the others. */
function inTurn(sides: readonly Side[], turn: number): Side[] {
  const from = turn % sides.length;
  const order = [...sides.slice(from), ...sides.slice(0, from)];
  return turn % 2 === 0 ? order : order.toReversed();
}

async function compare(sealed: Side, file: Side, clear: string, count: number): Promise<void> {
  const { names } = sealed;
  const { picture } = await within((browser) => measure(browser, sealed, 'first'));
  await within((browser) => measure(browser, file, 'first'));
  // The page in clear has no manifest to choose by: it begins with what the sealed side began with.
  const start = names.video.find((pieces) => pieces.picture === picture)?.playlist;
  const url = `${clear}#${names.index}/${start}`;
  const unsealed: Side = { name: 'unsealed', url, names };
  await within((browser) => measure(browser, unsealed, 'first'));
  const sides = [sealed, file, unsealed];
  await within(async (browser) => {
    // Whoever comes first in a new browser waits for its processes: no side's visits shall.
    for (const side of sides) await measure(browser, side, 'uncounted');
    for (let turn = 0; turn < count; turn++) {
      for (const side of inTurn(sides, turn)) await measure(browser, side, 'counted');
    }
  });
}

/** Runs it all; returns the exit code. */
export async function main(words: readonly string[]): Promise<number> {
  const [link, file, bucket, output, visits] = words;
  if (!link || !file || !bucket || !output || !Number(visits)) {
    process.stderr.write(
      'usage: node bench/visits.mjs first-frame LINK FILE_LINK BUCKET OUTPUT VISITS\n',
    );
    return 2;
  }
  const unsealed = await unsealedSide(link, bucket, output);
  try {
    const sealed: Side = { name: 'sealed', url: link, names: await namesOf(unsealed.unlocked) };
    const { unlocked } = await unlockLink(file, bucket);
    const inFile: Side = { name: 'file', url: file, names: await namesOf(unlocked) };
    await compare(sealed, inFile, unsealed.url, Number(visits));
    return 0;
  } finally {
    unsealed.close();
  }
}
