/**
 * Damages what lies in a bucket folder, as somebody with access to the bucket could.
 *
 * Layout: docs/format/bucket.md. Every damage can be undone, so that tests share one title.
 */

import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The folder of one title. */
export class TitleFolder {
  constructor(
    readonly bucket: string,
    readonly title: string,
  ) {}

  path(name: string): string {
    return join(this.bucket, 't', this.title, name);
  }
}

/** Changes files, runs `test`, and puts the old content back. */
export async function damaged(
  files: string[],
  change: (bytes: Buffer[]) => (Buffer | undefined)[],
  test: () => Promise<void>,
): Promise<void> {
  const before = await Promise.all(files.map((file) => readFile(file)));
  const after = change(before.map((bytes) => Buffer.from(bytes)));
  try {
    await write(files, after);
    await test();
  } finally {
    await write(files, before);
  }
}

/** Changes one bit of the byte at `at`. */
export function flip(bytes: Buffer, at: number): Buffer {
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  return bytes;
}

async function write(files: string[], bytes: (Buffer | undefined)[]): Promise<void> {
  for (const [at, file] of files.entries()) {
    const content = bytes[at];
    await (content ? writeFile(file, content) : rm(file));
  }
}
