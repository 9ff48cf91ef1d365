/**
 * What an element tells the page: its events and what they carry.
 */

import type { Tracks } from '../engine/tracks';
import type { Explanation } from '../explain';
import type { Failure } from '../failure';
import type { IdentityQuestion } from '../protocol';
import type { Title } from '../title';
import type { Language } from '../words/language';

/** What an element is doing. */
export type PlayerState = 'idle' | 'opening' | 'identity-needed' | 'unlocking' | 'ready' | 'failed';

/** The events of an element. */
export interface VeilPlayerEventMap {
  'veil-state': CustomEvent<PlayerState>;
  'veil-title': CustomEvent<Title>;
  'veil-tracks': CustomEvent<Tracks>;
  /** An identity, or the passphrase of one, is wanted. */
  'veil-identity': CustomEvent<{ readonly recipient: string } & IdentityQuestion>;
  /** How much of the work on a passphrase is done, from 0 to 1. */
  'veil-unlocking': CustomEvent<number>;
  /** The network is in trouble and being tried again, or no longer (`null`). */
  'veil-trouble': CustomEvent<Failure | null>;
  'veil-failure': CustomEvent<{ readonly failure: Failure; readonly explanation: Explanation }>;
  /** The words of the player are in another language now. */
  'veil-language': CustomEvent<Language>;
}

/** An element whose events have types. */
export abstract class TellingElement extends HTMLElement {
  override addEventListener<Name extends keyof VeilPlayerEventMap>(
    type: Name,
    listener: (event: VeilPlayerEventMap[Name]) => void,
    options?: boolean | AddEventListenerOptions,
  ): void;
  override addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject,
    options?: boolean | AddEventListenerOptions,
  ): void;
  override addEventListener(
    type: string,
    listener: never,
    options?: boolean | AddEventListenerOptions,
  ): void {
    super.addEventListener(type, listener, options);
  }

  /** Tells the page. */
  protected emit<Name extends keyof VeilPlayerEventMap>(
    name: Name,
    detail: VeilPlayerEventMap[Name]['detail'],
  ): void {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
