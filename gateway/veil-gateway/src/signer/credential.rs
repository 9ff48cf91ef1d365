//! The credential that signs now, and its keys.
//!
//! Owns noticing that a credential was rotated: the source is asked for each request, and what was computed from the last
//! one is thrown away when it gives another. Invariant: keys are in memory only, of two days at most, and zeroized.

use std::sync::{Arc, Mutex, PoisonError, RwLock};

use jiff::Timestamp;
use veil_presign::{Batch, Credentials, PresignError, Request, SigningKeys};

/// A credential, and when it ends if it is a temporary one.
#[derive(Clone)]
pub struct SigningCredential {
    /// The credential.
    pub credentials: Arc<Credentials>,
    /// When the store stops accepting what it signed.
    pub end: Option<Timestamp>,
}

/// Gives the credential that signs now. It is asked for every request, so it answers from memory; giving the same [`Arc`]
/// means that nothing changed.
pub type CredentialSource = Arc<dyn Fn() -> SigningCredential + Send + Sync>;

impl SigningCredential {
    /// A source of one credential that stays.
    #[must_use]
    pub fn lasting(credentials: Credentials) -> CredentialSource {
        Self::until(credentials, None)
    }

    /// A source of one credential that the store accepts until `end`.
    #[must_use]
    pub fn until(credentials: Credentials, end: Option<Timestamp>) -> CredentialSource {
        let credential = Self { credentials: Arc::new(credentials), end };
        Arc::new(move || credential.clone())
    }
}

/// The keys of whatever credential signs now.
pub(super) struct Keyring {
    source: CredentialSource,
    region: String,
    current: RwLock<Arc<Keys>>,
}

/// One credential's keys.
pub(super) struct Keys {
    pub(super) credentials: Arc<Credentials>,
    /// Tells it from any other in the names of cached texts.
    pub(super) fingerprint: [u8; 16],
    pub(super) end: Option<Timestamp>,
    keys: Mutex<SigningKeys>,
}

impl Keyring {
    pub(super) fn new(source: CredentialSource, region: &str) -> Self {
        let current = RwLock::new(Arc::new(Keys::new(source(), region)));
        Self { source, region: region.to_owned(), current }
    }

    /// The keys of the credential that signs now.
    pub(super) fn now(&self) -> Arc<Keys> {
        let credential = (self.source)();
        let is_known = |keys: &Keys| {
            Arc::ptr_eq(&keys.credentials, &credential.credentials) && keys.end == credential.end
        };
        let current = Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner));
        if is_known(&current) {
            return current;
        }
        let fresh = Arc::new(Keys::new(credential, &self.region));
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&fresh);
        fresh
    }
}

impl Keys {
    fn new(credential: SigningCredential, region: &str) -> Self {
        let SigningCredential { credentials, end } = credential;
        let keys = Mutex::new(SigningKeys::new(Arc::clone(&credentials), region));
        Self { fingerprint: credentials.fingerprint(), credentials, end, keys }
    }

    /// Prepares to sign at `signed_at`.
    pub(super) fn batch(
        &self,
        shared: &Request<'_>,
        signed_at: Timestamp,
    ) -> Result<Batch, PresignError> {
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        Batch::new(keys.covering(signed_at)?, shared, signed_at)
    }
}
