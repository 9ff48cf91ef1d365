//! Secret bytes that wipe themselves.
//!
//! A [`Secret`] has no `Debug`, `Clone`, `PartialEq` or `Display`, so it can't be logged, copied by
//! accident or compared in variable time.

use rand_core::CryptoRng;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::SealError;

/// `N` secret bytes, zeroized on drop.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Secret<const N: usize>([u8; N]);

impl<const N: usize> Secret<N> {
    /// Takes ownership of the bytes; the caller wipes its own copy, if it keeps one.
    #[must_use]
    pub fn new(bytes: [u8; N]) -> Self {
        Self(bytes)
    }

    /// Draws fresh bytes.
    pub fn random(rng: &mut impl CryptoRng) -> Self {
        let mut secret = Self([0; N]);
        rng.fill_bytes(&mut secret.0);
        secret
    }

    /// Copies a slice of exactly `N` bytes.
    ///
    /// # Errors
    /// [`SealError::Malformed`] when the length differs.
    pub fn from_slice(bytes: &[u8], what: &'static str) -> Result<Self, SealError> {
        let mut secret = Self([0; N]);
        if bytes.len() != N {
            return Err(SealError::Malformed { what });
        }
        secret.0.copy_from_slice(bytes);
        Ok(secret)
    }

    /// The bytes, for the one call that needs them.
    #[must_use]
    pub fn expose(&self) -> &[u8; N] {
        &self.0
    }

    /// The bytes, to be filled in place so that no copy is left behind.
    pub(crate) fn expose_mut(&mut self) -> &mut [u8; N] {
        &mut self.0
    }

    /// Compares in constant time.
    #[must_use]
    pub fn ct_eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}
