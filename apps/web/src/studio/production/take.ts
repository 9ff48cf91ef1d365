/**
 * Files that somebody gives as productions, read.
 */

import type { Production } from './document';
import { documentOf, FILE_BYTES_MOST } from './exchange';

/** Reads a production out of a file; `null` where it holds none. */
export async function readFile(file: File): Promise<Production | null> {
  if (file.size > FILE_BYTES_MOST) return null;
  return documentOf(await file.text());
}
