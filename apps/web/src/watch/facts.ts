/**
 * What the page says about a title in a line.
 *
 * Pure functions over the opened manifest, and the words to say it with.
 */

import type { Title } from '@veilcast/player';
import type { PageWords } from '../words/page-words';

/**
 * Returns `1 h 32 min`, `12 min 5 s` or `52 s`, as the words' language says it.
 *
 * Not by `Intl`, whose rules for units take the browser longer to load than all else that stands before the first picture.
 */
export function durationText(durationUs: number, { t, language }: PageWords): string {
  const seconds = Math.round(durationUs / 1e6);
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const parts = [
    h > 0 && t('page.hours', { n: h }),
    m > 0 && t('page.minutes', { n: m }),
    // Of what takes hours nobody counts seconds.
    h === 0 && (s > 0 || m === 0) && t('page.seconds', { n: s }),
  ];
  return parts.filter(Boolean).join(language === 'zh' ? '' : ' ');
}

/** Returns the facts of a title that a viewer may want to know, in order of weight. */
export function factsOf(title: Title, words: PageWords): string[] {
  const { t } = words;
  const facts = [durationText(title.durationUs, words)];
  const sizes = title.renditions.flatMap((rendition) =>
    rendition.type === 'video' ? [Math.min(rendition.width, rendition.height)] : [],
  );
  const audio = title.renditions.filter((rendition) => rendition.type === 'audio');
  const captions = title.renditions.filter((rendition) => rendition.type === 'subtitles');
  const quality = `${Math.max(...sizes)}p`;
  if (sizes.length > 1) facts.push(t('page.upTo', { quality }));
  else facts.push(sizes.length === 1 ? quality : t('page.soundOnly'));
  if (audio.length === 0) facts.push(t('page.silent'));
  if (audio.length > 1) facts.push(t('page.sounds', { n: audio.length }));
  if (captions.length === 1) facts.push(t('captions'));
  if (captions.length > 1) facts.push(t('page.captionsCount', { n: captions.length }));
  return facts;
}
