/**
 * A hundred megabytes through the vault's own opener, in as many Workers as the player's pool has, from memory to the page.
 *
 * What is opened was sealed for the bench, in objects of a segment's size; nothing comes over a network while it is timed. The
 * bytes come in pieces, as a network would bring them, and leave by transfer.
 */

import { mkdir } from 'node:fs/promises';
import { seal } from '../../player/test/sealer';
import { Browser } from '../first-frame/browser';
import { buildPage } from '../first-frame/clear';
import { FileServer, type Files } from '../first-frame/server';
import { evaluate, within } from '../first-frame/visit';
import { CONTEXT, KEY, OBJECT_BYTES } from './page/sizes';

/** Passes, of which the first ones let the browser come to rest. */
const PASSES = 14;
const RESTING_PASSES = 5;

/** Times in milliseconds, in the order in which they were taken. */
interface Passes {
  readonly openingMs: number[];
  /** The same bytes in the same calls of WebCrypto and nothing else. */
  readonly decryptingMs: number[];
}

/** The sealed object that every Worker opens again and again, under the path that the page asks for. */
function sealedFile(): Files {
  const plaintext = new Uint8Array(OBJECT_BYTES).map((_, at) => (at * 31) & 0xff);
  const body = Buffer.from(seal(KEY, new Uint8Array(24), CONTEXT, plaintext));
  return new Map([['/sealed', { type: 'application/octet-stream', cache: 'no-cache', body }]]);
}

/** Runs in the page: the two take turns. */
async function takeTurns(count: number): Promise<Passes> {
  const { openAll } = globalThis as unknown as {
    openAll(what: 'open' | 'decrypt'): Promise<number>;
  };
  const passes: Passes = { openingMs: [], decryptingMs: [] };
  for (let pass = 0; pass < count; pass++) {
    for (const [what, took] of [
      ['open', passes.openingMs],
      ['decrypt', passes.decryptingMs],
    ] as const) {
      took.push(await openAll(what));
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
  }
  return passes;
}

/** Builds the page, opens it and writes its times; returns the exit code. */
export async function main([output]: readonly string[]): Promise<number> {
  if (!output) {
    process.stderr.write('usage: node bench/visits.mjs opening OUTPUT\n');
    return 2;
  }
  await mkdir(output, { recursive: true });
  await buildPage(new URL('page/open.html', import.meta.url), output);
  const server = new FileServer();
  await server.addFolder(output);
  server.add(sealedFile());
  const browser = await Browser.start();
  try {
    const url = `${await server.listen()}/open.html`;
    const { openingMs, decryptingMs } = await within(browser, url, (session) =>
      evaluate(browser, session, takeTurns, PASSES),
    );
    const counted: Passes = {
      openingMs: openingMs.slice(RESTING_PASSES),
      decryptingMs: decryptingMs.slice(RESTING_PASSES),
    };
    process.stdout.write(`${JSON.stringify(counted)}\n`);
    return 0;
  } finally {
    await browser.close();
    server.close();
  }
}
