//! Grants: the record that the gateway reads and the payload that only the viewer opens.
//!
//! Specification: `docs/format/grant.md`. Times are RFC 3339 texts here: this crate has no clock,
//! and the caller compares them.

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, Zeroizing};

use crate::SealError;
use crate::envelope::{self, Purpose};
use crate::id::{GrantId, ID_BYTES, KeyId, TitleId};
use crate::identity::{Identity, Recipient};
use crate::object::Variant;
use crate::schedule::TitleKey;
use crate::secret::Secret;
use crate::variants::ListKey;

/// The version of records and payloads that this crate writes and reads.
pub const VERSION: u32 = 1;
/// The longest record in the bucket.
pub const MAX_RECORD_BYTES: usize = 16 * 1024;

const PAYLOAD: &str = "the grant's payload";
const AAD_BYTES: usize = 3 * ID_BYTES + 4;

/// How the viewer comes by the identity that opens the envelope.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GrantKind {
    /// From the link's secret.
    Link,
    /// The viewer brings it.
    Recipient,
}

/// Whether a grant still holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GrantState {
    /// It holds until it expires.
    Active,
    /// It was taken back.
    Revoked,
}

/// `g/<grant id>` in the bucket: wire form.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct GrantRecord {
    /// [`VERSION`].
    pub v: u32,
    /// The grant's id in hex.
    pub id: String,
    /// The title's id in hex.
    pub title: String,
    /// The key epoch of the title.
    pub epoch: u32,
    /// Active or revoked.
    pub state: GrantState,
    /// Link or recipient.
    pub kind: GrantKind,
    /// SHA-256 of the bearer in hex.
    pub bearer_sha256: String,
    /// When it was made, RFC 3339.
    pub created: String,
    /// When it ends, RFC 3339; absent when it doesn't.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
    /// The recipient's key id in hex; absent once revoked, as all below.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipient: Option<String>,
    /// The multivariant playlist's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<String>,
    /// Names of objects that every playback needs, the manifest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub preload: Vec<String>,
    /// Which variant of each slot of a marked title is this viewer's: see [`pattern`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    /// The envelope in base64url.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub envelope: Option<String>,
}

impl GrantRecord {
    /// The tombstone of this grant: enough to tell its holder that it was revoked, and nothing to
    /// play with.
    #[must_use]
    pub fn revoked(self) -> Self {
        Self {
            state: GrantState::Revoked,
            expires: None,
            recipient: None,
            index: None,
            preload: Vec::new(),
            pattern: None,
            envelope: None,
            ..self
        }
    }

    /// The envelope's bytes.
    ///
    /// # Errors
    /// [`SealError::Malformed`] when there is none, or it is no base64url.
    pub fn envelope_bytes(&self) -> Result<Vec<u8>, SealError> {
        let text = self.envelope.as_deref().unwrap_or_default();
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).ok().filter(|bytes| !bytes.is_empty());
        bytes.ok_or(SealError::Malformed { what: "the grant's envelope" })
    }
}

/// A record's pattern: base64url of a bit a slot, slot 0 first, most significant bit first; 1 is variant B. Spare bits of
/// the last byte are 0.
#[must_use]
pub fn pattern(chosen: &[Variant]) -> String {
    let byte = |slots: &[Variant]| {
        let bit = |(at, variant): (usize, &Variant)| u8::from(*variant == Variant::B) << (7 - at);
        slots.iter().enumerate().map(bit).sum()
    };
    BASE64_URL_SAFE_NO_PAD.encode(chosen.chunks(8).map(byte).collect::<Vec<u8>>())
}

/// What binds an envelope to its grant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct GrantBinding {
    /// The grant.
    pub grant: GrantId,
    /// The title.
    pub title: TitleId,
    /// The key epoch of the title.
    pub epoch: u32,
    /// The recipient's key id.
    pub recipient: KeyId,
}

impl GrantBinding {
    /// `grant id ‖ title id ‖ epoch ‖ recipient key id`.
    #[must_use]
    pub fn aad(&self) -> [u8; AAD_BYTES] {
        let mut aad = [0; AAD_BYTES];
        aad[..16].copy_from_slice(&self.grant.0);
        aad[16..32].copy_from_slice(&self.title.0);
        aad[32..36].copy_from_slice(&self.epoch.to_be_bytes());
        aad[36..].copy_from_slice(&self.recipient.0);
        aad
    }
}

/// What a viewer's envelope holds.
pub struct GrantPayload {
    /// The title's key.
    pub key: TitleKey,
    /// For a marked title, the key of the viewer's variant list.
    pub variants: Option<ListKey>,
    /// When the grant ends, RFC 3339; `None` when it doesn't.
    pub expires: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct PayloadWire {
    v: u32,
    title: String,
    key: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    variants: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires: Option<String>,
}

impl Drop for PayloadWire {
    fn drop(&mut self) {
        self.key.zeroize();
        self.variants.zeroize();
    }
}

/// Seals a payload for `recipient`; the result is the record's envelope in base64url.
///
/// # Errors
/// [`SealError::Malformed`] when the recipient's key is none.
pub fn seal_payload(
    recipient: &Recipient,
    binding: &GrantBinding,
    payload: &GrantPayload,
    rng: &mut impl CryptoRng,
) -> Result<String, SealError> {
    let wire = PayloadWire {
        v: VERSION,
        title: binding.title.to_string(),
        key: BASE64_URL_SAFE_NO_PAD.encode(payload.key.secret().expose()),
        variants: payload
            .variants
            .as_ref()
            .map(|key| BASE64_URL_SAFE_NO_PAD.encode(key.secret().expose())),
        expires: payload.expires.clone(),
    };
    let malformed = |_| SealError::Malformed { what: PAYLOAD };
    let json = Zeroizing::new(serde_json::to_vec(&wire).map_err(malformed)?);
    let envelope = envelope::wrap(recipient, Purpose::Grant, &binding.aad(), &json, rng)?;
    Ok(BASE64_URL_SAFE_NO_PAD.encode(envelope))
}

/// Opens the envelope of a grant.
///
/// # Errors
/// [`SealError::WrongIdentity`] when it is not for this identity or not of this grant,
/// [`SealError::Malformed`] or [`SealError::UnknownVersion`] when what is inside can't be read or
/// names another title.
pub fn open_payload(
    identity: &Identity,
    binding: &GrantBinding,
    envelope: &[u8],
) -> Result<GrantPayload, SealError> {
    const MALFORMED: SealError = SealError::Malformed { what: PAYLOAD };
    let json = envelope::unwrap(identity, Purpose::Grant, &binding.aad(), envelope)?;
    let wire: PayloadWire = serde_json::from_slice(&json).map_err(|_| MALFORMED)?;
    if wire.v != VERSION {
        return Err(SealError::UnknownVersion { what: PAYLOAD });
    }
    if wire.title != binding.title.to_string() {
        return Err(MALFORMED);
    }
    let key = TitleKey::new(read_key(&wire.key)?);
    let variants = wire.variants.as_deref().map(read_key).transpose()?.map(ListKey::new);
    Ok(GrantPayload { key, variants, expires: wire.expires.clone() })
}

fn read_key(text: &str) -> Result<Secret<32>, SealError> {
    let bytes =
        BASE64_URL_SAFE_NO_PAD.decode(text).map_err(|_| SealError::Malformed { what: PAYLOAD })?;
    Secret::from_slice(&Zeroizing::new(bytes), PAYLOAD)
}

#[cfg(test)]
mod tests {
    use getrandom::SysRng;
    use rand_core::UnwrapErr;

    use super::*;

    fn binding(recipient: &Recipient) -> GrantBinding {
        GrantBinding {
            grant: GrantId([1; 16]),
            title: TitleId([2; 16]),
            epoch: 3,
            recipient: recipient.key_id(),
        }
    }

    fn sealed(recipient: &Recipient, key: [u8; 32]) -> Vec<u8> {
        let key = TitleKey::new(Secret::new(key));
        let payload = GrantPayload { key, variants: None, expires: None };
        let mut rng = UnwrapErr(SysRng);
        let text = seal_payload(recipient, &binding(recipient), &payload, &mut rng).unwrap();
        BASE64_URL_SAFE_NO_PAD.decode(text).unwrap()
    }

    #[test]
    fn a_grant_gives_its_title_key_to_its_recipient() {
        let viewer = Identity::random(&mut UnwrapErr(SysRng));
        let recipient = viewer.recipient();
        let envelope = sealed(&recipient, [9; 32]);
        let payload = open_payload(&viewer, &binding(&recipient), &envelope).unwrap();
        assert_eq!(payload.key.secret().expose(), &[9; 32]);
    }

    #[test]
    fn an_envelope_moved_to_another_grant_is_refused() {
        let viewer = Identity::random(&mut UnwrapErr(SysRng));
        let recipient = viewer.recipient();
        let envelope = sealed(&recipient, [9; 32]);
        let here = binding(&recipient);
        let elsewhere = [
            GrantBinding { grant: GrantId([7; 16]), ..here },
            GrantBinding { title: TitleId([7; 16]), ..here },
            GrantBinding { epoch: 4, ..here },
            GrantBinding { recipient: KeyId([7; 16]), ..here },
        ];
        for binding in elsewhere {
            let opened = open_payload(&viewer, &binding, &envelope).map(|_| ());
            assert_eq!(opened, Err(SealError::WrongIdentity));
        }
    }

    #[test]
    fn a_pattern_has_a_bit_a_slot_the_most_significant_first() {
        let chosen = |bits: &str| -> Vec<Variant> {
            bits.chars().map(|bit| if bit == '1' { Variant::B } else { Variant::A }).collect()
        };
        for (bits, text) in [("", ""), ("1", "gA"), ("0", "AA"), ("101000000100", "oEA")] {
            assert_eq!(pattern(&chosen(bits)), text, "{bits}");
        }
        let longest = pattern(&vec![Variant::B; 65_536]);
        assert!(longest.len() < MAX_RECORD_BYTES - 4096, "{} bytes", longest.len());
    }

    #[test]
    fn a_tombstone_keeps_nothing_to_play_with() {
        let record = GrantRecord {
            v: VERSION,
            id: "id".into(),
            title: "title".into(),
            epoch: 1,
            state: GrantState::Active,
            kind: GrantKind::Link,
            bearer_sha256: "hash".into(),
            created: "2026-11-20T12:00:00Z".into(),
            expires: Some("2026-11-27T12:00:00Z".into()),
            recipient: Some("key id".into()),
            index: Some("index.m3u8".into()),
            preload: vec!["manifest".into()],
            pattern: Some("gA".into()),
            envelope: Some("AAAA".into()),
        };
        let text = serde_json::to_string(&record.revoked()).unwrap();
        assert_eq!(
            text,
            r#"{"v":1,"id":"id","title":"title","epoch":1,"state":"revoked","kind":"link","bearer_sha256":"hash","created":"2026-11-20T12:00:00Z"}"#
        );
    }
}
