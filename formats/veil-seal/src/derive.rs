//! HKDF-Expand with SHA-512 (RFC 5869 §2.3), the one derivation of the key schedule.

use aws_lc_rs::hkdf::{HKDF_SHA512, KeyType, Prk};

use crate::secret::Secret;

struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

/// Derives a key by [`expand_sha512`], where it will stay: no copy of it is left on the stack.
pub(crate) fn expand_key(prk: &Secret<32>, info: &[&[u8]]) -> Secret<32> {
    let mut key = Secret::new([0; 32]);
    expand_sha512(prk.expose(), info, key.expose_mut());
    key
}

/// Fills `okm` with `HKDF-Expand-SHA512(prk, info[0] ‖ info[1] ‖ …)`.
///
/// `prk` must be uniformly random (RFC 5869 §3.3). The lengths used in this crate are constants
/// below 255·64 bytes and keys of 32 bytes, which RFC 5869 and the provider always accept.
///
/// # Panics
/// When `okm` is longer than 16,320 bytes; no caller passes such a length.
#[allow(clippy::expect_used, reason = "output lengths are constants below the limit of RFC 5869")]
pub fn expand_sha512(prk: &[u8; 32], info: &[&[u8]], okm: &mut [u8]) {
    let prk = Prk::new_less_safe(HKDF_SHA512, prk);
    let filled = prk.expand(info, Length(okm.len())).and_then(|out| out.fill(okm));
    filled.expect("an HKDF output of at most 16,320 bytes");
}
