//! nginx's `secure_link`: one token for a folder, in the path.
//!
//! Specification: `docs/format/urls.md` (secure-link) and the documentation of `ngx_http_secure_link_module`. MD5 is
//! nginx's choice; what that means is said there.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use md5::{Digest as _, Md5};
use zeroize::Zeroizing;

use super::{FolderUrls, TokenError, check_folder, check_secret, folder_url, seconds};
use crate::Endpoint;

/// The secret that nginx has too. Zeroized on drop.
pub struct SecureLink {
    secret: Zeroizing<String>,
}

impl SecureLink {
    /// Takes the secret.
    ///
    /// # Errors
    /// One that is empty or longer than 4096 bytes.
    pub fn new(secret: String) -> Result<Self, TokenError> {
        Ok(Self { secret: check_secret(secret)? })
    }

    /// URLs for everything in `folder` until `end`. `folder` is not percent-encoded and begins and ends with a slash.
    ///
    /// # Errors
    /// Another folder; an end before 1970.
    pub fn urls(
        &self,
        endpoint: &Endpoint,
        folder: &str,
        end: Timestamp,
    ) -> Result<FolderUrls, TokenError> {
        check_folder(folder)?;
        let end = seconds(end)?;
        let signed = format!("/s/{}/{end}{folder}", self.token(folder, end));
        Ok(FolderUrls { before: folder_url(endpoint, &signed)?, after: String::new() })
    }

    /// What nginx computes of `"$secure_link_expires$folder SECRET"`.
    fn token(&self, folder: &str, end: u64) -> String {
        let mut hash = Md5::new();
        hash.update(format!("{end}{folder} "));
        hash.update(self.secret.as_bytes());
        URL_SAFE_NO_PAD.encode(hash.finalize())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of nginx's documentation: its `/s/link` and the client's address take the folder's place.
    #[test]
    fn the_example_of_the_documentation_has_its_token() {
        let link = SecureLink::new("secret".to_owned()).unwrap();
        assert_eq!(link.token("/s/link127.0.0.1", 2_147_483_647), "_e4Nc3iduzkWRm01TBBNYw");
    }

    #[test]
    fn the_token_stands_before_the_folder_and_changes_with_all_that_it_is_for() {
        let endpoint = Endpoint::parse("https://cdn.example.org").unwrap();
        let url = |secret: &str, folder: &str, end: &str| {
            let link = SecureLink::new(secret.to_owned()).unwrap();
            let urls = link.urls(&endpoint, folder, end.parse().unwrap()).unwrap();
            let mut out = Vec::new();
            urls.push("n", &mut out);
            String::from_utf8(out).unwrap()
        };
        let one = url("a", "/t/b c/", "2026-11-20T14:30:00Z");
        assert!(one.starts_with("https://cdn.example.org/s/"), "{one}");
        assert!(one.ends_with("/1795185000/t/b%20c/n"), "{one}");
        let token = |url: &str| url.split('/').nth(4).unwrap().to_owned();
        for other in [
            url("b", "/t/b c/", "2026-11-20T14:30:00Z"),
            url("a", "/t/b/", "2026-11-20T14:30:00Z"),
            url("a", "/t/b c/", "2026-11-20T15:00:00Z"),
        ] {
            assert_ne!(token(&other), token(&one));
        }
    }

    #[test]
    fn a_secret_folder_or_time_that_makes_no_token_is_refused() {
        for secret in [String::new(), "s".repeat(4097)] {
            assert_eq!(SecureLink::new(secret).err(), Some(TokenError::Secret));
        }
        let link = SecureLink::new("s".to_owned()).unwrap();
        let endpoint = Endpoint::parse("https://cdn.example.org").unwrap();
        let refused = |folder: &str, end: &str, expected| {
            assert_eq!(link.urls(&endpoint, folder, end.parse().unwrap()), Err(expected));
        };
        refused("t/", "2026-11-20T14:30:00Z", TokenError::Folder);
        refused("/t/", "1969-12-31T23:59:59Z", TokenError::Time);
    }
}
