//! CloudFront: one policy for a folder, in the query of every URL or in cookies.
//!
//! Specification: `docs/format/urls.md` (cloudfront) and the CloudFront Developer Guide, "Create a signed URL using a
//! custom policy". ECDSA on P-256: less time than RSA, and a signature of a quarter of its length.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use p256::SecretKey;
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{DerSignature, SigningKey};
use p256::pkcs8::DecodePrivateKey as _;

use super::{FolderUrls, SECRET_BYTES_MAX, TokenError, folder_url, seconds};
use crate::Endpoint;

/// Longest id of a key pair, in bytes; theirs have 14.
const ID_BYTES_MAX: usize = 128;

/// The private key of a CloudFront key pair. Zeroized on drop.
pub struct CloudFrontKey {
    id: String,
    key: SigningKey,
}

/// The right to read a folder until some time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CloudFrontToken {
    folder: String,
    id: String,
    policy: String,
    signature: String,
}

impl CloudFrontKey {
    /// Takes a key pair's id, and its private key in PEM: `PRIVATE KEY` (PKCS #8) or `EC PRIVATE KEY` (SEC 1).
    ///
    /// # Errors
    /// An id with anything but letters and digits; a key that is no P-256 key in PEM.
    pub fn from_pem(id: impl Into<String>, pem: &str) -> Result<Self, TokenError> {
        let id = id.into();
        let is_plain = id.bytes().all(|b| b.is_ascii_alphanumeric());
        if id.is_empty() || id.len() > ID_BYTES_MAX || !is_plain {
            return Err(TokenError::KeyPairId);
        }
        if pem.len() > SECRET_BYTES_MAX {
            return Err(TokenError::PrivateKey);
        }
        let key = SecretKey::from_pkcs8_pem(pem).or_else(|_| SecretKey::from_sec1_pem(pem));
        let key = key.map_err(|_| TokenError::PrivateKey)?;
        Ok(Self { id, key: key.into() })
    }

    /// Allows reading everything below `folder` until `end`.
    ///
    /// `folder` is not percent-encoded and begins and ends with a slash.
    ///
    /// # Errors
    /// Another folder; an end before 1970.
    pub fn allow(
        &self,
        endpoint: &Endpoint,
        folder: &str,
        end: Timestamp,
    ) -> Result<CloudFrontToken, TokenError> {
        let folder = folder_url(endpoint, folder)?;
        let end = seconds(end)?;
        let policy = format!(
            "{{\"Statement\":[{{\"Resource\":\"{folder}*\",\
             \"Condition\":{{\"DateLessThan\":{{\"AWS:EpochTime\":{end}}}}}}}]}}"
        );
        let signature: DerSignature = self.key.sign(policy.as_bytes());
        let (policy, signature) = (encoded(policy.as_bytes()), encoded(signature.as_bytes()));
        Ok(CloudFrontToken { folder, id: self.id.clone(), policy, signature })
    }
}

impl CloudFrontToken {
    /// URLs that carry the token in their query.
    #[must_use]
    pub fn urls(&self) -> FolderUrls {
        let Self { folder, id, policy, signature } = self;
        let after = format!(
            "?Policy={policy}&Signature={signature}&Key-Pair-Id={id}&Hash-Algorithm=SHA256"
        );
        FolderUrls { before: folder.clone(), after }
    }

    /// The cookies that carry it, names and values; URLs are then [`FolderUrls::public`].
    #[must_use]
    pub fn cookies(&self) -> [(&'static str, &str); 4] {
        [
            ("CloudFront-Policy", &self.policy),
            ("CloudFront-Signature", &self.signature),
            ("CloudFront-Key-Pair-Id", &self.id),
            ("CloudFront-Hash-Algorithm", "SHA256"),
        ]
    }
}

/// Base64 in CloudFront's alphabet, of characters that URLs and cookies take as they are.
fn encoded(bytes: &[u8]) -> String {
    let replaced = |c| match c {
        '+' => '-',
        '=' => '_',
        '/' => '~',
        other => other,
    };
    STANDARD.encode(bytes).chars().map(replaced).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_key_is_refused_and_not_repeated() {
        let check = |id: &str, pem: &str, expected| {
            assert_eq!(CloudFrontKey::from_pem(id, pem).err(), Some(expected));
        };
        for id in ["", "K 1", "K&Signature=", &"K".repeat(129)] {
            check(id, "", TokenError::KeyPairId);
        }
        let rsa = "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n";
        for pem in ["", "secret", rsa, &"x".repeat(4097)] {
            check("K1", pem, TokenError::PrivateKey);
        }
        assert!(!TokenError::PrivateKey.to_string().contains("AAAA"));
    }
}
