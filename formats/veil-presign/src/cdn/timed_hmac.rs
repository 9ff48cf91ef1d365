//! Cloudflare's `is_timed_hmac_valid_v0`: a token for each URL, in its query.
//!
//! Specification: `docs/format/urls.md` (timed-hmac) and Cloudflare's documentation, "Configure token authentication". How
//! long a token holds is said by the rule that checks it, not by the token.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use sha2::Sha256;
use zeroize::Zeroizing;

use super::{TokenError, check_secret, folder_url, seconds};
use crate::{Endpoint, escape};

/// The secret that the rule has too. Zeroized on drop.
pub struct TimedHmac {
    secret: Zeroizing<String>,
}

/// URLs of a folder, each with its token.
pub struct TimedHmacUrls {
    /// The keyed state, before the folder.
    keyed: Hmac<Sha256>,
    folder_url: String,
    /// Where the path begins in `folder_url`.
    path_at: usize,
    issued: String,
}

impl TimedHmac {
    /// Takes the secret.
    ///
    /// # Errors
    /// One that is empty or longer than 4096 bytes.
    pub fn new(secret: String) -> Result<Self, TokenError> {
        Ok(Self { secret: check_secret(secret)? })
    }

    /// Prepares URLs of `folder`, issued at `issued`. `folder` is not percent-encoded and begins and ends with a slash.
    ///
    /// # Errors
    /// Another folder; a time before 1970.
    pub fn urls(
        &self,
        endpoint: &Endpoint,
        folder: &str,
        issued: Timestamp,
    ) -> Result<TimedHmacUrls, TokenError> {
        let folder_url = folder_url(endpoint, folder)?;
        let path_at = endpoint.scheme().len() + "://".len() + endpoint.host().len();
        #[allow(clippy::expect_used, reason = "HMAC takes a key of any length")]
        let keyed = Hmac::new_from_slice(self.secret.as_bytes()).expect("a key of any length");
        Ok(TimedHmacUrls { keyed, folder_url, path_at, issued: seconds(issued)?.to_string() })
    }
}

impl TimedHmacUrls {
    /// Appends the URL of a name, which is encoded as [`crate::Names::get`] gives it.
    pub fn push(&self, name: &str, out: &mut Vec<u8>) {
        let mut mac = self.keyed.clone();
        mac.update(&self.folder_url.as_bytes()[self.path_at..]);
        mac.update(name.as_bytes());
        mac.update(self.issued.as_bytes());
        let mut token = String::new();
        escape::query(&STANDARD.encode(mac.finalize().into_bytes()), &mut token);
        for part in [&self.folder_url, name, "?verify=", &self.issued, "-", &token] {
            out.extend_from_slice(part.as_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(secret: &str, folder: &str, name: &str, issued_s: i64) -> String {
        let endpoint = Endpoint::parse("https://foo.com").unwrap();
        let issued = Timestamp::from_second(issued_s).unwrap();
        let secret = TimedHmac::new(secret.to_owned()).unwrap();
        let mut out = Vec::new();
        secret.urls(&endpoint, folder, issued).unwrap().push(name, &mut out);
        String::from_utf8(out).unwrap()
    }

    /// Another implementation's test has this token for the documentation's path, time and secret.
    #[test]
    fn the_path_of_the_documentation_has_the_token_that_others_give_it() {
        assert_eq!(
            url("mysecrettoken", "/images/", "cat.jpg", 1_484_063_787),
            "https://foo.com/images/cat.jpg?verify=1484063787-\
             XsZ5NmtNBxOd4f4fBOtqVmpWRnDRNkHKVZieqDPKu3U%3D"
        );
    }

    #[test]
    fn the_tokens_of_other_paths_times_and_secrets_differ() {
        let token = |url: String| url.rsplit_once('-').unwrap().1.to_owned();
        let one = token(url("a", "/t/", "n", 1));
        for other in [
            url("b", "/t/", "n", 1),
            url("a", "/u/", "n", 1),
            url("a", "/t/", "m", 1),
            url("a", "/t/", "n", 2),
        ] {
            assert_ne!(token(other), one);
        }
    }

    #[test]
    fn the_path_is_signed_as_it_stands_in_the_url() {
        let odd = url("a", "/é /", "n", 1);
        assert!(odd.starts_with("https://foo.com/%C3%A9%20/n?verify=1-"), "{odd}");
        assert_eq!(TimedHmac::new(String::new()).err(), Some(TokenError::Secret));
    }
}
