/**
 * Productions as files: a document for other programs, such as `veilcast make`, and one that comes from outside.
 *
 * Pure. Refuses to know: whether a document makes sense as a whole, which its server says when it renders. Invariant: what is taken has
 * the shape that the page reads.
 */

import { SCENES_MOST, type Production } from './document';

/** The longest file that is read, in bytes: five hundred scenes of the longest texts. */
export const FILE_BYTES_MOST = 16 << 20;

/** Returns a document as the text of a file; it is called what the production is called, unless it says otherwise. */
export function exported(document: Production, name: string): string {
  const { version, title, ...more } = document;
  return `${JSON.stringify({ version: version ?? 1, title: title ?? name, ...more }, null, 2)}\n`;
}

/** Returns the name of such a file. */
export function fileNameOf(name: string): string {
  const plain = name.replaceAll(/[^\p{L}\p{N}._ -]+/gu, ' ').trim();
  return `${plain === '' ? 'production' : plain.slice(0, 80)}.json`;
}

/** Returns the document of a file's text, `null` where it holds none. */
export function documentOf(text: string): Production | null {
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch {
    return null;
  }
  if (!isObject(read) || (read['version'] ?? 1) !== 1) return null;
  const { scenes, backgrounds, captions, music, watermark, intro, outro, voice, title } = read;
  const isWhole =
    isList(scenes, isScene) &&
    (!Array.isArray(scenes) || scenes.length <= SCENES_MOST) &&
    isList(backgrounds, isBackground) &&
    [captions, voice].every((one) => one == null || isObject(one)) &&
    [music, watermark].every((one) => one == null || (isObject(one) && isText(one['file']))) &&
    [intro, outro].every((one) => one == null || isScene(one)) &&
    (title == null || isText(title));
  return isWhole ? (read as Production) : null;
}

type Members = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function isList(value: unknown, isOne: (one: unknown) => boolean): boolean {
  return value === undefined || (Array.isArray(value) && value.every(isOne));
}

function isScene(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { heading, text, background, captions, voice } = value;
  return (
    [heading, text].every((one) => one == null || isText(one)) &&
    [captions, voice].every((one) => one == null || isObject(one)) &&
    (background == null || isBackground(background))
  );
}

function isBackground(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { kind, file, colors } = value;
  if (kind !== 'gradient') return (kind === 'image' || kind === 'video') && isText(file);
  return Array.isArray(colors) && colors.length === 2 && colors.every(isText);
}
