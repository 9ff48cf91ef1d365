//! The studio's identity, and title keys at rest sealed to it.
//!
//! Specification: `docs/format/envelope.md`. The identity is a file of its own, so that the
//! catalogue can be backed up without the power to open anything.

use getrandom::SysRng;
use rand_core::{CryptoRng, UnwrapErr};
use veil_seal::SealError;
use veil_seal::envelope::{self, Purpose};
use veil_seal::id::TitleId;
use veil_seal::identity::Identity;
use veil_seal::schedule::TitleKey;
use veil_seal::secret::Secret;

use crate::StudioError;
use crate::data::{self, DataDir};

/// The one source of keys: the operating system. It panics only where the system has no generator.
pub(crate) fn os_rng() -> impl CryptoRng {
    UnwrapErr(SysRng)
}

/// Seals and unseals title keys.
pub struct Keystore {
    identity: Identity,
}

impl Keystore {
    /// Opens the studio's identity, and makes one where there is none.
    ///
    /// # Errors
    /// [`StudioError::File`], [`StudioError::FileMode`] when others may read it, or
    /// [`StudioError::Seal`] when it is malformed.
    pub fn open(data: &DataDir) -> Result<Self, StudioError> {
        let path = data.identity();
        if data::read_secret(&path)?.is_none() {
            let identity = Identity::random(&mut os_rng());
            let text = identity.to_text();
            let note = "# The studio's identity. Whoever has it can open every title key.\n";
            data::create_secret(&path, &format!("{note}{}\n", *text))?;
        }
        let text = data::read_secret(&path)?;
        let text = text.ok_or(SealError::Malformed { what: "the studio's identity" })?;
        Ok(Self { identity: Identity::parse(&text)? })
    }

    /// Seals a title key for the catalogue.
    ///
    /// # Errors
    /// [`StudioError::Seal`], which a valid identity never gives.
    pub fn seal(&self, title: TitleId, epoch: u32, key: &TitleKey) -> Result<Vec<u8>, StudioError> {
        let (recipient, aad) = (self.identity.recipient(), aad(title, epoch));
        let key = key.secret().expose();
        Ok(envelope::wrap(&recipient, Purpose::TitleKey, &aad, key, &mut os_rng())?)
    }

    /// Unseals a title key from the catalogue.
    ///
    /// # Errors
    /// [`StudioError::Seal`] when it was sealed to another identity, or belongs to another title.
    pub fn unseal(
        &self,
        title: TitleId,
        epoch: u32,
        sealed: &[u8],
    ) -> Result<TitleKey, StudioError> {
        let aad = aad(title, epoch);
        let key = envelope::unwrap(&self.identity, Purpose::TitleKey, &aad, sealed)?;
        Ok(TitleKey::new(Secret::from_slice(&key, "the title key")?))
    }
}

fn aad(title: TitleId, epoch: u32) -> [u8; 20] {
    let mut aad = [0; 20];
    aad[..16].copy_from_slice(&title.0);
    aad[16..].copy_from_slice(&epoch.to_be_bytes());
    aad
}
