/**
 * The licences of the libraries that are bundled, in one file beside the bundle.
 *
 * Counted is what a chunk really holds, the Workers' included. Invariant: a library without a licence
 * file fails the build.
 */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Plugin, Rolldown } from 'vite';

interface Manifest {
  readonly name?: string;
  readonly version?: string;
  readonly license?: string;
}

/** Returns the folder of the package that a module belongs to, `null` for our own. */
export function packageOf(id: string): string | null {
  const match = /^(.*\/node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(id.replace(/^\0/, ''));
  return match?.[1] ?? null;
}

function noticeOf(folder: string): string {
  const { name, version, license } = JSON.parse(
    readFileSync(join(folder, 'package.json'), 'utf8'),
  ) as Manifest;
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
  if (file === undefined) throw new Error(`${name} has no licence file`);
  const text = readFileSync(join(folder, file), 'utf8').trim();
  return `${name} ${version} (${license})\n\n${text}\n`;
}

/** Returns the text of all notices. */
export function noticesOf(folders: Iterable<string>): string {
  const parts = [...new Set(folders)].toSorted().map((folder) => noticeOf(folder));
  const head = 'This package holds code of the following libraries.\n';
  return [head, ...parts].join(`\n${'-'.repeat(72)}\n\n`);
}

/** The plugins: one for the page and one for its Workers, whose builds are their own. */
export function notices(): { page: Plugin; workers: () => Plugin } {
  const folders = new Set<string>();
  const note = (bundle: Rolldown.OutputBundle): void => {
    for (const output of Object.values(bundle)) {
      if (output.type !== 'chunk') continue;
      for (const id of output.moduleIds) {
        const folder = packageOf(id);
        if (folder !== null && existsSync(dirname(folder))) folders.add(folder);
      }
    }
  };
  return {
    workers: () => ({
      name: 'veilcast:notices-workers',
      generateBundle: (_, bundle) => note(bundle),
    }),
    page: {
      name: 'veilcast:notices',
      generateBundle(_, bundle) {
        note(bundle);
        this.emitFile({ type: 'asset', fileName: 'NOTICES.txt', source: noticesOf(folders) });
      },
    },
  };
}
