//! The store's credential: it reads the bucket, and signs URLs for who reads it elsewhere.
//!
//! Owns which credential is in force, and until when; one that a platform gives is replaced when half of its life is
//! over, and the old one stays in force until there is a new one. Refuses to know how a platform gives one
//! (`bucket/platform.rs`). Invariant: what signs has an end that is known, or none.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use object_store::CredentialProvider;
use object_store::aws::AwsCredential;
use tokio::sync::Mutex;
use veil_presign::Credentials;

use super::platform::{Platform, Unfetched};
use crate::gateway::Clock;
use crate::signer::{CredentialSource, SigningCredential};

/// How long before its end a credential is no longer used for reading: a request may take that long.
const LAST: SignedDuration = SignedDuration::from_secs(30);

/// How often a platform is asked at most.
const RENEW_PAUSE: Duration = Duration::from_secs(20);

/// What reads a store and signs for it. Clones are one.
#[derive(Clone)]
pub struct StoreCredential(Arc<Held>);

struct Held {
    platform: Option<Platform>,
    clock: Clock,
    current: RwLock<Option<Current>>,
    renewing: Mutex<()>,
}

/// A credential in force.
#[derive(Clone)]
struct Current {
    signs: SigningCredential,
    reads: Arc<AwsCredential>,
    begin: Timestamp,
}

impl Current {
    fn new(credentials: Credentials, end: Option<Timestamp>, begin: Timestamp) -> Self {
        let reads = AwsCredential {
            key_id: credentials.access_key_id().to_owned(),
            secret_key: credentials.secret_access_key().to_owned(),
            token: credentials.session_token().map(str::to_owned),
        };
        let signs = SigningCredential { credentials: Arc::new(credentials), end };
        Self { signs, reads: Arc::new(reads), begin }
    }

    /// When another one is asked for; never, for one that stays.
    fn due(&self) -> Option<Timestamp> {
        let end = self.signs.end?;
        let half_s = (end.as_second() - self.begin.as_second()) / 2;
        Timestamp::from_second(self.begin.as_second() + half_s).ok()
    }

    fn reads_at(&self, now: Timestamp) -> bool {
        self.signs.end.is_none_or(|end| now < end - LAST)
    }
}

impl StoreCredential {
    /// A credential that was given and isn't replaced; `end` is when the store stops accepting it, as far as that is known.
    #[must_use]
    pub fn given(credentials: Credentials, end: Option<Timestamp>, clock: Clock) -> Self {
        let current = Current::new(credentials, end, clock());
        Self::new(None, clock, Some(current))
    }

    /// Whatever credential a platform gives. None was asked for yet.
    #[must_use]
    pub fn of(platform: Platform, clock: Clock) -> Self {
        Self::new(Some(platform), clock, None)
    }

    fn new(platform: Option<Platform>, clock: Clock, current: Option<Current>) -> Self {
        let current = RwLock::new(current);
        Self(Arc::new(Held { platform, clock, current, renewing: Mutex::new(()) }))
    }

    fn current(&self) -> Option<Current> {
        self.0.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What signs URLs with it. `None` where none was fetched yet, or it ends nobody knows when: its URLs would die in the
    /// middle of a film.
    #[must_use]
    pub fn source(&self) -> Option<CredentialSource> {
        let first = self.current()?.signs;
        if first.credentials.session_token().is_some() && first.end.is_none() {
            return None;
        }
        let this = self.clone();
        Some(Arc::new(move || this.current().map_or_else(|| first.clone(), |it| it.signs)))
    }

    /// Asks the platform for a credential if half of the last one's life is over.
    ///
    /// # Errors
    /// The platform gives none.
    pub async fn renew(&self) -> Result<(), Unfetched> {
        let Some(platform) = &self.0.platform else { return Ok(()) };
        let _renewing = self.0.renewing.lock().await;
        let now = (self.0.clock)();
        // Who waited for another's renewal finds it done.
        if self.current().is_some_and(|current| current.due().is_none_or(|due| now < due)) {
            return Ok(());
        }
        let (credentials, end) = platform.fetch().await?;
        let fresh = Current::new(credentials, Some(end), now);
        *self.0.current.write().unwrap_or_else(PoisonError::into_inner) = Some(fresh);
        Ok(())
    }

    /// Keeps it in force for as long as the process lives.
    pub async fn keep(self) {
        let mut is_failing = false;
        while self.0.platform.is_some() {
            let now = (self.0.clock)();
            let due = self.current().and_then(|current| current.due()).unwrap_or(now);
            let wait = Duration::try_from(due.duration_since(now)).unwrap_or_default();
            tokio::time::sleep(wait.max(RENEW_PAUSE)).await;
            let renewed = self.renew().await;
            match &renewed {
                Err(error) if !is_failing => {
                    tracing::warn!(%error, "the store's credential is not renewed; the last one is used until it ends");
                }
                Ok(()) if is_failing => tracing::info!("the store's credential is renewed again"),
                _ => {}
            }
            is_failing = renewed.is_err();
        }
    }
}

impl fmt::Debug for StoreCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StoreCredential")
    }
}

#[async_trait]
impl CredentialProvider for StoreCredential {
    type Credential = AwsCredential;

    async fn get_credential(&self) -> object_store::Result<Arc<AwsCredential>> {
        let usable = || {
            let now = (self.0.clock)();
            let current = self.current().filter(|it| self.0.platform.is_none() || it.reads_at(now));
            current.map(|current| current.reads)
        };
        if let Some(reads) = usable() {
            return Ok(reads);
        }
        let failed = |source: Unfetched| object_store::Error::Generic {
            store: "the platform's credentials",
            source: source.into(),
        };
        self.renew().await.map_err(failed)?;
        usable().ok_or_else(|| failed(Unfetched::Ended))
    }
}

#[cfg(test)]
mod tests;
