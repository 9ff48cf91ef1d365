/**
 * The types of the studio's HTTP interface, made of its OpenAPI document: `npm run client -w @veilcast/web`.
 *
 * What openapi-typescript writes is put on few lines, without comments and without what can't be: the document itself is
 * what people read. Invariant: the same document makes the same text, which a test holds the checked-in one to.
 */

import openapiTS, { astToString } from 'openapi-typescript';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const at = (path) => fileURLToPath(new URL(path, import.meta.url));

/** The document, and the types of it. */
export const DOCUMENT = at('../../../docs/format/studio-api.json');
export const TYPES = at('../src/studio/api/schema.d.ts');

const HEAD = `/**
 * What the studio's HTTP interface takes and answers. Made of \`docs/format/studio-api.json\` by \`npm run client\`; not to
 * be edited.
 */

`;

/** Names of operations are left out: types stand where they are used, and two of one name can't be confused. */
function nameless(document) {
  return JSON.parse(JSON.stringify(document), (key, value) =>
    key === 'operationId' ? undefined : value,
  );
}

/** Puts each member of an interface on a line of its own, whatever is in it. */
function compact(text) {
  const bare = text
    .replaceAll(/\/\*\*[\s\S]*?\*\//g, '')
    .replaceAll(/^\s*"?[\w-]+"?\?: never;$/gm, '')
    .replaceAll(/^export type \$defs = .*$/gm, '')
    .replaceAll(/^export type (webhooks|operations) = .*$/gm, '');
  const lines = bare.split('\n').filter((line) => line.trim() !== '');
  const isOpening = (line) => /^export interface \w+ \{$/.test(line);
  const indents = (line) => line.length - line.trimStart().length;
  let out = '';
  for (const line of lines) {
    const depth = indents(line) / 4;
    const stands = isOpening(line) || line === '}' || isMember(line, depth, out);
    out += stands ? `${out === '' ? '' : '\n'}${line}` : ` ${line.trim()}`;
  }
  return `${out}\n`;
}

/** Members of `paths` are a level deep, those of `components.schemas` two. */
function isMember(line, depth, before) {
  if (/^\s*\}/.test(line)) return false;
  const isInSchemas = before.includes('export interface components');
  return depth === 1 || (isInSchemas && depth === 2);
}

/** Returns the types of a document, given as JSON. */
export async function typesOf(json) {
  const ast = await openapiTS(nameless(JSON.parse(json)));
  return HEAD + compact(astToString(ast));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(TYPES, await typesOf(readFileSync(DOCUMENT, 'utf8')));
}
