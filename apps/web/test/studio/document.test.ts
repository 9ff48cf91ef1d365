/**
 * Edits of a production's document.
 */

import { expect, it } from 'vitest';
import {
  addScene,
  beginOf,
  changed,
  fileOf,
  mediumOf,
  moveScene,
  removeScene,
  scenesOf,
  SCENES_MOST,
  secondsOf,
  storyOf,
  withScene,
  type Production,
} from '../../src/studio/production/document';
import schema from '../../../../docs/format/production.schema.json';
import {
  CAPTION_STYLES,
  FITS,
  FORMATS,
  MOTIONS,
  POSITIONS,
  TRANSITIONS,
} from '../../src/studio/production/document';

const three: Production = {
  version: 1,
  scenes: [{ text: 'a' }, { text: 'b', pause: 1 }, { text: 'c' }],
  watermark: { file: 'logo.png' },
};
const texts = (document: Production) => scenesOf(document).map(({ text }) => text);

it('scenes are moved, added and taken out, and the rest stays', () => {
  expect(texts(moveScene(three, 0, 2))).toEqual(['b', 'c', 'a']);
  expect(texts(moveScene(three, 2, 0))).toEqual(['c', 'a', 'b']);
  expect(texts(addScene(three, 0, { text: 'x' }))).toEqual(['a', 'x', 'b', 'c']);
  expect(texts(addScene({}, -1, { text: 'x' }))).toEqual(['x']);
  expect(texts(removeScene(three, 1))).toEqual(['a', 'c']);
  expect(moveScene(three, 0, 2)['watermark']).toBe(three['watermark']);
  expect(texts(three)).toEqual(['a', 'b', 'c']);
});

it('a move to where a scene is, or to nowhere, changes nothing', () => {
  for (const [from, to] of [
    [1, 1],
    [0, 3],
    [0, -1],
    [7, 0],
  ] as const) {
    expect(moveScene(three, from, to)).toBe(three);
  }
});

it('there are no more scenes than the format takes', () => {
  const full = { scenes: Array.from({ length: SCENES_MOST }, () => ({ text: 'x' })) };
  expect(addScene(full, 0, { text: 'y' })).toBe(full);
  expect(schema.properties.scenes).toBeDefined();
});

it('what says nothing is not written', () => {
  expect(scenesOf(withScene(three, 1, { pause: null, heading: 'B' }))[1]).toEqual({
    text: 'b',
    heading: 'B',
  });
  expect(changed({ title: 'x', music: { file: 'm' } }, { music: null })).toEqual({ title: 'x' });
});

it('a story is what was written, headings and paragraphs', () => {
  const document = { scenes: [{ heading: 'One', text: 'First.' }, { text: 'Second.' }, {}] };
  expect(storyOf(document)).toBe('# One\n\nFirst.\n\nSecond.');
});

it('a scene takes as long as its words or as it says, and begins after those before it', () => {
  expect(secondsOf({})).toBe(2.5);
  expect(secondsOf({ text: 'one two three four five', pause: 1 })).toBeCloseTo(3);
  expect(secondsOf({ text: 'one', duration: 9 })).toBe(9);
  expect(secondsOf({ heading: 'one two' })).toBeCloseTo(1.15);
  expect(beginOf({ scenes: [{ duration: 3 }, { duration: 4 }] }, 2)).toBe(7);
  expect(beginOf(three, 0)).toBe(0);
});

it('files of the library have a name of their own', () => {
  expect(mediumOf(fileOf('ab12'))).toBe('ab12');
  expect(mediumOf('sea.jpg')).toBeNull();
});

it('the choices are those of the published schema', () => {
  const { $defs: defs } = schema;
  const consts = (of: { oneOf: readonly object[] }): unknown[] =>
    of.oneOf.map((one) => (one as { const?: unknown }).const);
  expect(consts(defs.Shape)).toEqual([...FORMATS]);
  expect(consts(defs.CaptionStyle)).toEqual([...CAPTION_STYLES]);
  expect(consts(defs.Position)).toEqual([...POSITIONS]);
  expect(consts(defs.Motion)).toEqual([...MOTIONS]);
  expect(consts(defs.Fit)).toEqual([...FITS]);
  expect(consts(defs.Transition)).toEqual([...TRANSITIONS]);
});
