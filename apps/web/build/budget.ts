/**
 * What a viewer's browser loads before the first picture, in bytes, and the bounds on it.
 *
 * A build over a bound fails. Counted is what travels: each file as gzip makes it. A file that holds
 * our code and others' is shared out by what each would weigh alone, minified and compressed.
 */

import { readFileSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { minifySync } from 'rolldown/utils';
import type { Plugin, Rolldown } from 'vite';

/** Bytes to first play, of everything and of what we wrote, in units of 1000. */
export const BUDGET = { all: 190_000, ours: 35_000 } as const;

/** Files that stand between a click on a link and its first picture, by the name before the hash. */
const BEFORE_PLAY = [
  'index.html',
  'watch.js',
  'watch.css',
  'hls.js',
  'pool.worker.js',
  'transmuxer.worker.js',
];

/** A file's weight. */
export interface Weight {
  readonly file: string;
  readonly bytes: number;
  readonly ours: number;
}

const packed = (bytes: Uint8Array | string): number => gzipSync(bytes, { level: 9 }).length;

/** `watch-CEV_NGdR.js` is `watch.js`. */
export const plainName = (file: string): string =>
  basename(file).replace(/-[\w-]{8}(?=\.\w+$)/, '');

function alone(codes: readonly string[]): number {
  const minified = codes.map((code, index) => minifySync(`${index}.js`, code).code);
  return codes.length === 0 ? 0 : packed(minified.join('\n'));
}

/** Returns what share of a chunk is ours, from 0 to 1. */
export function shareOf(
  modules: Readonly<Record<string, { readonly code: string | null }>>,
): number {
  const all = Object.entries(modules).map(([id, { code }]) => ({ id, code: code ?? '' }));
  const isOurs = ({ id }: { id: string }) => !id.includes('node_modules') && !id.startsWith('\0');
  const ours = alone(all.filter((one) => isOurs(one)).map(({ code }) => code));
  const theirs = alone(all.filter((one) => !isOurs(one)).map(({ code }) => code));
  return ours + theirs === 0 ? 1 : ours / (ours + theirs);
}

/** Returns the weights as a table, and what is over a bound (`null` for nothing). */
export function report(weights: readonly Weight[]): { table: string; excess: string | null } {
  const sum = (pick: (weight: Weight) => number) =>
    weights.reduce((total, weight) => total + pick(weight), 0);
  const whole = {
    file: 'before the first picture',
    bytes: sum((w) => w.bytes),
    ours: sum((w) => w.ours),
  };
  const kilo = (bytes: number) => (bytes / 1000).toFixed(1).padStart(7);
  const line = ({ file, bytes, ours }: Weight) => `${file.padEnd(26)}${kilo(bytes)}${kilo(ours)}`;
  const bound = `${'bound'.padEnd(26)}${kilo(BUDGET.all)}${kilo(BUDGET.ours)}`;
  const head = `${'kB, gzip'.padEnd(26)}${'all'.padStart(7)}${'ours'.padStart(7)}`;
  const over = [
    whole.bytes > BUDGET.all && `everything by ${whole.bytes - BUDGET.all} bytes`,
    whole.ours > BUDGET.ours && `ours by ${whole.ours - BUDGET.ours} bytes`,
  ].filter((text) => text !== false);
  return {
    table: [head, ...weights.map((weight) => line(weight)), line(whole), bound].join('\n'),
    excess: over.length === 0 ? null : over.join(', '),
  };
}

/** The plugins: one for the page and one for its Workers, whose builds are their own. */
export function budget(): { page: Plugin; workers: () => Plugin } {
  const shares = new Map<string, number>();
  const note = (bundle: Rolldown.OutputBundle): void => {
    for (const output of Object.values(bundle)) {
      if (output.type === 'chunk' && BEFORE_PLAY.includes(plainName(output.fileName))) {
        shares.set(plainName(output.fileName), shareOf(output.modules));
      }
    }
  };
  return {
    workers: () => ({
      name: 'veilcast:budget-workers',
      generateBundle: (_, bundle) => note(bundle),
    }),
    page: {
      name: 'veilcast:budget',
      apply: 'build',
      generateBundle: (_, bundle) => note(bundle),
      writeBundle: {
        // After the hashes are in the page.
        order: 'post',
        sequential: true,
        handler({ dir = '' }) {
          const { table, excess } = report(weigh(dir, shares));
          this.info(`\n${table}`);
          if (excess !== null) this.error(`over the budget before the first picture: ${excess}`);
        },
      },
    },
  };
}

/** Weighs what was written; a file that is counted and not there is an error. */
function weigh(folder: string, shares: ReadonlyMap<string, number>): Weight[] {
  const assets = readdirSync(join(folder, 'assets')).map((name) => join('assets', name));
  return BEFORE_PLAY.map((file) => {
    const path = ['w/index.html', ...assets].find((name) => plainName(name) === file);
    if (path === undefined) throw new Error(`the build made no ${file}`);
    const bytes = packed(readFileSync(join(folder, path)));
    return { file, bytes, ours: Math.round(bytes * (shares.get(file) ?? 1)) };
  });
}
