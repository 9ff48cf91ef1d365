/**
 * Where everything of one title lies: manifest, checked playlists, signed URLs, and which variants are the viewer's.
 *
 * Runs in the vault Worker alone, which answers for the opener Worker too. Knows nothing of
 * decryption beyond the manifest's. Invariant: a URL leaves only for an object whose playlist
 * agreed with the manifest, or whose name the title key gave.
 */

import { PlayerFailure, type Part } from '../failure';
import type { Rendition, Title } from '../title';
import type { Bytes } from './bytes';
import { openObject, SealBroken, sealedLength } from './cobblestone';
import type { Connection } from './connection';
import { Collector, download, type NetworkTiming } from './download';
import type { Gateway } from './gateway';
import type { GrantAnswer, GrantKeys } from './grant';
import { Malformed } from './json';
import { MAX_MANIFEST_BYTES, parseManifest } from './manifest';
import type { Slots } from './marked';
import { checkObjectStatus, type Locate, type Located } from './object';
import { checkMediaPlaylist, checkMultivariantPlaylist, type RenditionUrls } from './playlist';
import { PlaylistMismatch } from './playlist-reader';
import { writeMediaPlaylist, writeMultivariantPlaylist } from './playlist-writer';
import { encodeRole, Kind, type Role, type TitleKey } from './role';

/** A playlist for the player's parser, and how the one behind it was fetched. */
export interface WrittenPlaylist {
  readonly text: string;
  readonly timing: NetworkTiming;
  readonly loaded: number;
}

interface Fetched<T> {
  readonly checked: T;
  readonly timing: NetworkTiming;
  readonly loaded: number;
}

const MANIFEST: Role = { kind: Kind.manifest, rendition: 0, index: 0 };

const PARTS: Readonly<Record<Rendition['type'], Part>> = {
  video: 'the picture',
  audio: 'the sound',
  subtitles: 'the captions',
};

/** Turns the parsers' errors into the viewer's failures. */
async function orMismatch<T>(check: Promise<T>): Promise<T> {
  try {
    return await check;
  } catch (cause) {
    if (!(cause instanceof PlaylistMismatch)) throw cause;
    throw new PlayerFailure('playlist-mismatch', undefined, { cause });
  }
}

/** Returns where an object of a rendition lies, `null` where there is none. */
function find(
  { checked }: Fetched<RenditionUrls>,
  role: Role,
): Pick<Located, 'url' | 'place'> | null {
  if (!('file' in checked)) {
    const url = role.kind === Kind.init ? checked.init : checked.segments[role.index];
    return url == null ? null : { url, place: null };
  }
  const { url, file } = checked;
  const range = role.kind === Kind.init ? file.init : file.segment(role.index);
  return range && { url, place: { offset: range.offset, of: file.bytes } };
}

/** The places of one title's objects. */
export class Shelf {
  readonly #media = new Map<number, Promise<Fetched<RenditionUrls>>>();
  readonly #signed = new Map<string, Promise<string>>();
  #index: ReturnType<Gateway['playlist']> | null = null;
  #title: Promise<Title> | null = null;
  #offered: Promise<Fetched<Rendition[]>> | null = null;
  #slots: Promise<Slots> | null = null;

  /** `keys` come once the grant is open, and have named what the grant's record names. */
  constructor(
    private readonly gateway: Gateway,
    private readonly connection: Connection,
    private readonly grant: GrantAnswer,
    private readonly keys: Promise<GrantKeys>,
  ) {
    for (const [name, url] of grant.urls) {
      this.#signed.set(name, Promise.resolve(gateway.resolve(url)));
    }
  }

  get #key(): Promise<TitleKey> {
    return this.keys.then(({ title }) => title);
  }

  /** Opens the manifest; it and the multivariant playlist are fetched before there is a key for them. */
  title(): Promise<Title> {
    this.#title ??= this.connection.persist(() => this.#openManifest());
    this.#fetchIndex().catch(() => undefined);
    return this.#title;
  }

  /** Returns the multivariant playlist (`null`) or a rendition's, checked and written anew. */
  async playlist(rendition: number | null): Promise<WrittenPlaylist> {
    if (rendition === null) {
      const { checked, timing, loaded } = await this.#offer();
      return { text: writeMultivariantPlaylist(checked), timing, loaded };
    }
    const { timing, loaded } = await this.#urls(rendition);
    return { text: writeMediaPlaylist(await this.#rendition(rendition)), timing, loaded };
  }

  /** Finds an object. */
  readonly locate: Locate = async (role, stale) => {
    if (role.kind === Kind.init || role.kind === Kind.segment)
      return this.#locateMedia(role, stale);
    const title = await this.title();
    const bytes =
      role.kind === Kind.poster ? title.poster?.bytes : title.storyboard?.sheets[role.index];
    if (bytes === undefined) throw new PlayerFailure('playback-failed');
    const url = await this.#sign(await (await this.#key).name(role), stale);
    return {
      url,
      place: null,
      bytes,
      part: role.kind === Kind.poster ? 'the poster' : 'the previews',
    };
  };

  async #locateMedia(role: Role, stale: string | null): Promise<Located> {
    const rendition = await this.#rendition(role.rendition);
    const known = this.#urls(role.rendition);
    let found = find(await known, role);
    if (stale !== null && found?.url === stale) {
      // Of several requests that were refused together, the first one asks anew for all.
      if (this.#media.get(role.rendition) === known) {
        this.#media.set(role.rendition, this.#renew(known, role.rendition));
      }
      found = find(await this.#urls(role.rendition), role);
    }
    const initBytes = rendition.type === 'subtitles' ? undefined : rendition.initBytes;
    const bytes = role.kind === Kind.init ? initBytes : rendition.segments[role.index]?.bytes;
    if (found === null || bytes === undefined) throw new PlayerFailure('playback-failed');
    const slots = role.kind === Kind.segment ? await this.#slotsOf(rendition) : undefined;
    const variantKey = await slots?.key(role.index);
    return { ...found, bytes, part: PARTS[rendition.type], variantKey };
  }

  /** Asks for URLs anew: all of a rendition's, or the one of its file. */
  async #renew(
    known: Promise<Fetched<RenditionUrls>>,
    rendition: number,
  ): Promise<Fetched<RenditionUrls>> {
    const { checked, ...fetched } = await known;
    if (!('file' in checked)) return this.#fetchMedia(rendition);
    const name = await (await this.#key).name(checked.file.role);
    const url = await this.connection.persist(() => this.gateway.sign(name));
    return { ...fetched, checked: { url, file: checked.file } };
  }

  async #rendition(id: number): Promise<Rendition> {
    const { renditions } = await this.title();
    const rendition = renditions.find((candidate) => candidate.id === id);
    if (rendition === undefined) throw new PlayerFailure('playback-failed');
    return rendition;
  }

  #fetchIndex(): ReturnType<Gateway['playlist']> {
    const name = this.grant.record.index;
    this.#index ??= this.connection.persist(() => this.gateway.playlist(name));
    return this.#index;
  }

  #offer(): Promise<Fetched<Rendition[]>> {
    this.#offered ??= (async () => {
      const [title, { text, timing, bytes }] = await Promise.all([
        this.title(),
        this.#fetchIndex(),
      ]);
      const check = checkMultivariantPlaylist(text, title, await this.#key);
      return { checked: await orMismatch(check), timing, loaded: bytes };
    })();
    return this.#offered;
  }

  #urls(rendition: number): Promise<Fetched<RenditionUrls>> {
    const known = this.#media.get(rendition);
    if (known !== undefined) return known;
    const fetched = this.#fetchMedia(rendition);
    this.#media.set(rendition, fetched);
    return fetched;
  }

  async #fetchMedia(id: number): Promise<Fetched<RenditionUrls>> {
    const rendition = await this.#rendition(id);
    const key = await this.#key;
    const name = await key.name({ kind: Kind.mediaPlaylist, rendition: id, index: 0 });
    const fetch = () => this.gateway.playlist(name);
    const [{ text, timing, bytes }, slots] = await Promise.all([
      this.connection.persist(fetch),
      this.#slotsOf(rendition),
    ]);
    const check = checkMediaPlaylist(text, this.gateway.playlistUrl(name), rendition, key, slots);
    return { checked: await orMismatch(check), timing, loaded: bytes };
  }

  #sign(name: string, stale: string | null): Promise<string> {
    const known = this.#signed.get(name);
    if (known !== undefined && stale === null) return known;
    const signed = this.connection.persist(() => this.gateway.sign(name));
    this.#signed.set(name, signed);
    return signed;
  }

  /** Returns the viewer's variants of a marked rendition. */
  async #slotsOf(rendition: Rendition): Promise<Slots | undefined> {
    if (rendition.type !== 'video' || !rendition.isMarked) return undefined;
    this.#slots ??= this.connection.persist(async () =>
      (await import('./marked')).openSlots(await this.keys, rendition, (name, maxBytes) =>
        this.#fetchWhole(name, maxBytes, 'the grant'),
      ),
    );
    return this.#slots;
  }

  async #openManifest(): Promise<Title> {
    const part = 'the description';
    // A record that names no manifest has no key either.
    const [name = await (await this.#key).name(MANIFEST)] = this.grant.record.preload;
    const sealed = await this.#fetchWhole(name, MAX_MANIFEST_BYTES, part);
    const key = await this.#key;
    try {
      const context = encodeRole(key.titleId, MANIFEST);
      const opened = await openObject(await key.objectKey(MANIFEST), context, sealed);
      return parseManifest(new Uint8Array(opened));
    } catch (cause) {
      if (!(cause instanceof SealBroken || cause instanceof Malformed)) throw cause;
      throw new PlayerFailure('tampered', part, { cause });
    }
  }

  /** Fetches an object whose length nothing tells: it is opened once it is whole. */
  async #fetchWhole(name: string, maxBytes: number, part: Part): Promise<Bytes> {
    const collector = new Collector(sealedLength(maxBytes), () => {
      throw new PlayerFailure('tampered', part);
    });
    const { life } = this.connection;
    await download({
      url: await this.#sign(name, null),
      ...(life && { signal: life }),
      accept: (response) => checkObjectStatus(response.status, part),
      take: collector.take,
    });
    return collector.bytes();
  }
}
