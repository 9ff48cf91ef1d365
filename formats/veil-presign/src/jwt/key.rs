//! The keys of tokens: a shared secret, or a key pair whose private half the gateway never has.
//!
//! Owns which algorithm a key is for. Secrets are zeroized on drop and have no `Debug`, `Clone` or `PartialEq`.

use hmac::{Hmac, KeyInit as _, Mac as _};
use p256::ecdsa::signature::{Signer as _, Verifier as _};
use p256::ecdsa::{Signature, SigningKey, VerifyingKey};
use p256::pkcs8::{DecodePrivateKey as _, DecodePublicKey as _};
use p256::{PublicKey, SecretKey};
use sha2::Sha256;

/// Shortest shared secret, in bytes (RFC 7518 §3.2): whoever holds one token can try secrets against it offline.
pub const SECRET_BYTES_MIN: usize = 32;

/// Longest secret or PEM text that is taken, in bytes.
const KEY_BYTES_MAX: usize = 4096;

const HS256: &str = "HS256";
const ES256: &str = "ES256";

/// Why a key was not taken, or a token not made. Never holds a part of a secret.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyError {
    /// The shared secret could be guessed, or is no secret at all but a file.
    #[error("the secret is shorter than 32 bytes or longer than 4096")]
    Secret,
    /// The text is no public key of P-256 in PEM.
    #[error("the key is not a public key of P-256 in PEM (PUBLIC KEY)")]
    Public,
    /// The text is no private key of P-256 in PEM.
    #[error("the key is not a private key of P-256 in PEM (PKCS #8 or SEC 1)")]
    Private,
    /// The token would be too long.
    #[error("the token would be longer than 3072 bytes")]
    Claims,
}

/// What verifies tokens.
pub struct VerifyKey(Verifying);

enum Verifying {
    Shared(Hmac<Sha256>),
    Public(Box<VerifyingKey>),
}

/// What makes tokens.
pub struct MintKey(Minting);

enum Minting {
    Shared(Hmac<Sha256>),
    Private(Box<SigningKey>),
}

impl VerifyKey {
    /// Takes the shared secret of `HS256`.
    ///
    /// # Errors
    /// Fewer than [`SECRET_BYTES_MIN`] bytes, or more than 4096.
    pub fn hs256(secret: &[u8]) -> Result<Self, KeyError> {
        Ok(Self(Verifying::Shared(keyed(secret)?)))
    }

    /// Takes the public key of `ES256`, in PEM (`PUBLIC KEY`).
    ///
    /// # Errors
    /// A text that is none of P-256.
    pub fn es256(pem: &str) -> Result<Self, KeyError> {
        if pem.len() > KEY_BYTES_MAX {
            return Err(KeyError::Public);
        }
        let key = PublicKey::from_public_key_pem(pem).map_err(|_| KeyError::Public)?;
        Ok(Self(Verifying::Public(Box::new(key.into()))))
    }

    /// The one `alg` that tokens of this key have.
    #[must_use]
    pub fn algorithm(&self) -> &'static str {
        match self.0 {
            Verifying::Shared(_) => HS256,
            Verifying::Public(_) => ES256,
        }
    }

    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match &self.0 {
            Verifying::Shared(keyed) => {
                let mut mac = keyed.clone();
                mac.update(message);
                mac.verify_slice(signature).is_ok()
            }
            Verifying::Public(key) => Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify(message, &signature).is_ok()),
        }
    }
}

impl MintKey {
    /// Takes the shared secret of `HS256`.
    ///
    /// # Errors
    /// As [`VerifyKey::hs256`].
    pub fn hs256(secret: &[u8]) -> Result<Self, KeyError> {
        Ok(Self(Minting::Shared(keyed(secret)?)))
    }

    /// Takes the private key of `ES256`, in PEM: `PRIVATE KEY` (PKCS #8) or `EC PRIVATE KEY` (SEC 1).
    ///
    /// # Errors
    /// A text that is none of P-256.
    pub fn es256(pem: &str) -> Result<Self, KeyError> {
        if pem.len() > KEY_BYTES_MAX {
            return Err(KeyError::Private);
        }
        let key = SecretKey::from_pkcs8_pem(pem).or_else(|_| SecretKey::from_sec1_pem(pem));
        let key = key.map_err(|_| KeyError::Private)?;
        Ok(Self(Minting::Private(Box::new(key.into()))))
    }

    /// The `alg` of the tokens that it makes.
    #[must_use]
    pub fn algorithm(&self) -> &'static str {
        match self.0 {
            Minting::Shared(_) => HS256,
            Minting::Private(_) => ES256,
        }
    }

    pub(super) fn sign(&self, message: &[u8]) -> Vec<u8> {
        match &self.0 {
            Minting::Shared(keyed) => {
                let mut mac = keyed.clone();
                mac.update(message);
                mac.finalize().into_bytes().to_vec()
            }
            Minting::Private(key) => {
                let signature: Signature = key.sign(message);
                signature.to_bytes().to_vec()
            }
        }
    }
}

fn keyed(secret: &[u8]) -> Result<Hmac<Sha256>, KeyError> {
    if !(SECRET_BYTES_MIN..=KEY_BYTES_MAX).contains(&secret.len()) {
        return Err(KeyError::Secret);
    }
    Hmac::new_from_slice(secret).map_err(|_| KeyError::Secret)
}
