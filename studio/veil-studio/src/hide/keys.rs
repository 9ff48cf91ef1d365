//! Who can find a message, and who can open it.
//!
//! Owns: what each combination of passphrase, key file, recipients and identity means (decision 55). Refuses to know: where secrets come from.

use veil_seal::file::{Header, Passphrase, Unlocked};
use veil_seal::hidden::{COST, Finder};
use veil_seal::identity::{Identity, Recipient};
use zeroize::Zeroizing;

use super::HideError;

/// A secret that says where a message lies.
pub enum StructuralSecret {
    /// What a person types.
    Passphrase(Passphrase),
    /// The bytes of a key file, 32 at least, as good as random.
    KeyFile(Zeroizing<Vec<u8>>),
}

/// What a message is hidden with.
pub struct HideKeys {
    pub(super) finder: Finder,
    pub(super) recipients: Vec<Recipient>,
    pub(super) passphrase: Option<Passphrase>,
}

/// What a message is looked for with.
pub struct RevealKeys {
    pub(super) finder: Finder,
    identities: Vec<Identity>,
    passphrase: Option<Passphrase>,
}

impl HideKeys {
    /// With recipients, they alone can open, and the secret only says where. Without, whoever has the secret can. One recipient and no secret:
    /// the recipient's public key says where.
    ///
    /// # Errors
    /// [`HideError::Keys`] where nothing says where; [`HideError::Seal`] for a key file that is too short.
    pub fn new(
        secret: Option<StructuralSecret>,
        recipients: Vec<Recipient>,
    ) -> Result<Self, HideError> {
        match secret {
            Some(StructuralSecret::Passphrase(passphrase)) => {
                let finder = Finder::of_passphrase(&passphrase)?;
                let passphrase = recipients.is_empty().then_some(passphrase);
                Ok(Self { finder, recipients, passphrase })
            }
            Some(StructuralSecret::KeyFile(bytes)) => {
                let (finder, identity) = Finder::of_key_file(&bytes)?;
                let own = recipients.is_empty().then(|| identity.recipient());
                let recipients = recipients.into_iter().chain(own).collect();
                Ok(Self { finder, recipients, passphrase: None })
            }
            None => match recipients.as_slice() {
                [] => Err(HideError::Keys("nobody could find or open the message")),
                [one] => {
                    let finder = Finder::of_recipient(one);
                    Ok(Self { finder, recipients, passphrase: None })
                }
                _ => Err(HideError::Keys(
                    "several recipients have no secret in common that says where the message lies",
                )),
            },
        }
    }
}

impl RevealKeys {
    /// A passphrase or key file, an identity, or both.
    ///
    /// # Errors
    /// [`HideError::Keys`] without either; [`HideError::Seal`] for a key file that is too short.
    pub fn new(
        secret: Option<StructuralSecret>,
        identity: Option<Identity>,
    ) -> Result<Self, HideError> {
        match (secret, identity) {
            (Some(StructuralSecret::Passphrase(passphrase)), identity) => Ok(Self {
                finder: Finder::of_passphrase(&passphrase)?,
                identities: identity.into_iter().collect(),
                passphrase: Some(passphrase),
            }),
            (Some(StructuralSecret::KeyFile(bytes)), identity) => {
                let (finder, own) = Finder::of_key_file(&bytes)?;
                let identities = identity.into_iter().chain([own]).collect();
                Ok(Self { finder, identities, passphrase: None })
            }
            (None, Some(identity)) => Ok(Self {
                finder: Finder::of_recipient(&identity.recipient()),
                identities: vec![identity],
                passphrase: None,
            }),
            (None, None) => Err(HideError::Keys("nothing says where the message lies")),
        }
    }

    /// Opens a keyring, if it is one of these keys'. Whatever comes of it, a passphrase is stretched exactly once: how long it takes tells
    /// nothing about why it failed.
    pub(super) fn unlock(&self, header: Option<&Header>) -> Option<Unlocked> {
        let stretches = |header: &&Header| header.summary().passphrase == Some(COST);
        let locked = header.filter(stretches);
        if let (Some(passphrase), None) = (&self.passphrase, locked) {
            let _ = Finder::of_passphrase(passphrase);
        }
        let passphrase = self.passphrase.as_ref().filter(|_| locked.is_some());
        header?.unlock(&self.identities, passphrase).ok()
    }
}
