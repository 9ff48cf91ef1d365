//! Signing and verifying the URLs of `local` mode.
//!
//! Owns the policy of `docs/format/gateway-api.md`, "Signing": region, window, life. Refuses to know
//! HTTP. Invariants: a URL never outlives the grant it was made for, and one window gives one text, so
//! that caches hit.

use std::fmt::Write as _;

use jiff::Timestamp;
use veil_presign::{
    Batch, Claim, Credentials, Lanes, Presented, PresignError, Request, SigningKey, VerifyError,
    verify, window_start,
};

use crate::hosts::Host;
use crate::names::TitleId;

/// The region of URLs that the gateway itself verifies.
const REGION: &str = "local";

/// The signing date is rounded down to this, in seconds.
const WINDOW_S: u32 = 1800;

/// How long a URL lives at least, in seconds: longer than nearly every playback.
const LIFE_MIN_S: u32 = 14_400;

/// The method that every URL is signed for; `HEAD` is answered by the same URL.
const METHOD: &str = "GET";

/// Signs reads of this gateway's objects, and verifies them.
pub struct Signer {
    credentials: Credentials,
    pub(crate) lanes: Lanes,
}

impl Signer {
    /// A signer for `local` mode. Every gateway over one bucket takes the same credential.
    #[must_use]
    pub fn local(credentials: Credentials) -> Self {
        Self { credentials, lanes: Lanes::detect() }
    }

    /// Prepares to sign many objects of one title, for one host, until `grant_end` at the latest.
    pub(crate) fn batch(
        &self,
        host: &Host,
        title: &TitleId,
        now: Timestamp,
        grant_end: Option<Timestamp>,
    ) -> Result<Batch, PresignError> {
        let signed_at = window_start(now, WINDOW_S);
        let key = SigningKey::derive(&self.credentials, signed_at, REGION)?;
        let left_s = grant_end.map_or(i64::MAX, |end| end.as_second() - signed_at.as_second());
        let expires_s = u32::try_from(left_s).unwrap_or(u32::MAX).min(LIFE_MIN_S + WINDOW_S);
        let mut path = String::from("/o/t/");
        let _ = write!(path, "{}/", title.as_str());
        Batch::new(&key, &Request::get(&host.0, &path, expires_s), signed_at)
    }

    /// Verifies an object's URL and returns when it expires.
    pub(crate) fn verify(
        &self,
        host: &Host,
        path: &str,
        query: &str,
        now: Timestamp,
    ) -> Result<Timestamp, VerifyError> {
        let lookup = |claim: &Claim<'_>| {
            let ours = claim.access_key_id == self.credentials.access_key_id()
                && claim.region == REGION
                && claim.session_token.is_none();
            let key = SigningKey::derive(&self.credentials, claim.signed_at, REGION);
            key.ok().filter(|_| ours)
        };
        verify(&Presented { method: METHOD, host: &host.0, path, query }, now, lookup)
    }
}

#[cfg(test)]
mod tests {
    use veil_presign::Names;

    use super::*;
    use crate::names::Id;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn target(now: &str, grant_end: Option<&str>) -> String {
        let secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned();
        let signer = Signer::local(Credentials::new("AKIATEST", secret).unwrap());
        let title = Id::parse("00112233445566778899aabbccddeeff").unwrap();
        let host = Host("127.0.0.1:8787".to_owned());
        let end = grant_end.map(at);
        let batch = signer.batch(&host, &title, at(now), end).unwrap();
        let names = Names::new(["ffeeddccbbaa99887766554433221100"]);
        let mut out = Vec::new();
        batch.targets().push(names.get(0), &batch.sign(signer.lanes, &names)[0], &mut out);
        let target = String::from_utf8(out).unwrap();
        let (path, query) = target.split_once('?').unwrap();
        signer.verify(&host, path, query, at(now)).unwrap();
        target
    }

    #[test]
    fn one_window_gives_one_url_and_the_next_window_another() {
        let first = target("2026-11-20T10:00:00Z", None);
        assert!(first.contains("&X-Amz-Date=20261120T100000Z&X-Amz-Expires=16200&"), "{first}");
        assert_eq!(target("2026-11-20T10:29:59Z", None), first);
        assert_ne!(target("2026-11-20T10:30:00Z", None), first);
    }

    #[test]
    fn a_url_ends_with_its_grant() {
        let url = target("2026-11-20T10:10:00Z", Some("2026-11-20T10:10:01Z"));
        assert!(url.contains("&X-Amz-Expires=601&"), "{url}");
        let url = target("2026-11-20T10:10:00Z", Some("2026-12-20T10:10:00Z"));
        assert!(url.contains("&X-Amz-Expires=16200&"), "{url}");
    }

    #[test]
    fn a_window_that_began_before_midnight_is_signed_with_its_own_days_key() {
        let url = target("2026-11-21T00:00:00Z", None);
        assert!(url.contains("%2F20261121%2Flocal%2Fs3%2F"), "{url}");
        let url = target("2026-11-20T23:59:59Z", None);
        assert!(url.contains("%2F20261120%2Flocal%2Fs3%2F"), "{url}");
    }
}
