//! Collections: an epoch key that opens the title keys of everything shared as one.
//!
//! Specification: `docs/format/collection.md`. Knows nothing of who is in a collection or what:
//! that is the studio's. Invariant: a wrapped title key opens under one epoch key, for one
//! collection, epoch and title.

use rand_core::CryptoRng;
use zeroize::Zeroizing;

use crate::SealError;
use crate::chunks::{self, HEADER_BYTES, SALT_BYTES, TAG_BYTES};
use crate::envelope::{self, Purpose};
use crate::id::{CollectionId, ID_BYTES, KeyId, TitleId};
use crate::identity::{Identity, Recipient};
use crate::schedule::TitleKey;
use crate::secret::Secret;

/// Bytes of a wrapped title key.
pub const WRAPPED_BYTES: usize = HEADER_BYTES + 32 + TAG_BYTES;

const LABEL: &[u8; 28] = b"veilcast/collection-title/v1";
const CONTEXT_BYTES: usize = LABEL.len() + 1 + ID_BYTES + 4 + ID_BYTES;
const AAD_BYTES: usize = ID_BYTES + 4 + ID_BYTES;

/// A collection at one of its epochs.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct CollectionEpoch {
    /// The collection.
    pub collection: CollectionId,
    /// The epoch, from 1.
    pub epoch: u32,
}

impl CollectionEpoch {
    /// What binds an envelope to its place: `collection id ‖ epoch ‖ recipient key id`.
    #[must_use]
    pub fn aad(&self, recipient: KeyId) -> [u8; AAD_BYTES] {
        let mut aad = [0; AAD_BYTES];
        aad[..16].copy_from_slice(&self.collection.0);
        aad[16..20].copy_from_slice(&self.epoch.to_be_bytes());
        aad[20..].copy_from_slice(&recipient.0);
        aad
    }

    /// What binds a wrapped title key to its place.
    fn context(&self, title: TitleId) -> [u8; CONTEXT_BYTES] {
        let mut context = [0; CONTEXT_BYTES];
        context[..28].copy_from_slice(LABEL);
        context[29..45].copy_from_slice(&self.collection.0);
        context[45..49].copy_from_slice(&self.epoch.to_be_bytes());
        context[49..].copy_from_slice(&title.0);
        context
    }
}

/// The key of one epoch: whoever holds it can open every title key that is wrapped in that epoch.
pub struct EpochKey {
    of: CollectionEpoch,
    secret: Secret<32>,
}

impl EpochKey {
    /// Draws a fresh key for an epoch.
    pub fn random(of: CollectionEpoch, rng: &mut impl CryptoRng) -> Self {
        Self { of, secret: Secret::random(rng) }
    }

    /// Wraps bytes that were kept.
    #[must_use]
    pub fn new(of: CollectionEpoch, secret: Secret<32>) -> Self {
        Self { of, secret }
    }

    /// The bytes, to be kept.
    #[must_use]
    pub fn secret(&self) -> &Secret<32> {
        &self.secret
    }

    /// Shares the collection: the epoch key in an envelope for one recipient.
    ///
    /// # Errors
    /// [`SealError::Malformed`] when the recipient's key is none.
    pub fn share(
        &self,
        recipient: &Recipient,
        rng: &mut impl CryptoRng,
    ) -> Result<Vec<u8>, SealError> {
        let aad = self.of.aad(recipient.key_id());
        envelope::wrap(recipient, Purpose::Collection, &aad, self.secret.expose(), rng)
    }

    /// Opens the envelope in which an epoch key was shared with the recipient of this identity.
    ///
    /// # Errors
    /// Those of [`envelope::unwrap`], and [`SealError::Malformed`] when what is inside is no key.
    pub fn open(
        of: CollectionEpoch,
        identity: &Identity,
        envelope: &[u8],
    ) -> Result<Self, SealError> {
        let aad = of.aad(identity.key_id());
        let key = envelope::unwrap(identity, Purpose::Collection, &aad, envelope)?;
        Ok(Self { of, secret: Secret::from_slice(&key, "the epoch key")? })
    }

    /// Wraps the key of a title, which makes it a member in this epoch: [`WRAPPED_BYTES`].
    ///
    /// # Errors
    /// None that a key can meet: [`SealError::TooLarge`] is that of any sealed bytes.
    pub fn wrap(
        &self,
        title: TitleId,
        key: &TitleKey,
        rng: &mut impl CryptoRng,
    ) -> Result<Vec<u8>, SealError> {
        let mut salt = [0; SALT_BYTES];
        rng.fill_bytes(&mut salt);
        chunks::seal(&self.secret, &self.of.context(title), &salt, key.secret().expose())
    }

    /// Unwraps the key of a title.
    ///
    /// # Errors
    /// [`SealError::Malformed`] when it isn't [`WRAPPED_BYTES`] long, [`SealError::WrongKey`] when
    /// it was wrapped in another collection or epoch or for another title, [`SealError::Tampered`]
    /// when it was changed.
    pub fn unwrap(&self, title: TitleId, wrapped: &[u8]) -> Result<TitleKey, SealError> {
        const WHAT: &str = "the wrapped title key";
        if wrapped.len() != WRAPPED_BYTES {
            return Err(SealError::Malformed { what: WHAT });
        }
        let key = chunks::open(&self.secret, &self.of.context(title), wrapped)?;
        Ok(TitleKey::new(Secret::from_slice(&Zeroizing::new(key), WHAT)?))
    }
}

#[cfg(test)]
mod tests {
    use getrandom::SysRng;
    use rand_core::UnwrapErr;

    use super::*;

    const FIRST: CollectionEpoch = CollectionEpoch { collection: CollectionId([1; 16]), epoch: 1 };
    const TITLE: TitleId = TitleId([2; 16]);

    fn rng() -> impl CryptoRng {
        UnwrapErr(SysRng)
    }

    fn title_key() -> TitleKey {
        TitleKey::new(Secret::new([9; 32]))
    }

    #[test]
    fn one_envelope_gives_every_title_of_the_epoch() {
        let viewer = Identity::random(&mut rng());
        let recipient = viewer.recipient();
        let key = EpochKey::random(FIRST, &mut rng());
        let envelope = key.share(&recipient, &mut rng()).unwrap();
        assert_eq!(envelope.len(), envelope::OVERHEAD_BYTES + 32);
        let shared = EpochKey::open(FIRST, &viewer, &envelope).unwrap();
        for title in [[3; 16], [4; 16]].map(TitleId) {
            let wrapped = key.wrap(title, &title_key(), &mut rng()).unwrap();
            assert_eq!(wrapped.len(), WRAPPED_BYTES);
            let unwrapped = shared.unwrap(title, &wrapped).unwrap();
            assert!(unwrapped.secret().ct_eq(title_key().secret()));
        }
    }

    #[test]
    fn an_envelope_of_another_epoch_collection_or_recipient_is_refused() {
        let viewer = Identity::random(&mut rng());
        let recipient = viewer.recipient();
        let envelope = EpochKey::random(FIRST, &mut rng()).share(&recipient, &mut rng()).unwrap();
        let second = CollectionEpoch { epoch: 2, ..FIRST };
        let other = CollectionEpoch { collection: CollectionId([7; 16]), ..FIRST };
        let stranger = Identity::random(&mut rng());
        for (of, identity) in [(second, &viewer), (other, &viewer), (FIRST, &stranger)] {
            let opened = EpochKey::open(of, identity, &envelope).map(drop);
            assert_eq!(opened, Err(SealError::WrongIdentity));
        }
    }

    #[test]
    fn a_rotated_collection_opens_with_its_new_key_alone() {
        let second = CollectionEpoch { epoch: 2, ..FIRST };
        let (old, new) =
            (EpochKey::random(FIRST, &mut rng()), EpochKey::random(second, &mut rng()));
        let before = old.wrap(TITLE, &title_key(), &mut rng()).unwrap();
        let kept = old.unwrap(TITLE, &before).unwrap();
        let after = new.wrap(TITLE, &kept, &mut rng()).unwrap();
        assert!(new.unwrap(TITLE, &after).is_ok());
        assert_eq!(old.unwrap(TITLE, &after).map(drop), Err(SealError::WrongKey));
        assert_eq!(new.unwrap(TITLE, &before).map(drop), Err(SealError::WrongKey));
        // The number alone is bound as well: the same secret at another epoch opens nothing.
        let renumbered = EpochKey::new(second, Secret::new(*old.secret().expose()));
        assert_eq!(renumbered.unwrap(TITLE, &before).map(drop), Err(SealError::WrongKey));
    }

    #[test]
    fn a_wrapped_key_that_was_moved_cut_or_changed_is_refused() {
        let key = EpochKey::random(FIRST, &mut rng());
        let wrapped = key.wrap(TITLE, &title_key(), &mut rng()).unwrap();
        let moved = key.unwrap(TitleId([7; 16]), &wrapped).map(drop);
        assert_eq!(moved, Err(SealError::WrongKey));
        for length in 0..WRAPPED_BYTES {
            let cut = key.unwrap(TITLE, &wrapped[..length]).map(drop);
            assert_eq!(cut, Err(SealError::Malformed { what: "the wrapped title key" }));
        }
        for at in 0..WRAPPED_BYTES {
            let mut changed = wrapped.clone();
            changed[at] ^= 1;
            assert!(key.unwrap(TITLE, &changed).is_err(), "flipped {at}");
        }
    }
}
