/**
 * Passkeys as locks: the PRF extension of WebAuthn (Level 3, §10.1.4) gives a secret for a salt.
 *
 * WebAuthn is the page's to call, so the secret passes through here on its way into the vault; it opens what lies on this
 * device and nothing else. Knows nothing of identities. Invariant: no secret is kept.
 */

import type { Bytes } from '../vault/bytes';
import type { Passkey } from '../vault/stored-identity';

const SALT_BYTES = 32;
const USER_ID_BYTES = 16;
const ES256 = -7;
const RS256 = -257;

/** The part of the extension's answer that TypeScript's library may not know yet. */
interface PrfAnswer {
  readonly prf?: {
    readonly enabled?: boolean;
    readonly results?: { readonly first?: BufferSource };
  };
}

function random(bytes: number): Bytes {
  return crypto.getRandomValues(new Uint8Array(bytes));
}

/** Moves a secret out of an answer and wipes the answer's own. */
function take(credential: Credential | null): { id: Bytes; secret: Bytes | null } | null {
  if (!(credential instanceof PublicKeyCredential)) return null;
  const { prf } = credential.getClientExtensionResults() as PrfAnswer;
  const id = new Uint8Array(credential.rawId.slice(0));
  const first = prf?.results?.first;
  if (first === undefined) return { id, secret: null };
  const view = ArrayBuffer.isView(first)
    ? new Uint8Array(first.buffer, first.byteOffset, first.byteLength)
    : new Uint8Array(first);
  const secret = new Uint8Array(view);
  view.fill(0);
  return { id, secret };
}

/** Tells whether this browser may have passkeys that give secrets. */
export async function hasPasskeys(): Promise<boolean> {
  if (!('PublicKeyCredential' in globalThis)) return false;
  const { getClientCapabilities } = PublicKeyCredential as {
    getClientCapabilities?(): Promise<Record<string, boolean>>;
  };
  if (getClientCapabilities === undefined) return true;
  const known = await getClientCapabilities.call(PublicKeyCredential).catch(() => ({}));
  return (known as Record<string, boolean>)['extension:prf'] !== false;
}

/** Asks the person for what a passkey gives, `null` where it gives nothing or the person declines. */
export async function askPasskey({ credential, salt }: Passkey): Promise<Bytes | null> {
  const publicKey = {
    challenge: random(SALT_BYTES),
    allowCredentials: [{ type: 'public-key', id: credential }],
    userVerification: 'required',
    extensions: { prf: { eval: { first: salt } } },
  } as PublicKeyCredentialRequestOptions;
  const answer = await navigator.credentials.get({ publicKey }).catch(() => null);
  return take(answer)?.secret ?? null;
}

/**
 * Has the person make a passkey, and returns it with what it gives for a new salt; `null` where it gives nothing or the person
 * declines. `name` is how the person finds it among others.
 */
export async function makePasskey(name: string): Promise<(Passkey & { secret: Bytes }) | null> {
  const salt = random(SALT_BYTES);
  const publicKey = {
    challenge: random(SALT_BYTES),
    rp: { name: 'Veilcast' },
    user: { id: random(USER_ID_BYTES), name, displayName: name },
    pubKeyCredParams: [ES256, RS256].map((alg) => ({ type: 'public-key', alg })),
    authenticatorSelection: { residentKey: 'preferred', userVerification: 'required' },
    extensions: { prf: { eval: { first: salt } } },
  } as PublicKeyCredentialCreationOptions;
  const made = take(await navigator.credentials.create({ publicKey }).catch(() => null));
  if (made === null) return null;
  const passkey = { credential: made.id, salt };
  // Some authenticators give a secret only when they are asked for it later.
  const secret = made.secret ?? (await askPasskey(passkey));
  return secret && { ...passkey, secret };
}
