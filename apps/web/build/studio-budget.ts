/**
 * What the studio's page loads, in bytes, and the bounds on it.
 *
 * A build over a bound fails. Counted is what travels: each script as gzip makes it. Initial is the entry with all that
 * it imports by itself, before any screen. hls.js would be counted apart; the studio has none.
 */

import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Plugin, Rolldown } from 'vite';

/** Bytes of scripts at the start and in all, in units of 1024. */
export const STUDIO_BUDGET = { initial: 60 * 1024, all: 250 * 1024 } as const;

/** A script: its name, its compressed bytes, and what it imports by itself. */
export interface Script {
  readonly file: string;
  readonly bytes: number;
  readonly imports: readonly string[];
  readonly isEntry: boolean;
}

/** Returns the scripts that the entries can't do without. */
export function initialOf(scripts: readonly Script[]): Script[] {
  const found = new Set<Script>();
  const reach = (script: Script | undefined): void => {
    if (script === undefined || found.has(script)) return;
    found.add(script);
    for (const name of script.imports) reach(scripts.find(({ file }) => file === name));
  };
  for (const script of scripts) if (script.isEntry) reach(script);
  return [...found];
}

/** Returns the sums as a line, and what is over a bound (`null` for nothing). */
export function studioReport(scripts: readonly Script[]): { line: string; excess: string | null } {
  const sum = (some: readonly Script[]): number =>
    some.reduce((total, { bytes }) => total + bytes, 0);
  const [initial, all] = [sum(initialOf(scripts)), sum(scripts)];
  const kibi = (bytes: number): string => `${(bytes / 1024).toFixed(1)} KiB`;
  const over = [
    initial > STUDIO_BUDGET.initial && `initial by ${initial - STUDIO_BUDGET.initial} bytes`,
    all > STUDIO_BUDGET.all && `everything by ${all - STUDIO_BUDGET.all} bytes`,
  ].filter((text) => text !== false);
  const of = (bytes: number, bound: number): string => `${kibi(bytes)} of ${kibi(bound)}`;
  return {
    line: `scripts, gzip: initial ${of(initial, STUDIO_BUDGET.initial)}, all ${of(all, STUDIO_BUDGET.all)}`,
    excess: over.length === 0 ? null : over.join(', '),
  };
}

/** The plugin. */
export function studioBudget(): Plugin {
  const shapes = new Map<string, Pick<Script, 'imports' | 'isEntry'>>();
  return {
    name: 'veilcast:studio-budget',
    apply: 'build',
    generateBundle(_, bundle: Rolldown.OutputBundle) {
      for (const output of Object.values(bundle)) {
        if (output.type !== 'chunk') continue;
        shapes.set(output.fileName, { imports: output.imports, isEntry: output.isEntry });
      }
    },
    writeBundle: {
      order: 'post',
      sequential: true,
      handler({ dir = '' }) {
        const names = readdirSync(join(dir, 'assets')).filter((name) => name.endsWith('.js'));
        const scripts = names.map((name) => {
          const file = `assets/${name}`;
          const bytes = gzipSync(readFileSync(join(dir, file)), { level: 9 }).length;
          const { imports = [], isEntry = false } = shapes.get(file) ?? {};
          return { file, bytes, imports, isEntry };
        });
        const { line, excess } = studioReport(scripts);
        this.info(line);
        if (excess !== null) this.error(`over the studio's budget: ${excess}`);
      },
    },
  };
}
