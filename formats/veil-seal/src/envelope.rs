//! Envelopes: HPKE (RFC 9180) base mode with X-Wing, HKDF-SHA256 and AES-256-GCM.
//!
//! Specification: `docs/format/envelope.md`. An envelope whose X25519 share is of low order is
//! refused before its secret is used: `hpke` alone would accept it.

use hpke::aead::AesGcm256;
use hpke::kdf::HkdfSha256;
use hpke::kem::XWing;
use hpke::{Deserializable, Kem, OpModeR, OpModeS, Serializable};
use rand_core::CryptoRng;
use x_wing::{CIPHERTEXT_SIZE, Ciphertext, DecapsulationKeyRejectNonContrib, TryDecapsulate};
use zeroize::Zeroizing;

use crate::SealError;
use crate::identity::{Identity, Recipient};

/// Bytes that an envelope adds to its payload: the encapsulated key and a tag.
pub const OVERHEAD_BYTES: usize = CIPHERTEXT_SIZE + 16;
/// The largest payload that is wrapped or unwrapped.
pub const MAX_PAYLOAD_BYTES: usize = 1 << 20;

/// What an envelope is for; each purpose has its own HPKE `info`, so one can't be passed off as
/// another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Purpose {
    /// A viewer's grant.
    Grant,
    /// The key of a sealed file.
    FileKey,
    /// A title key at rest in the studio's catalogue.
    TitleKey,
}

impl Purpose {
    fn info(self) -> &'static [u8] {
        match self {
            Self::Grant => b"veilcast/grant/v1",
            Self::FileKey => b"veilcast/file-key/v1",
            Self::TitleKey => b"veilcast/title-key/v1",
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
    refuse_low_order(identity, enc)?;
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

fn refuse_low_order(identity: &Identity, enc: &[u8]) -> Result<(), SealError> {
    let enc = Ciphertext::try_from(enc).map_err(|_| SealError::Truncated)?;
    let key = DecapsulationKeyRejectNonContrib::from(*identity.seed().expose());
    key.try_decapsulate(&enc).map(drop).map_err(|_| SealError::LowOrder)
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
