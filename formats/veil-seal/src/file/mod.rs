//! Sealed files: a keyring in front, a Cobblestone-256 body behind.
//!
//! Specification: `docs/format/sealed-file.md`. Knows nothing of files on a disk: the caller reads, writes, syncs and renames.

use rand_core::CryptoRng;

use crate::derive::expand_key;
use crate::secret::Secret;

mod half;
mod keyring;
mod passphrase;

pub use half::{MAX_HALF_BYTES, MAX_RECIPIENTS, MIN_HALF_BYTES};
pub use keyring::{Change, Header, Patch, Summary, Unlocked, new_header};
pub use passphrase::{Cost, MAX_PASSPHRASE_BYTES, Passphrase};

/// The context of every body.
pub const BODY_CONTEXT: &[u8] = b"veilcast/file/body/v1";

/// Bytes at the start of a file that tell how long its keyring is.
pub const PREFIX_BYTES: usize = half::PREFIX_BYTES;

const BODY_KEY: &[u8] = b"veilcast/file/body-key/v1";
const DIRECTORY_KEY: &[u8] = b"veilcast/file/directory-key/v1";

/// The key of one sealed file: whoever holds it can open the file and change its recipients.
pub struct FileKey(Secret<32>);

impl FileKey {
    /// Draws a fresh file key.
    pub fn random(rng: &mut impl CryptoRng) -> Self {
        Self(Secret::random(rng))
    }

    /// The key of the body.
    #[must_use]
    pub fn body_key(&self) -> Secret<32> {
        expand_key(&self.0, &[BODY_KEY])
    }

    fn directory_key(&self) -> Secret<32> {
        expand_key(&self.0, &[DIRECTORY_KEY])
    }

    fn secret(&self) -> &Secret<32> {
        &self.0
    }
}

#[cfg(test)]
mod tests;
