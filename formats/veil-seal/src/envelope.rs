//! Envelopes: HPKE (RFC 9180) base mode with X-Wing, HKDF-SHA256 and AES-256-GCM.
//!
//! Specification: `docs/format/envelope.md`. An envelope whose X25519 share is of low order is
//! refused before anything is computed with it: `hpke` alone would accept it.

use hpke::aead::AesGcm256;
use hpke::kdf::HkdfSha256;
use hpke::kem::XWing;
use hpke::{Deserializable, Kem, OpModeR, OpModeS, Serializable};
use rand_core::CryptoRng;
use x_wing::CIPHERTEXT_SIZE;
use zeroize::Zeroizing;

use crate::SealError;
use crate::identity::{Identity, Recipient};

/// Bytes that an envelope adds to its payload: the encapsulated key and a tag.
pub const OVERHEAD_BYTES: usize = CIPHERTEXT_SIZE + 16;
/// The largest payload that is wrapped or unwrapped.
pub const MAX_PAYLOAD_BYTES: usize = 1 << 20;

/// Bytes of the X25519 share, the end of an encapsulated key.
const X25519_BYTES: usize = 32;

/// What an envelope is for; each purpose has its own HPKE `info`, so one can't be passed off as
/// another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Purpose {
    /// A viewer's grant.
    Grant,
    /// The key of a sealed file.
    FileKey,
    /// The epoch key of a collection.
    Collection,
    /// A title key at rest in the studio's catalogue.
    TitleKey,
    /// The secrets of a marked title at rest in the studio's catalogue.
    MarkKeys,
    /// A passphrase at rest in the studio's job table.
    JobSecret,
}

impl Purpose {
    pub(crate) fn info(self) -> &'static [u8] {
        match self {
            Self::Grant => b"veilcast/grant/v1",
            Self::FileKey => b"veilcast/file-key/v1",
            Self::Collection => b"veilcast/collection/v1",
            Self::TitleKey => b"veilcast/title-key/v1",
            Self::MarkKeys => b"veilcast/mark-keys/v1",
            Self::JobSecret => b"veilcast/job-secret/v1",
        }
    }
}

/// Wraps `payload` for `recipient`, bound to `aad`: `enc(1120) ‖ ciphertext`.
///
/// # Errors
/// [`SealError::TooLarge`] beyond [`MAX_PAYLOAD_BYTES`].
pub fn wrap(
    recipient: &Recipient,
    purpose: Purpose,
    aad: &[u8],
    payload: &[u8],
    rng: &mut impl CryptoRng,
) -> Result<Vec<u8>, SealError> {
    if payload.len() > MAX_PAYLOAD_BYTES {
        return Err(SealError::TooLarge);
    }
    let malformed = |_| SealError::Malformed { what: "the recipient" };
    let key = <XWing as Kem>::PublicKey::from_bytes(recipient.as_bytes()).map_err(malformed)?;
    let (enc, ciphertext) = hpke::single_shot_seal_with_rng::<AesGcm256, HkdfSha256, XWing>(
        &OpModeS::Base,
        &key,
        purpose.info(),
        payload,
        aad,
        rng,
    )
    .map_err(malformed)?;
    let mut envelope = enc.to_bytes().to_vec();
    envelope.extend_from_slice(&ciphertext);
    Ok(envelope)
}

/// Unwraps an envelope.
///
/// # Errors
/// [`SealError::Truncated`], [`SealError::TooLarge`], [`SealError::LowOrder`], or
/// [`SealError::WrongIdentity`] when it was made for somebody else, for another purpose or place,
/// or was changed.
pub fn unwrap(
    identity: &Identity,
    purpose: Purpose,
    aad: &[u8],
    envelope: &[u8],
) -> Result<Zeroizing<Vec<u8>>, SealError> {
    if envelope.len() < OVERHEAD_BYTES {
        return Err(SealError::Truncated);
    }
    if envelope.len() > OVERHEAD_BYTES + MAX_PAYLOAD_BYTES {
        return Err(SealError::TooLarge);
    }
    let (enc, ciphertext) = envelope.split_at(CIPHERTEXT_SIZE);
    if enc.last_chunk().is_none_or(is_low_order) {
        return Err(SealError::LowOrder);
    }
    let wrong = |_| SealError::WrongIdentity;
    let key = <XWing as Kem>::PrivateKey::from_bytes(identity.seed().expose()).map_err(wrong)?;
    let enc = <XWing as Kem>::EncappedKey::from_bytes(enc).map_err(wrong)?;
    hpke::single_shot_open::<AesGcm256, HkdfSha256, XWing>(
        &OpModeR::Base,
        &key,
        &enc,
        purpose.info(),
        ciphertext,
        aad,
    )
    .map(Zeroizing::new)
    .map_err(wrong)
}

/// Little-endian u-coordinates, the top bit cleared, of the points whose order divides 8, on the
/// curve and its twist: 0, 1, the two of order 8, p − 1, and p and p + 1, which aren't canonical.
const LOW_ORDER: [[u8; X25519_BYTES]; 7] = [
    u_coordinate(0x00, 0x00, 0x00),
    u_coordinate(0x01, 0x00, 0x00),
    [
        0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4,
        0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49,
        0xb8, 0x00,
    ],
    [
        0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1, 0x55, 0x9c, 0x83, 0xef,
        0x5b, 0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c, 0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f,
        0x11, 0x57,
    ],
    u_coordinate(0xec, 0xff, 0x7f),
    u_coordinate(0xed, 0xff, 0x7f),
    u_coordinate(0xee, 0xff, 0x7f),
];

const fn u_coordinate(first: u8, middle: u8, last: u8) -> [u8; X25519_BYTES] {
    let mut u = [middle; X25519_BYTES];
    u[0] = first;
    u[X25519_BYTES - 1] = last;
    u
}

/// Tells whether X25519 of this share and any private key is all zeros (RFC 7748 §6.1).
///
/// Private keys are multiples of the cofactor 8, so that is so exactly for the points whose order
/// divides 8. X25519 ignores the top bit (RFC 7748 §5). Shares are public: time may tell.
pub(crate) fn is_low_order(share: &[u8; X25519_BYTES]) -> bool {
    let mut u = *share;
    u[X25519_BYTES - 1] &= 0x7f;
    LOW_ORDER.contains(&u)
}

#[cfg(test)]
mod tests {
    use getrandom::SysRng;
    use rand_core::UnwrapErr;

    use super::*;

    fn sealed(identity: &Identity) -> Vec<u8> {
        let mut rng = UnwrapErr(SysRng);
        wrap(&identity.recipient(), Purpose::Grant, b"aad", b"payload", &mut rng).unwrap()
    }

    #[test]
    fn an_envelope_opens_for_its_recipient_only() {
        let mut rng = UnwrapErr(SysRng);
        let (alice, bob) = (Identity::random(&mut rng), Identity::random(&mut rng));
        let envelope = sealed(&alice);
        assert_eq!(envelope.len(), OVERHEAD_BYTES + 7);
        assert_eq!(**unwrap(&alice, Purpose::Grant, b"aad", &envelope).unwrap(), *b"payload");
        let wrong = Err(SealError::WrongIdentity);
        assert_eq!(unwrap(&bob, Purpose::Grant, b"aad", &envelope).map(|_| ()), wrong);
        assert_eq!(unwrap(&alice, Purpose::Grant, b"aaD", &envelope).map(|_| ()), wrong);
        assert_eq!(unwrap(&alice, Purpose::TitleKey, b"aad", &envelope).map(|_| ()), wrong);
    }

    #[test]
    fn a_low_order_share_is_refused() {
        let alice = Identity::random(&mut UnwrapErr(SysRng));
        let mut envelope = sealed(&alice);
        envelope[1088..1120].fill(0);
        let opened = unwrap(&alice, Purpose::Grant, b"aad", &envelope);
        assert_eq!(opened.map(|_| ()), Err(SealError::LowOrder));
    }

    #[test]
    fn a_cut_or_changed_envelope_is_refused() {
        let alice = Identity::random(&mut UnwrapErr(SysRng));
        let envelope = sealed(&alice);
        for length in [0, 1119, 1120, 1135, envelope.len() - 1] {
            assert!(unwrap(&alice, Purpose::Grant, b"aad", &envelope[..length]).is_err());
        }
        for at in [0, 600, 1100, 1125, envelope.len() - 1] {
            let mut changed = envelope.clone();
            changed[at] ^= 1;
            assert!(unwrap(&alice, Purpose::Grant, b"aad", &changed).is_err(), "flipped {at}");
        }
    }
}
