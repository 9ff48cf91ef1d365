/**
 * What the trace screen says of a report.
 */

import { describe, expect, it } from 'vitest';
import { callOf, chanceText, sentenceOf, type Report } from '../../src/studio/trace/report';
import { studioWords } from '../../src/studio/words/studio-words';

const words = studioWords();
await words.complete();

const viewer = (label: string, named: boolean): Report['viewers'][number] => ({
  grant: '0123456789abcdef',
  label,
  kind: 'link',
  created: '2026-11-20T12:00:00Z',
  revoked: null,
  score: 10,
  p_value: named ? 1e-9 : 0.5,
  named,
});

const report = (more: Partial<Report>): Report => ({
  leak: { name: 'clip.mp4', duration_us: 1, sha256: '' },
  title: { id: '00', name: 'Dailies' },
  verdict: 'named',
  epsilon: 1e-6,
  presence: null,
  slots: null,
  needed_s: null,
  viewers: [],
  evidence: [],
  notes: [],
  ...more,
});

describe('a report', () => {
  it('names all whose copies it is, by label or by grant', () => {
    const viewers = [viewer('Ann', true), viewer('', true), viewer('Bob', false)];
    const sentence = sentenceOf(report({ viewers }), words);
    expect(sentence).toBe('“Dailies”, made of the copy of Ann and grant 01234567.');
    expect(callOf(viewer('', false), words)).toBe('grant 01234567');
  });

  it('says how much is missing only where something is', () => {
    const sentence = sentenceOf(report({ verdict: 'not_enough', needed_s: 40 }), words);
    expect(sentence).toMatch(/too little .* About 40 .*more would be enough\.$/);
    expect(sentenceOf(report({ verdict: 'no_mark', needed_s: 40 }), words)).toBe(
      'No mark of “Dailies” was found.',
    );
    expect(sentenceOf(report({ verdict: 'unknown_title', title: null }), words)).toMatch(/^No title/);
  });

  it('writes small chances as people do', () => {
    expect(chanceText(0.5, words)).toBe('0.5');
    expect(chanceText(1e-6, words)).toBe('10⁻⁶');
    expect(chanceText(2.6e-11, words)).toBe('3 · 10⁻¹¹');
    expect(chanceText(0, words)).toBe('< 10⁻³⁰⁰');
  });
});
