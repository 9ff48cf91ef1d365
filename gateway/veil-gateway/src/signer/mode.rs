//! The modes of URLs, as values: where objects are reached and who checks.
//!
//! Owns what a mode consists of (`docs/format/urls.md`). Refuses to sign, and to know where secrets lie: they come as
//! values.

use veil_presign::cdn::{CloudFrontKey, SecureLink, TimedHmac};
use veil_presign::{Endpoint, PlaceError, S3Place, folder_path};

use super::CredentialSource;

/// When URLs change, and how long they hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UrlLife {
    /// URLs are dated with the beginning of a window of so many seconds, at most 86,400, so that they repeat. Default
    /// 1800. For a store that refuses dates of some minutes ago: 0, and nothing repeats.
    pub window_s: u32,
    /// How long a URL holds at least, in seconds, 60 to 518,400. Default 14,400. Videos that play longer get longer ones,
    /// up to seven days.
    pub life_s: u32,
}

impl Default for UrlLife {
    fn default() -> Self {
        Self { window_s: 1800, life_s: 14_400 }
    }
}

/// Where a bucket's objects are reached: a host, and what stands before a key in the path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub(super) endpoint: Endpoint,
    /// Not percent-encoded, with a slash at both ends.
    folder: String,
}

/// A store that takes presigned URLs: where its objects are reached, and what signs for it.
///
/// Whoever sees a URL can try secrets against it offline, and what could be found is the credential's: one that may read
/// and nothing else is best.
#[derive(Clone)]
pub struct Origin {
    /// Signs.
    pub source: CredentialSource,
    /// The store's region.
    pub region: String,
    /// The store, and the bucket.
    pub place: Place,
}

impl Origin {
    /// The store of a bucket.
    #[must_use]
    pub fn new(bucket: &S3Place, source: CredentialSource) -> Self {
        let address = bucket.address();
        let place = Place { endpoint: address.endpoint, folder: address.folder };
        Self { source, region: address.region, place }
    }
}

/// What a URL of an object is, and who checks it (`docs/format/urls.md`).
#[non_exhaustive]
pub enum UrlMode {
    /// The gateway serves objects, and checks its own SigV4.
    Local(CredentialSource),
    /// The store checks SigV4.
    Presigned(Origin),
    /// Nobody checks: objects are sealed.
    Public(Place),
    /// CloudFront checks a policy for a folder, in every URL's query or in cookies.
    CloudFront {
        /// Signs.
        key: CloudFrontKey,
        /// The cookies, if it is cookies.
        cookies: Option<CookieScope>,
        /// The distribution.
        place: Place,
    },
    /// nginx checks a token for a folder, in the path.
    SecureLink {
        /// What nginx has too.
        secret: SecureLink,
        /// The server.
        place: Place,
    },
    /// Cloudflare checks a token in every URL. Its rule says how long it holds: [`UrlLife`] and a window at least.
    TimedHmac {
        /// What the rule has too.
        secret: TimedHmac,
        /// The domain.
        place: Place,
    },
}

/// Who sends the cookies of CloudFront.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CookieScope {
    /// The cookies' `Domain`; without, the gateway's own host alone, which CloudFront then stands before.
    pub domain: Option<String>,
}

/// A mode that makes no URL: its region, host or key is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the URL mode's region, endpoint or key makes no URL")]
pub struct UnusableMode;

impl Place {
    /// A bucket of an S3 store, in path style.
    ///
    /// # Errors
    /// A bucket or prefix that no URL can hold; see [`folder_path`].
    pub fn bucket(endpoint: Endpoint, bucket: &str, prefix: &str) -> Result<Self, PlaceError> {
        Ok(Self { endpoint, folder: folder_path(bucket, prefix)? })
    }

    /// A domain that gives the bucket's objects by their keys, below `prefix` (which may be empty).
    ///
    /// # Errors
    /// A prefix that no URL can hold.
    pub fn domain(endpoint: Endpoint, prefix: &str) -> Result<Self, PlaceError> {
        // The rules of a prefix are those of one in a bucket.
        let folder = folder_path("b", prefix)?.split_off("/b".len());
        Ok(Self { endpoint, folder })
    }

    /// What a page must be allowed to connect to.
    pub(super) fn origin(&self) -> String {
        format!("{}://{}", self.endpoint.scheme(), self.endpoint.host())
    }

    pub(super) fn folder(&self, folder: &str) -> String {
        format!("{}{folder}", self.folder)
    }
}
