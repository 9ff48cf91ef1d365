/**
 * `@veilcast/player`: the `<veil-player>` element and what its events carry.
 */

export { defineVeilPlayer, VeilPlayerElement } from './element/veil-player';
export type { PlayerState, VeilPlayerEventMap } from './element/events';
export { openAhead } from './engine/head-start';
export type { IdentityKeeper, RememberHow } from './engine/identities';
export type { PlaybackStats } from './engine/playback';
export type { Tracks } from './engine/tracks';
export { explain } from './explain';
export type { Explanation } from './explain';
export { isPassing } from './failure';
export type { Failure, FailureCode, Part } from './failure';
export type { IdentityQuestion, Link, OpenedBy } from './protocol';
export type { KnownIdentity } from './vault/identity-store';
export type { LockKind } from './vault/stored-identity';
export { pictureRatio } from './title';
export type {
  AudioRendition,
  Chapter,
  Poster,
  Rendition,
  Segment,
  Storyboard,
  SubtitleRendition,
  Title,
  VideoRendition,
} from './title';
export { chooseLanguage, languageOf, LANGUAGES, OWN_NAMES } from './words/language';
export type { Language } from './words/language';
export { Words } from './words/words';
export type { Dictionary, Values, Word, WordPart } from './words/words';
export { chosenLanguage } from './element/spoken';
export type { Fed, Feed, Whole } from './whole/feeding';
export { offerFeed } from './whole/offer';
