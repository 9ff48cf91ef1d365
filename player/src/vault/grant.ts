/**
 * Grants: the record that the gateway shows, and the payload that only the viewer can open.
 *
 * Specification: docs/format/grant.md and docs/format/envelope.md. Knows nothing of HTTP. The
 * record is untrusted: it says where things are, the payload's envelope says which title it is.
 */

import { concat, fromBase64Url, fromHex, u32, utf8, type Bytes } from './bytes';
import { openEnvelope } from './hpke';
import type { Identity } from './identity';
import { Fields, Malformed } from './json';
import { TitleKey } from './role';
import type { ListKey } from './variants';

/** Largest answer with a grant: a record of at most 16 KiB and 8 URLs of at most 4 KiB. */
export const MAX_GRANT_BYTES = 64 * 1024;

const KEY_BYTES = 32;
const KEY_CHARACTERS = 43;
const MAX_ENVELOPE_CHARACTERS = 16 * 1024;
const MAX_PRELOADS = 8;
const MAX_URL_CHARACTERS = 4096;
const NAME = /^[0-9a-f]{32}$/;
const INDEX_NAME = /^[0-9a-f]{32}\.m3u8$/;
const INFO = utf8('veilcast/grant/v1');

/** What the gateway says of a grant. */
export interface GrantRecord {
  readonly id: string;
  /** Title id, 32 hex digits. */
  readonly title: string;
  readonly epoch: number;
  readonly kind: 'link' | 'recipient';
  /** Key id of the recipient. */
  readonly recipient: string;
  /** Milliseconds since 1970, `null` for a grant without an end. */
  readonly expiresMs: number | null;
  /** Object name of the multivariant playlist, without `.m3u8`. */
  readonly index: string;
  readonly preload: readonly string[];
  readonly envelope: Bytes;
}

/** The whole answer to `GET /v1/grants/<grant id>`. */
export interface GrantAnswer {
  readonly record: GrantRecord;
  /** The gateway's clock. */
  readonly nowMs: number;
  /** URLs of the preloads by object name. */
  readonly urls: ReadonlyMap<string, string>;
}

function readRecord(fields: Fields, grantId: string): GrantRecord {
  fields.version(1);
  fields.oneOf('state', ['active']);
  if (fields.text('id', 32, NAME) !== grantId) fields.refuse('id');
  const envelope = fromBase64Url(fields.text('envelope', MAX_ENVELOPE_CHARACTERS));
  return {
    id: grantId,
    title: fields.text('title', 32, NAME),
    epoch: fields.integer('epoch', 0, 0xffffffff),
    kind: fields.oneOf('kind', ['link', 'recipient']),
    recipient: fields.text('recipient', 32, NAME),
    expiresMs: fields.has('expires') ? fields.time('expires') : null,
    index: fields.text('index', 37, INDEX_NAME).slice(0, 32),
    preload: fields.list('preload', MAX_PRELOADS, (item) =>
      typeof item === 'string' && NAME.test(item) ? item : fields.refuse('preload'),
    ),
    envelope: envelope ?? fields.refuse('envelope'),
  };
}

/** What the viewer's envelope holds. */
export interface GrantKeys {
  readonly title: TitleKey;
  /** The key of the viewer's variant list, `null` for a title that isn't marked. */
  readonly variants: ListKey | null;
}

/** Parses the gateway's answer, or throws [`Malformed`]. */
export function parseGrantAnswer(bytes: Uint8Array, grantId: string): GrantAnswer {
  const fields = Fields.parse(bytes, 'answer');
  const record = readRecord(fields.fields('grant'), grantId);
  const given = fields.fields('urls');
  const urls = record.preload
    .filter((name) => given.has(name))
    .map((name) => [name, given.text(name, MAX_URL_CHARACTERS)] as const);
  return { record, nowMs: fields.time('now'), urls: new Map(urls) };
}

/** Tells whether a grant has ended by either clock. */
export function isExpired(record: GrantRecord, ownNowMs: number, gatewayNowMs: number): boolean {
  return record.expiresMs !== null && Math.max(ownNowMs, gatewayNowMs) >= record.expiresMs;
}

function bind(record: GrantRecord): Bytes {
  const ids = [record.id, record.title, record.recipient].map((id) => fromHex(id, 16));
  const [grant, title, recipient] = ids;
  if (!grant || !title || !recipient) throw new Malformed('an id of the grant is not hex');
  return concat(grant, title, u32(record.epoch), recipient);
}

function readKey(fields: Fields, name: string): Bytes {
  const key = fromBase64Url(fields.text(name, KEY_CHARACTERS));
  return key?.length === KEY_BYTES ? key : fields.refuse(name);
}

/**
 * Opens the grant's envelope and returns the keys in it.
 *
 * Throws `EnvelopeBroken` where it doesn't open, and [`Malformed`] where its payload disagrees
 * with the record.
 */
export async function openGrant(record: GrantRecord, identity: Identity): Promise<GrantKeys> {
  const payload = await openEnvelope(identity.key, INFO, bind(record), record.envelope);
  const fields = Fields.parse(payload, 'payload');
  payload.fill(0);
  fields.version(1);
  if (fields.text('title', 32, NAME) !== record.title) fields.refuse('title');
  const expiresMs = fields.has('expires') ? fields.time('expires') : null;
  if (expiresMs !== record.expiresMs) fields.refuse('expires');
  const titleId = fromHex(record.title, 16) ?? fields.refuse('title');
  const title = await TitleKey.import(titleId, readKey(fields, 'key'));
  if (!fields.has('variants')) return { title, variants: null };
  // Few titles are marked.
  const { ListKey: Made } = await import('./variants');
  return { title, variants: await Made.import(titleId, readKey(fields, 'variants')) };
}
