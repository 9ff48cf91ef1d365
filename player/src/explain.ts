/**
 * What to tell a person about a failure: the one table.
 *
 * Knows nothing of where it is shown. Every entry says what it is, what happened and what to do.
 */

import type { Failure, FailureCode } from './failure';

/** What a person reads about a failure. */
export interface Explanation {
  readonly title: string;
  readonly happened: string;
  readonly action: string;
}

const TABLE: Readonly<Record<FailureCode, Explanation>> = {
  'link-incomplete': {
    title: 'This link is incomplete',
    happened: 'The part after # is missing or cut short. It holds the key to the video.',
    action: 'Copy the whole link again, or ask the sender for a new one.',
  },
  'link-unknown': {
    title: 'This link leads nowhere',
    happened: 'There is no video under this address. It may have been removed.',
    action: 'Check the link for typing errors, or ask the sender for a new one.',
  },
  'secret-wrong': {
    title: 'This link doesn’t fit',
    happened: 'The secret part of the link, after #, is not the one that opens this video.',
    action: 'Copy the whole link again, or ask the sender for a new one.',
  },
  'grant-expired': {
    title: 'This link has expired',
    happened: 'The sender set an end to it, and that moment has passed.',
    action: 'Ask the sender for a new link. If it should still work, check this device’s clock.',
  },
  'grant-revoked': {
    title: 'This link was withdrawn',
    happened: 'The sender has taken back the permission to watch.',
    action: 'Ask the sender if you think that this is a mistake.',
  },
  'identity-wrong': {
    title: 'That identity doesn’t open this video',
    happened: 'The video was shared with somebody else’s identity.',
    action: 'Choose the identity file whose recipient you gave to the sender.',
  },
  'identity-unreadable': {
    title: 'That file is not an identity',
    happened: 'An identity file has one line that begins with AGE-SECRET-KEY-PQ-1.',
    action: 'Choose another file.',
  },
  'identity-damaged': {
    title: 'That identity file is damaged',
    happened: 'It is a locked identity, but it was cut or changed since it was locked.',
    action: 'Choose another copy of it.',
  },
  'identity-newer': {
    title: 'That identity file is too new',
    happened: 'It was locked in a format that this page doesn’t know.',
    action: 'Ask the sender to update the video server, or choose another copy of it.',
  },
  'identity-without-passphrase': {
    title: 'That file has no passphrase',
    happened: 'It is a sealed file that only other identities open.',
    action: 'Open it with them first, or choose another file.',
  },
  'passphrase-wrong': {
    title: 'That passphrase is wrong',
    happened: 'It doesn’t unlock the identity.',
    action: 'Mind capital letters, spaces and the keyboard’s language, and try again.',
  },
  'memory-short': {
    title: 'Not enough memory',
    happened: 'Unlocking an identity takes a lot of memory for a moment.',
    action: 'Close other pages and apps, and try again.',
  },
  'page-incomplete': {
    title: 'A part of this page is missing',
    happened: 'What unlocks identities could not be loaded.',
    action: 'Check your network and try again. If it stays, load the page again.',
  },
  tampered: {
    title: 'This video was changed on its way',
    happened: '{Part} did not pass its seal: it was damaged, exchanged or forged.',
    action: 'Playback stopped before the changed part was shown. Tell the sender.',
  },
  'playlist-mismatch': {
    title: 'This video is not as it was sealed',
    happened: 'The playlist disagrees with the sealed description: it is old, cut or forged.',
    action: 'Playback has stopped. Try again later; if it stays, tell the sender.',
  },
  'object-missing': {
    title: 'A part of this video is missing',
    happened: '{Part} is no longer in the store.',
    action: 'Tell the sender: the video has to be published again.',
  },
  offline: {
    title: 'You are offline',
    happened: 'This device has no connection at the moment.',
    action: 'Playback goes on by itself when the connection is back.',
  },
  'gateway-unreachable': {
    title: 'The server doesn’t answer',
    happened: 'The connection to the video server failed.',
    action: 'Trying again by itself. If it lasts, check your network.',
  },
  'gateway-broken': {
    title: 'The server has a problem',
    happened: 'The video server answered in a way that makes no sense.',
    action: 'Trying again by itself. If it lasts, tell the sender.',
  },
  'store-unavailable': {
    title: 'The store doesn’t answer',
    happened: 'The video server is there, but the place where the video lies is not.',
    action: 'Trying again by itself. If it lasts, tell the sender.',
  },
  'ranges-unsupported': {
    title: 'The store can’t send parts of files',
    happened: 'This video is read piece by piece, and the place where it lies sent something else.',
    action: 'Tell the sender: the store, or what stands before it, has to answer range requests.',
  },
  'codec-unsupported': {
    title: 'This browser can’t play this video',
    happened: 'It has no decoder for the format that the video is in.',
    action: 'Try a current version of Chrome, Edge, Firefox or Safari.',
  },
  'browser-unsupported': {
    title: 'This browser is too old',
    happened: 'Sealed video needs Web Crypto, Workers and Media Source Extensions.',
    action: 'Update the browser, or use a current version of another one.',
  },
  'insecure-context': {
    title: 'This connection is not secure',
    happened: 'Browsers open sealed video only on pages that come over https.',
    action: 'Open the link with https:// at its beginning.',
  },
  'playback-failed': {
    title: 'Playback failed',
    happened: 'The browser stopped playing the video, and trying again didn’t help.',
    action: 'Reload the page. If it stays, try another browser.',
  },
};

/** Tells what to show a person about `failure`. */
export function explain(failure: Failure): Explanation {
  const { title, happened, action } = TABLE[failure.code];
  const part = failure.part ?? 'the video';
  const capital = part.charAt(0).toUpperCase() + part.slice(1);
  return { title, happened: happened.replace('{Part}', capital), action };
}
