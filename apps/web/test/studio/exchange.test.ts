/** Productions as files: what goes out comes in again, and what isn't one is not taken. */

import { expect, it } from 'vitest';
import type { Production } from '../../src/studio/production/document';
import { documentOf, exported, fileNameOf } from '../../src/studio/production/exchange';

const whole: Production = {
  version: 1,
  format: '1:1',
  music: { file: 'media:a' },
  intro: { heading: 'Hello' },
  watermark: { file: 'media:b', position: 'top-left' },
  backgrounds: [{ kind: 'gradient', colors: ['#000000', '#ffffff'] }],
  scenes: [{ text: 'a', captions: { style: 'pop' } }, {}],
  fields: { name: 'Ana' },
};

it('what goes out comes in again, with what the page does not edit', () => {
  expect(documentOf(exported(whole, 'Film'))).toEqual({ ...whole, title: 'Film' });
  expect(documentOf(exported({ ...whole, title: 'Own' }, 'Film'))?.title).toBe('Own');
});

it('what is no production is not taken', () => {
  const check = (text: string): void => expect(documentOf(text), text).toBeNull();
  for (const text of ['', '{', '[]', 'null', '"a"', '{"version":2}']) check(text);
  check('{"scenes":{}}');
  check('{"scenes":[7]}');
  check('{"scenes":[{"text":7}]}');
  check('{"scenes":[{"background":{"kind":"gradient","colors":["#000000"]}}]}');
  check('{"backgrounds":[{"kind":"image"}]}');
  check('{"music":"a"}');
  check('{"intro":[]}');
  check('{"title":7}');
  check(JSON.stringify({ scenes: Array.from({ length: 501 }, () => ({})) }));
  expect(documentOf('{}')).toEqual({});
});

it('a file is called what the production is called, as far as files can be', () => {
  expect(fileNameOf('A letter')).toBe('A letter.json');
  expect(fileNameOf('../a:b')).toBe('.. a b.json');
  expect(fileNameOf('海')).toBe('海.json');
  expect(fileNameOf('??')).toBe('production.json');
});
