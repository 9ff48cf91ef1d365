//! Chance, as text: tokens and ids.

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::problem::Problem;

/// 256 bits that nobody guesses, in base64url.
pub(crate) fn token() -> Result<Zeroizing<String>, Problem> {
    let mut bytes = Zeroizing::new([0; 32]);
    fill(&mut *bytes)?;
    Ok(Zeroizing::new(BASE64_URL_SAFE_NO_PAD.encode(*bytes)))
}

/// A new id: 32 hex digits.
pub(crate) fn id() -> Result<String, Problem> {
    let mut bytes = [0; 16];
    fill(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Fills `bytes` by the system's generator.
pub(crate) fn fill(bytes: &mut [u8]) -> Result<(), Problem> {
    let none = |_| Problem::internal().detail("the system has no random numbers");
    getrandom::fill(bytes).map_err(none)
}

/// What is kept of a secret, and compared.
pub(crate) fn digest(secret: &str) -> [u8; 32] {
    digest_of(secret.as_bytes())
}

/// The same of bytes.
pub(crate) fn digest_of(secret: &[u8]) -> [u8; 32] {
    Sha256::digest(secret).into()
}

/// Whether a text is an id.
pub(crate) fn is_id(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}
