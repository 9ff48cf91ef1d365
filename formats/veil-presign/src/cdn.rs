//! URLs that a content delivery network checks, or nobody does.
//!
//! Owns the forms of `docs/format/urls.md` beside SigV4. Refuses to know which one a bucket needs, and any clock: times are
//! arguments, and rounding them to windows is the caller's. Invariant: the same arguments give the same text, everywhere.

mod cloudfront;
mod secure_link;
mod timed_hmac;

use jiff::Timestamp;
use zeroize::Zeroizing;

use crate::url::{BASE, QUERY, variable};
use crate::{Endpoint, escape};

pub use cloudfront::{CloudFrontKey, CloudFrontToken};
pub use secure_link::SecureLink;
pub use timed_hmac::{TimedHmac, TimedHmacUrls};

/// Longest secret or key that is taken, in bytes.
const SECRET_BYTES_MAX: usize = 4096;

/// Why a token's key or arguments were not taken. Never holds a part of a secret.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenError {
    /// The key pair's id is empty or has a character that none has.
    #[error("the key pair's id is empty or has a character that none has")]
    KeyPairId,
    /// The private key is not one of P-256, in PEM.
    #[error("the private key is not one of P-256 in PEM (PKCS #8 or SEC 1)")]
    PrivateKey,
    /// The secret is empty or too long.
    #[error("the secret is empty or longer than 4096 bytes")]
    Secret,
    /// The time lies before 1970.
    #[error("the time lies before 1970")]
    Time,
    /// The folder does not begin and end with a slash.
    #[error("the folder does not begin and end with a slash")]
    Folder,
}

/// URLs of a folder that differ in the name alone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FolderUrls {
    before: String,
    after: String,
}

impl FolderUrls {
    /// URLs without a signature: a bucket's public domain. `folder` as in [`CloudFrontKey::allow`].
    ///
    /// # Errors
    /// A folder that does not begin and end with a slash.
    pub fn public(endpoint: &Endpoint, folder: &str) -> Result<Self, TokenError> {
        Ok(Self { before: folder_url(endpoint, folder)?, after: String::new() })
    }

    /// The same URLs with variables for what repeats, as [`crate::UrlText::compact`] has them, and what they stand for.
    #[must_use]
    pub fn compact(self) -> (Vec<(&'static str, String)>, Self) {
        let after = if self.after.is_empty() { String::new() } else { variable(QUERY) };
        let values = [(BASE, self.before), (QUERY, self.after)];
        let used = values.into_iter().filter(|(_, value)| !value.is_empty()).collect();
        (used, Self { before: variable(BASE), after })
    }

    /// Appends the URL of a name, which is encoded as [`crate::Names::get`] gives it.
    #[inline]
    pub fn push(&self, name: &str, out: &mut Vec<u8>) {
        out.extend_from_slice(self.before.as_bytes());
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(self.after.as_bytes());
    }
}

/// The URL of a folder, percent-encoded.
fn folder_url(endpoint: &Endpoint, folder: &str) -> Result<String, TokenError> {
    check_folder(folder)?;
    let mut url = format!("{}://{}", endpoint.scheme(), endpoint.host());
    escape::path(folder, &mut url);
    Ok(url)
}

fn check_folder(folder: &str) -> Result<(), TokenError> {
    if folder.starts_with('/') && folder.ends_with('/') { Ok(()) } else { Err(TokenError::Folder) }
}

fn check_secret(secret: String) -> Result<Zeroizing<String>, TokenError> {
    let secret = Zeroizing::new(secret);
    if secret.is_empty() || secret.len() > SECRET_BYTES_MAX {
        return Err(TokenError::Secret);
    }
    Ok(secret)
}

fn seconds(time: Timestamp) -> Result<u64, TokenError> {
    u64::try_from(time.as_second()).map_err(|_| TokenError::Time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_put_in_give_the_same_url() {
        for after in ["", "?a=b"] {
            let urls = FolderUrls { before: "https://a/t/".into(), after: after.into() };
            let text = |urls: &FolderUrls| {
                let mut out = Vec::new();
                urls.push("n", &mut out);
                String::from_utf8(out).unwrap()
            };
            let (variables, compact) = urls.clone().compact();
            let mut written = text(&compact);
            assert!(written.starts_with("{$veil-base}n"), "{written}");
            for (name, value) in variables {
                written = written.replace(&format!("{{${name}}}"), &value);
            }
            assert_eq!(written, text(&urls));
        }
    }

    #[test]
    fn a_public_url_is_the_domain_and_the_encoded_key() {
        let endpoint = Endpoint::parse("https://Media.example.org/").unwrap();
        let urls = FolderUrls::public(&endpoint, "/t/a b/").unwrap();
        let mut out = Vec::new();
        urls.push("c%20d", &mut out);
        assert_eq!(out, b"https://media.example.org/t/a%20b/c%20d");
        for folder in ["", "t/", "/t"] {
            assert_eq!(FolderUrls::public(&endpoint, folder), Err(TokenError::Folder));
        }
    }
}
