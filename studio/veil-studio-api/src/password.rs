//! The password of a studio that others reach.
//!
//! Owns: its stretching by Argon2id (RFC 9106) with the parameters that OWASP names as the least. Refuses to know: where it comes from.

use argon2::{Algorithm, Argon2, Params, Version};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use crate::problem::Problem;
use crate::random;

/// Memory in KiB, passes and lanes.
const MEMORY_KIB: u32 = 19 << 10;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// The shortest and the longest, in bytes.
const BYTES: std::ops::RangeInclusive<usize> = 8..=1024;

/// A stretched password.
pub struct Password {
    salt: [u8; 16],
    stretched: Zeroizing<[u8; 32]>,
}

/// What is no password.
#[derive(Debug, thiserror::Error)]
#[error("a password has 8 to 1024 bytes")]
pub struct NoPassword;

impl Password {
    /// Stretches a password, under a salt of its own.
    ///
    /// # Errors
    /// [`NoPassword`] for one that is too short or too long.
    pub fn new(text: &Zeroizing<String>) -> Result<Self, NoPassword> {
        if !BYTES.contains(&text.len()) {
            return Err(NoPassword);
        }
        let mut salt = [0; 16];
        random::fill(&mut salt).map_err(|_| NoPassword)?;
        let stretched = stretch(text, &salt).ok_or(NoPassword)?;
        Ok(Self { salt, stretched })
    }

    /// Whether `text` is it. Takes tens of milliseconds, on a thread of its own.
    pub(crate) async fn is(&self, text: Zeroizing<String>) -> Result<bool, Problem> {
        if !BYTES.contains(&text.len()) {
            return Ok(false);
        }
        let salt = self.salt;
        let stretched = tokio::task::spawn_blocking(move || stretch(&text, &salt)).await;
        let stretched = stretched.ok().flatten().ok_or(Problem::internal())?;
        Ok(stretched.ct_eq(&*self.stretched).into())
    }
}

fn stretch(text: &str, salt: &[u8; 16]) -> Option<Zeroizing<[u8; 32]>> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, Some(32)).ok()?;
    let mut out = Zeroizing::new([0; 32]);
    let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    argon.hash_password_into(text.as_bytes(), salt, &mut *out).ok()?;
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_is_itself_and_nothing_else() {
        let text = |text: &str| Zeroizing::new(text.to_owned());
        let password = Password::new(&text("correct horse")).unwrap();
        assert!(password.is(text("correct horse")).await.unwrap());
        for wrong in ["", "correct hors", "correct horse "] {
            assert!(!password.is(text(wrong)).await.unwrap(), "{wrong}");
        }
        assert!(Password::new(&text("short")).is_err());
    }
}
