//! Links: a secret in a URL's fragment, and the two values that it gives.
//!
//! Specification: `docs/format/link.md`. The bearer is for the gateway and opens nothing; the
//! identity never leaves the player.

use aws_lc_rs::digest::{SHA256, digest};
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use rand_core::CryptoRng;
use zeroize::{Zeroize, Zeroizing};

use crate::SealError;
use crate::derive::expand_key;
use crate::id::GrantId;
use crate::identity::Identity;
use crate::secret::Secret;

const BEARER: &[u8] = b"veilcast/link/bearer/v1";
const IDENTITY: &[u8] = b"veilcast/link/identity/v1";

/// The 32 bytes after the `#` of a link.
pub struct LinkSecret(Secret<32>);

/// What is shown to the gateway.
pub struct Bearer(Secret<32>);

impl LinkSecret {
    /// Draws a fresh secret.
    pub fn random(rng: &mut impl CryptoRng) -> Self {
        Self(Secret::random(rng))
    }

    /// Reads the fragment of a link.
    ///
    /// # Errors
    /// [`SealError::Malformed`] unless it is 32 bytes in base64url.
    pub fn parse(fragment: &str) -> Result<Self, SealError> {
        const WHAT: &str = "the link's secret";
        let malformed = |_| SealError::Malformed { what: WHAT };
        let mut bytes = BASE64_URL_SAFE_NO_PAD.decode(fragment).map_err(malformed)?;
        let secret = Secret::from_slice(&bytes, WHAT).map(Self);
        bytes.zeroize();
        secret
    }

    /// The token that opens the gateway's door for this grant.
    #[must_use]
    pub fn bearer(&self) -> Bearer {
        Bearer(expand_key(&self.0, &[BEARER]))
    }

    /// The identity that opens the envelope of a grant of kind `link`.
    #[must_use]
    pub fn identity(&self) -> Identity {
        Identity::from_seed(expand_key(&self.0, &[IDENTITY]))
    }

    /// The whole link below `base`, for example `https://host`. It is a secret.
    #[must_use]
    pub fn to_link(&self, base: &str, grant: GrantId) -> Zeroizing<String> {
        Zeroizing::new(format!("{}/w/{grant}#{}", base.trim_end_matches('/'), *self.to_text()))
    }

    /// The whole link to an exported page at `page`, whose host learns nothing of it. It is a secret.
    #[must_use]
    pub fn to_page_link(&self, page: &str, grant: GrantId) -> Zeroizing<String> {
        Zeroizing::new(format!("{}/w/#{grant}.{}", page.trim_end_matches('/'), *self.to_text()))
    }

    fn to_text(&self) -> Zeroizing<String> {
        Zeroizing::new(BASE64_URL_SAFE_NO_PAD.encode(self.0.expose()))
    }
}

impl Bearer {
    /// SHA-256 of the bearer: what the grant's record holds.
    #[must_use]
    pub fn sha256(&self) -> [u8; 32] {
        let mut hash = [0; 32];
        hash.copy_from_slice(digest(&SHA256, self.0.expose()).as_ref());
        hash
    }

    /// The value of `Authorization: Bearer`.
    #[must_use]
    pub fn to_text(&self) -> Zeroizing<String> {
        Zeroizing::new(BASE64_URL_SAFE_NO_PAD.encode(self.0.expose()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_carries_its_secret_in_the_fragment() {
        let secret = LinkSecret(Secret::new([0xfb; 32]));
        let link = secret.to_link("https://veil.example/", GrantId([1; 16]));
        let (before, fragment) = link.split_once('#').unwrap();
        assert_eq!(before, "https://veil.example/w/01010101010101010101010101010101");
        assert!(LinkSecret::parse(fragment).unwrap().0.ct_eq(&secret.0));
    }

    #[test]
    fn a_link_to_a_page_carries_all_of_it_in_the_fragment() {
        let secret = LinkSecret(Secret::new([0xfb; 32]));
        let link = secret.to_page_link("https://films.example/ours/", GrantId([1; 16]));
        let (before, fragment) = link.split_once('#').unwrap();
        assert_eq!(before, "https://films.example/ours/w/");
        let (grant, text) = fragment.split_once('.').unwrap();
        assert_eq!(grant, "01010101010101010101010101010101");
        assert!(LinkSecret::parse(text).unwrap().0.ct_eq(&secret.0));
    }

    #[test]
    fn a_cut_fragment_is_refused() {
        let whole = BASE64_URL_SAFE_NO_PAD.encode([5; 32]);
        assert!(LinkSecret::parse(&whole).is_ok());
        for fragment in ["", &whole[1..], "not base64!", &format!("{whole}A")] {
            assert!(LinkSecret::parse(fragment).is_err(), "{fragment}");
        }
    }
}
