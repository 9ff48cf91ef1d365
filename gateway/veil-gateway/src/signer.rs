//! What a URL of an object looks like, for how long it holds, and whether one that came in was made here.
//!
//! Owns the modes of `docs/format/urls.md` and the policy of `docs/format/gateway-api.md`, "Signing": windows, life.
//! Refuses to know HTTP, playlists and files. Invariants: a URL never outlives the grant it was made for, where its mode
//! lets a URL end; it lives as long as its video plays, and longer; one window gives one text on every gateway, so that
//! caches hit.

mod credential;
mod mode;
mod settings;
mod stamp;
mod urls;

use std::sync::Arc;

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use veil_presign::cdn::{CloudFrontKey, FolderUrls, SecureLink, TimedHmac, TokenError};
use veil_presign::{
    Claim, Credentials, EXPIRES_MAX_S, Lanes, Names, Presented, PresignError, Request, SigningKey,
    VerifyError, staggered_window_start, verify,
};

use crate::hosts::Host;

pub use credential::{CredentialSource, SigningCredential};
use credential::{Keyring, Keys};
pub use mode::{CookieScope, Origin, Place, UnusableMode, UrlLife, UrlMode};
pub use settings::{Given, UrlModeName, UrlSettings, UrlSettingsError};
pub(crate) use stamp::{Purpose, Stamp};
use urls::Kind;
pub(crate) use urls::{Form, Urls};

/// The region of URLs that the gateway itself verifies.
const LOCAL_REGION: &str = "local";

/// Where the gateway serves objects.
const LOCAL_FOLDER: &str = "/o/";

/// The method that every URL is signed for; `HEAD` is answered by the same URL.
const METHOD: &str = "GET";

/// How much longer a URL holds than its video plays, in seconds: for pauses.
const MARGIN_S: u32 = 1800;

/// Signs reads of one bucket's objects in one mode, and verifies them where it is the gateway who serves.
pub struct Signer {
    mode: Mode,
    life: UrlLife,
    pub(crate) lanes: Lanes,
    /// Tells what this signer writes from what any other does, credentials aside.
    identity: [u8; 32],
}

/// [`UrlMode`] at work.
enum Mode {
    Local(Keyring),
    Presigned(Keyring, Place),
    Public(Place),
    CloudFront(CloudFrontKey, Option<CookieScope>, Place),
    SecureLink(SecureLink, Place),
    TimedHmac(TimedHmac, Place),
}

/// Why no URL was made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unsignable;

impl From<PresignError> for Unsignable {
    fn from(_: PresignError) -> Self {
        Self
    }
}

impl From<TokenError> for Unsignable {
    fn from(_: TokenError) -> Self {
        Self
    }
}

impl Signer {
    /// A signer for a mode.
    ///
    /// # Errors
    /// A mode whose place or key makes no URL.
    pub fn new(mode: UrlMode, life: UrlLife) -> Result<Self, UnusableMode> {
        let mode = match mode {
            UrlMode::Local(source) => Mode::Local(Keyring::new(source, LOCAL_REGION)),
            UrlMode::Presigned(Origin { source, region, place }) => {
                Mode::Presigned(Keyring::new(source, &region), place)
            }
            UrlMode::Public(place) => Mode::Public(place),
            UrlMode::CloudFront { key, cookies, place } => Mode::CloudFront(key, cookies, place),
            UrlMode::SecureLink { secret, place } => Mode::SecureLink(secret, place),
            UrlMode::TimedHmac { secret, place } => Mode::TimedHmac(secret, place),
        };
        let signer = Self { mode, life, lanes: Lanes::detect(), identity: [0; 32] };
        let identity = signer.identify().map_err(|_| UnusableMode)?;
        Ok(Self { identity, ..signer })
    }

    /// A signer for `local` mode with a credential that stays. Every gateway over one bucket takes the same.
    #[must_use]
    pub fn local(credentials: Credentials) -> Self {
        let mode = UrlMode::Local(SigningCredential::lasting(credentials));
        #[allow(clippy::expect_used, reason = "region and path are constants that sign")]
        Self::new(mode, UrlLife::default()).expect("local mode makes URLs")
    }

    /// What a page must be allowed to connect to, beside the gateway.
    pub(crate) fn origin(&self) -> Option<String> {
        match &self.mode {
            Mode::Local(_) => None,
            Mode::Presigned(_, place)
            | Mode::Public(place)
            | Mode::CloudFront(_, _, place)
            | Mode::SecureLink(_, place)
            | Mode::TimedHmac(_, place) => Some(place.origin()),
        }
    }

    /// Whether URLs need cookies beside them.
    pub(crate) fn has_cookies(&self) -> bool {
        matches!(self.mode, Mode::CloudFront(_, Some(_), _))
    }

    /// Hashes one URL, made for nobody at the beginning of time: whatever would make another URL makes another hash.
    fn identify(&self) -> Result<[u8; 32], Unsignable> {
        let stamp = Stamp { signed_at: Timestamp::UNIX_EPOCH, expires_s: 1, needed_s: 0 };
        let host = Host::from("host");
        let purpose = Purpose { host: &host, folder: "folder/", duration_s: 0, end: None };
        let urls = self.urls(&purpose, stamp)?;
        let names = Names::new(["name"]);
        let mut text = Vec::new();
        urls.write(self.lanes, &names, Form::Whole).push(0, &mut text);
        let mut hash = Sha256::new();
        for part in
            std::iter::once(text.as_slice()).chain(urls.cookies.iter().map(String::as_bytes))
        {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        Ok(hash.finalize().into())
    }

    /// From when to when URLs hold that are made `now`. `None` if the credential has ended and nothing has replaced it:
    /// whatever it signs is dead already.
    pub(crate) fn stamp(&self, purpose: &Purpose<'_>, now: Timestamp) -> Option<Stamp> {
        let signed_at = match self.mode {
            Mode::Public(_) => return Some(Stamp::ALWAYS),
            _ => staggered_window_start(now, self.life.window_s, purpose.folder.as_bytes()),
        };
        let credential_end = self.keys().and_then(|keys| keys.end);
        if credential_end.is_some_and(|end| end <= now) {
            return None;
        }
        let needed_s = match purpose.duration_s {
            0 => 0,
            duration_s => duration_s.saturating_add(MARGIN_S),
        };
        let wanted_s = self.life.life_s.max(needed_s).saturating_add(self.life.window_s);
        let ends = [purpose.end, credential_end];
        let left_s = ends.into_iter().flatten().map(|end| end.as_second() - signed_at.as_second());
        let left_s = left_s.min().unwrap_or(i64::MAX).max(1);
        let most_s = u32::try_from(left_s).unwrap_or(u32::MAX).min(EXPIRES_MAX_S);
        Some(Stamp { signed_at, expires_s: wanted_s.min(most_s), needed_s })
    }

    /// Adds to a cache's key whatever the text of URLs depends on.
    pub(crate) fn mark(&self, purpose: &Purpose<'_>, stamp: Stamp, hash: &mut Sha256) {
        hash.update(self.identity);
        if let Some(keys) = self.keys() {
            hash.update(keys.fingerprint);
        }
        if matches!(self.mode, Mode::Local(_)) {
            hash.update((purpose.host.0.len() as u64).to_be_bytes());
            hash.update(purpose.host.0.as_bytes());
        }
        hash.update((purpose.folder.len() as u64).to_be_bytes());
        hash.update(purpose.folder.as_bytes());
        hash.update(stamp.signed_at.as_second().to_be_bytes());
        hash.update(stamp.expires_s.to_be_bytes());
    }

    fn keys(&self) -> Option<Arc<Keys>> {
        match &self.mode {
            Mode::Local(keys) | Mode::Presigned(keys, _) => Some(keys.now()),
            _ => None,
        }
    }

    /// Prepares the URLs of a folder's objects.
    pub(crate) fn urls(&self, purpose: &Purpose<'_>, stamp: Stamp) -> Result<Urls, Unsignable> {
        let folder = |place: &Place| place.folder(purpose.folder);
        let mut cookies = Vec::new();
        let kind = match &self.mode {
            Mode::Local(keys) => {
                let path = format!("{LOCAL_FOLDER}{}", purpose.folder);
                let request = Request::get(&purpose.host.0, &path, stamp.expires_s);
                let batch = keys.now().batch(&request, stamp.signed_at)?;
                let text = batch.targets();
                Kind::Signed(Box::new(batch), text)
            }
            Mode::Presigned(keys, place) => {
                let path = folder(place);
                let request = Request::get(place.endpoint.host(), &path, stamp.expires_s);
                let batch = keys.now().batch(&request, stamp.signed_at)?;
                let text = batch.urls(place.endpoint.scheme());
                Kind::Signed(Box::new(batch), text)
            }
            Mode::Public(place) => {
                Kind::Folder(FolderUrls::public(&place.endpoint, &folder(place))?)
            }
            Mode::CloudFront(key, scope, place) => {
                let token = key.allow(&place.endpoint, &folder(place), stamp.end())?;
                match scope {
                    None => Kind::Folder(token.urls()),
                    Some(scope) => {
                        let urls = FolderUrls::public(&place.endpoint, &folder(place))?;
                        cookies = urls::set_cookies(scope, place, &urls, &token);
                        Kind::Folder(urls)
                    }
                }
            }
            Mode::SecureLink(secret, place) => {
                Kind::Folder(secret.urls(&place.endpoint, &folder(place), stamp.end())?)
            }
            Mode::TimedHmac(secret, place) => {
                Kind::Timed(secret.urls(&place.endpoint, &folder(place), stamp.signed_at)?)
            }
        };
        Ok(Urls { kind, cookies })
    }

    /// Verifies an object's URL and returns when it expires.
    pub(crate) fn verify(
        &self,
        host: &Host,
        path: &str,
        query: &str,
        now: Timestamp,
    ) -> Result<Timestamp, VerifyError> {
        let Mode::Local(keys) = &self.mode else { return Err(VerifyError::UnknownKey) };
        let credentials = &keys.now().credentials;
        let lookup = |claim: &Claim<'_>| {
            let ours = claim.access_key_id == credentials.access_key_id()
                && claim.region == LOCAL_REGION
                && claim.session_token.is_none();
            let key = SigningKey::derive(credentials, claim.signed_at, LOCAL_REGION);
            key.ok().filter(|_| ours)
        };
        verify(&Presented { method: METHOD, host: &host.0, path, query }, now, lookup)
    }
}

#[cfg(test)]
mod tests;
