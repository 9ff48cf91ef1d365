/**
 * Holds the page's files, as they are served now, against the list of their hashes.
 *
 * Knows nothing of where they come from. It tells an honest page's viewer what it is; a dishonest page could say
 * anything, so docs tell how to count by oneself.
 */

import { LIST, sha256 } from './files';
import { ROOT } from './trusted';

/** What was found. */
export type Checked =
  | {
      readonly is: 'listed';
      /** SHA-256 of the list, in hex. */
      readonly hash: string;
      readonly count: number;
      /** Names of files that are not as the list says. */
      readonly wrong: readonly string[];
    }
  | { readonly is: 'offline' | 'unlisted' };

async function read(name: string): Promise<Uint8Array<ArrayBuffer> | null> {
  const answer = await fetch(new URL(name, ROOT), { cache: 'no-cache', credentials: 'omit' });
  return answer.ok ? new Uint8Array(await answer.arrayBuffer()) : null;
}

async function isAsListed(line: string): Promise<boolean> {
  const [hash, name = ''] = line.split('  ');
  const bytes = await read(name).catch(() => null);
  return bytes !== null && (await sha256(bytes)) === hash;
}

/** Fetches the list and every file in it. */
export async function checkPage(): Promise<Checked> {
  try {
    const list = await read(LIST);
    if (list === null) return { is: 'unlisted' };
    const lines = new TextDecoder().decode(list).split('\n').filter(Boolean);
    const asListed = await Promise.all(lines.map(isAsListed));
    const wrong = lines.filter((_, at) => !asListed[at]).map((line) => line.split('  ')[1] ?? '');
    return { is: 'listed', hash: await sha256(list), count: lines.length, wrong };
  } catch {
    return { is: 'offline' };
  }
}
