//! The two halves of an S3 credential, and the session token of a temporary one.
//!
//! Owns how a secret lies in memory: zeroized on drop, without `Debug`, `Clone` or `PartialEq`.
//! Refuses to know where credentials come from.

use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// Longest access key id, secret or session token that is taken, in bytes: AWS's longest session
/// tokens are about 2 KiB, and every one of these is copied into each URL or hashed for each day.
const FIELD_BYTES_MAX: usize = 4096;

/// An S3 credential: an access key id, its secret, and a session token when it is temporary.
pub struct Credentials {
    pub(crate) access_key_id: String,
    pub(crate) secret_access_key: Zeroizing<String>,
    pub(crate) session_token: Option<Zeroizing<String>>,
}

/// Why a credential was not taken. Never holds a part of it.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum CredentialsError {
    /// The named field is empty.
    #[error("the {0} is empty")]
    Empty(&'static str),
    /// The named field is longer than anything that a store hands out.
    #[error("the {0} is longer than 4096 bytes")]
    TooLong(&'static str),
    /// The named field holds white space, a control character or, for the id, a slash.
    #[error("the {0} holds a character that credentials never have")]
    BadCharacter(&'static str),
}

impl Credentials {
    /// Takes an access key id and its secret.
    ///
    /// # Errors
    /// An empty or oversized field, or one with white space or control characters (a pasted line end
    /// is the usual cause): each would give signatures that no store accepts.
    pub fn new(
        access_key_id: impl Into<String>,
        secret_access_key: String,
    ) -> Result<Self, CredentialsError> {
        let access_key_id = access_key_id.into();
        let secret_access_key = Zeroizing::new(secret_access_key);
        check("access key id", &access_key_id)?;
        check("secret access key", &secret_access_key)?;
        if access_key_id.contains('/') {
            return Err(CredentialsError::BadCharacter("access key id"));
        }
        Ok(Self { access_key_id, secret_access_key, session_token: None })
    }

    /// Adds the session token of temporary credentials.
    ///
    /// # Errors
    /// As [`Credentials::new`].
    pub fn with_session_token(mut self, token: String) -> Result<Self, CredentialsError> {
        let token = Zeroizing::new(token);
        check("session token", &token)?;
        self.session_token = Some(token);
        Ok(self)
    }

    /// Tells this credential from any other: a truncated SHA-256 of all its parts.
    ///
    /// For caches: what two credentials sign differs, even where their ids are the same.
    #[must_use]
    pub fn fingerprint(&self) -> [u8; 16] {
        let token = self.session_token.as_ref().map_or("", |token| token.as_str());
        let mut hash = Sha256::new();
        hash.update(b"veilcast/credential/v1");
        for part in [&self.access_key_id, self.secret_access_key.as_str(), token] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
        let mut fingerprint = [0; 16];
        fingerprint.copy_from_slice(&hash.finalize()[..16]);
        fingerprint
    }

    /// The access key id, which is no secret: it stands in every URL.
    #[must_use]
    pub fn access_key_id(&self) -> &str {
        &self.access_key_id
    }

    /// The secret, for a client of the store that signs by itself.
    #[must_use]
    pub fn secret_access_key(&self) -> &str {
        &self.secret_access_key
    }

    /// The session token of a temporary credential.
    #[must_use]
    pub fn session_token(&self) -> Option<&str> {
        self.session_token.as_ref().map(|token| token.as_str())
    }
}

fn check(name: &'static str, value: &str) -> Result<(), CredentialsError> {
    if value.is_empty() {
        return Err(CredentialsError::Empty(name));
    }
    if value.len() > FIELD_BYTES_MAX {
        return Err(CredentialsError::TooLong(name));
    }
    if value.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err(CredentialsError::BadCharacter(name));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(id: &str, secret: &str, expected: CredentialsError) {
        assert_eq!(Credentials::new(id, secret.to_owned()).err(), Some(expected));
    }

    #[test]
    fn fields_that_no_store_hands_out_are_refused() {
        check("", "secret", CredentialsError::Empty("access key id"));
        check("id", "", CredentialsError::Empty("secret access key"));
        check("id", "secret\n", CredentialsError::BadCharacter("secret access key"));
        check("i/d", "secret", CredentialsError::BadCharacter("access key id"));
        check("id", &"s".repeat(4097), CredentialsError::TooLong("secret access key"));
        let token = Credentials::new("id", "secret".to_owned()).unwrap();
        let token = token.with_session_token(String::new()).err();
        assert_eq!(token, Some(CredentialsError::Empty("session token")));
    }

    #[test]
    fn every_part_of_a_credential_shows_in_its_fingerprint() {
        let of = |id: &str, secret: &str| Credentials::new(id, secret.to_owned()).unwrap();
        let one = of("ab", "cd").fingerprint();
        assert_eq!(of("ab", "cd").fingerprint(), one);
        for other in [of("a", "bcd"), of("ab", "ce"), of("abc", "d")] {
            assert_ne!(other.fingerprint(), one);
        }
        let token = of("ab", "cd").with_session_token("e".to_owned()).unwrap();
        assert_ne!(token.fingerprint(), one);
    }
}
