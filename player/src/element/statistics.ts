/**
 * The figures over the picture, for who wants to know how playback is doing.
 *
 * Reads what it is given twice a second while it is shown. Assistive technology can read it, and is
 * not told of every change.
 */

import type { PlaybackStats } from '../engine/playback';
import type { Tracks } from '../engine/tracks';
import type { Word, Words } from '../words/words';
import { h, listen } from './dom';
import { sheetIcon } from './sheet-icons';

const PERIOD_MS = 500;

/** What the figures come from. */
export interface Sources {
  readonly video: HTMLVideoElement;
  readonly words: Words;
  stats(): PlaybackStats | null;
  tracks(): Tracks | null;
}

/** Seconds that are buffered from the playhead on. */
export function bufferedAheadS({ buffered, currentTime }: HTMLVideoElement): number {
  for (let i = 0; i < buffered.length; i++) {
    if (buffered.start(i) <= currentTime + 0.1 && currentTime <= buffered.end(i)) {
      return buffered.end(i) - currentTime;
    }
  }
  return 0;
}

const NONE = '–';

type Figure = readonly [Word, string];

/** What is playing: size, codecs, rate. */
function pictureFigures({ video, words }: Sources, tracks: Tracks | null): Figure[] {
  const picture = tracks?.video.find(({ id }) => id === tracks.videoId);
  const sound = tracks?.audio.find(({ id }) => id === tracks.audioId);
  const rate = picture && `${words.number(picture.frameRate, { maximumFractionDigits: 2 })} fps`;
  const size = video.videoWidth > 0 ? `${video.videoWidth}×${video.videoHeight}` : NONE;
  const codecs = [picture?.codecs, sound?.codecs].filter(Boolean).join(', ');
  const bits = (picture?.averageBandwidthBps ?? 0) + (sound?.averageBandwidthBps ?? 0);
  return [
    ['statPicture', rate ? `${size} · ${rate}` : size],
    ['statCodecs', codecs || NONE],
    ['statBitrate', bits > 0 ? words.bitRate(bits) : NONE],
  ];
}

/** Returns the figures as a person reads them, in order. */
export function readFigures(sources: Sources): Figure[] {
  const { video, words } = sources;
  const stats = sources.stats();
  const ms = (value: number | null | undefined) =>
    value == null ? NONE : words.measure(value, 'millisecond');
  const [dropped, all] = [stats?.droppedFrames ?? 0, stats?.decodedFrames ?? 0];
  const ofAll = { dropped: words.number(dropped), all: words.number(all) };
  return [
    ...pictureFigures(sources, sources.tracks()),
    ['statThroughput', stats?.bandwidthBps ? words.bitRate(stats.bandwidthBps) : NONE],
    ['statBuffer', words.measure(bufferedAheadS(video), 'second')],
    ['statOpening', ms(stats?.openingMs)],
    ['statDropped', words.t('statDroppedOf', ofAll)],
    ['statOpened', words.measure((stats?.openedBytes ?? 0) / 1e6, 'megabyte')],
    ['statFirst', ms(stats?.firstFrameMs)],
    ['statProvider', stats?.provider ? words.t(PROVIDERS[stats.provider]) : NONE],
  ];
}

const PROVIDERS = { native: 'statNative', noble: 'statNoble' } as const satisfies Record<
  string,
  Word
>;

/** The figures' box. */
export class Statistics {
  readonly #list = h('dl');
  readonly #close = h('button', { type: 'button', class: 'close' }, sheetIcon('close'));
  readonly element = h(
    'div',
    { class: 'statistics', role: 'group', hidden: true },
    this.#close,
    this.#list,
  );
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(private readonly sources: Sources) {
    listen(this.#close, 'click', () => this.toggle(false));
    sources.words.show(() => {
      this.element.setAttribute('aria-label', sources.words.t('statistics'));
      this.#close.setAttribute('aria-label', sources.words.t('close'));
      this.#draw();
    });
  }

  get isShown(): boolean {
    return !this.element.hidden;
  }

  toggle(isShown = !this.isShown): void {
    this.element.hidden = !isShown;
    clearInterval(this.#timer);
    if (!isShown) return;
    this.#draw();
    this.#timer = setInterval(() => this.#draw(), PERIOD_MS);
  }

  #draw(): void {
    if (!this.isShown) return;
    const { t } = this.sources.words;
    const figures = readFigures(this.sources);
    this.#list.replaceChildren(
      ...figures.flatMap(([word, value]) => [h('dt', {}, t(word)), h('dd', {}, value)]),
    );
  }
}
