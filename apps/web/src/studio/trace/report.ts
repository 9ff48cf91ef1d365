/**
 * What a trace came to, as its job left it.
 *
 * Pure, but for types. Specification: `docs/guides/tracing.md`.
 */

import type { StudioWord, StudioWords } from '../words/studio-words';

/** What a trace came to. */
export type Verdict = 'named' | 'not_enough' | 'no_mark' | 'unknown_title';

/** A grant, as a candidate. */
export interface Viewer {
  readonly grant: string;
  readonly label: string;
  readonly kind: string;
  readonly created: string;
  readonly revoked: string | null;
  readonly score: number;
  readonly p_value: number;
  readonly named: boolean;
}

/** A slot that was read. */
export interface Evidence {
  readonly slot: number;
  readonly leak_us: number;
  readonly symbol: 0 | 1;
  readonly confidence: number;
}

/** All that a trace found. */
export interface Report {
  readonly leak: { readonly name: string; readonly duration_us: number; readonly sha256: string };
  readonly title: { readonly id: string; readonly name: string } | null;
  readonly verdict: Verdict;
  readonly epsilon: number;
  readonly presence: { readonly z: number; readonly threshold: number } | null;
  readonly slots: { readonly in_title: number; readonly read: number } | null;
  readonly needed_s: number | null;
  readonly viewers: readonly Viewer[];
  readonly evidence: readonly Evidence[];
  readonly notes: readonly string[];
}

const SENTENCES: Readonly<Record<Verdict, StudioWord>> = {
  named: 'studio.traceNamed',
  not_enough: 'studio.traceNotEnough',
  no_mark: 'studio.traceNoMark',
  unknown_title: 'studio.traceUnknown',
};

/** The look of a verdict: a colour of the studio. */
export const LOOKS: Readonly<Record<Verdict, string>> = {
  named: 'alarm',
  not_enough: 'warn',
  no_mark: '',
  unknown_title: '',
};

/** The result in a sentence or two. */
export function sentenceOf(report: Report, words: StudioWords): string {
  const { verdict, title, needed_s: needed, viewers } = report;
  const named = viewers.filter((viewer) => viewer.named).map((viewer) => callOf(viewer, words));
  const names = new Intl.ListFormat(words.language).format(named);
  const said = words.t(SENTENCES[verdict], { title: title?.name ?? '', names });
  if (verdict !== 'not_enough' || needed === null) return said;
  return `${said} ${words.t('studio.traceNeeds', { time: words.duration(needed, 'short') })}`;
}

/** What a person knows a viewer by: the label, or else the beginning of the grant's id. */
export function callOf({ label, grant }: Viewer, words: StudioWords): string {
  return label === '' ? words.t('studio.traceGrant', { id: grant.slice(0, 8) }) : label;
}

/** A probability as people write small ones: `0.4`, `3 · 10⁻⁹`. */
export function chanceText(value: number, words: StudioWords): string {
  if (value >= 0.001) return words.number(value, { maximumSignificantDigits: 2 });
  if (value <= 0) return '< 10⁻³⁰⁰';
  const [digit = '1', exponent = '0'] = value.toExponential(0).split('e-');
  const raised = [...exponent].map((one) => '⁰¹²³⁴⁵⁶⁷⁸⁹'[Number(one)]).join('');
  return digit === '1' ? `10⁻${raised}` : `${digit} · 10⁻${raised}`;
}
