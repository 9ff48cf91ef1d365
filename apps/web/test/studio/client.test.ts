/**
 * The types of the HTTP interface are those of its document.
 */

import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { DOCUMENT, TYPES, typesOf } from '../../build/client.mjs';

const document = readFileSync(DOCUMENT, 'utf8');

it('the checked-in types are of the document as it is: else `npm run client -w @veilcast/web`', async () => {
  expect(readFileSync(TYPES, 'utf8')).toBe(await typesOf(document));
});

it('a route that changes changes the types, and operations of one name stay apart', async () => {
  const { paths } = JSON.parse(document) as { paths: Record<string, object> };
  const types = await typesOf(document);
  for (const path of Object.keys(paths)) expect(types).toContain(`    "${path}": {`);
  const named = (operationId: string) => ({
    openapi: '3.1.0',
    info: { title: 'x', version: '1' },
    paths: {
      '/a': { get: { operationId, responses: { 200: { description: 'a' } } } },
      '/b': { get: { operationId: 'list', responses: { 204: { description: 'b' } } } },
    },
  });
  const same = await typesOf(JSON.stringify(named('list')));
  expect(same).toBe(await typesOf(JSON.stringify(named('other'))));
  expect(same).toMatch(/"\/a": .* 200: .*\n {4}"\/b": .* 204: /);
});
