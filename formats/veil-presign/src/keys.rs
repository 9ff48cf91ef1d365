//! The signing keys of the days that are being signed for, and the moments that URLs are dated with.
//!
//! Owns which keys are kept: a URL is dated with the start of its window, which may lie before midnight, and clocks step
//! back, so two days' keys are at hand. Refuses to read a clock. Invariant: a key signs for its own day alone, whatever
//! was asked for before.

use std::sync::Arc;

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use crate::{Credentials, PresignError, SigningKey, window_start};

/// Days whose keys are kept.
const DAY_COUNT: usize = 2;

/// One credential's signing keys for one region. Zeroized on drop.
pub struct SigningKeys {
    credentials: Arc<Credentials>,
    region: String,
    /// Those of the last days asked for, latest first.
    keys: Vec<SigningKey>,
}

impl SigningKeys {
    /// Keys of `credentials` in `region`; none is derived before it is asked for.
    #[must_use]
    pub fn new(credentials: impl Into<Arc<Credentials>>, region: impl Into<String>) -> Self {
        let credentials = credentials.into();
        Self { credentials, region: region.into(), keys: Vec::with_capacity(DAY_COUNT) }
    }

    /// The key for the UTC day of `time`, derived if it isn't at hand.
    ///
    /// # Errors
    /// As [`SigningKey::derive`].
    pub fn covering(&mut self, time: Timestamp) -> Result<&SigningKey, PresignError> {
        let at = match self.keys.iter().position(|key| key.covers(time)) {
            Some(at) => at,
            None => {
                let key = SigningKey::derive(&self.credentials, time, &self.region)?;
                self.keys.truncate(DAY_COUNT - 1);
                self.keys.insert(0, key);
                0
            }
        };
        Ok(&self.keys[at])
    }
}

/// The start of the window that `now` lies in, where each `salt` (a title's id) has windows of its own.
///
/// As [`window_start`], but not all titles' URLs change in the same second: the windows of a salt begin later by a part
/// of `window_s` that its SHA-256 gives.
#[must_use]
pub fn staggered_window_start(now: Timestamp, window_s: u32, salt: &[u8]) -> Timestamp {
    let [a, b, c, d, ..] = <[u8; 32]>::from(Sha256::digest(salt));
    let later_s = i64::from(u32::from_be_bytes([a, b, c, d]) % window_s.max(1));
    let moved = |time: Timestamp, by_s: i64| Timestamp::from_second(time.as_second() + by_s);
    let Ok(earlier) = moved(now, -later_s) else { return now };
    moved(window_start(earlier, window_s), later_s).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Claim, Presented, Request, VerifyError, presign, verify};

    const WINDOW_S: u32 = 1800;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn keys(id: &str) -> SigningKeys {
        SigningKeys::new(Credentials::new(id, format!("secret-of-{id}")).unwrap(), "auto")
    }

    #[test]
    fn over_midnight_and_back_each_day_has_its_own_key() {
        let mut keys = keys("a");
        for now in [
            "2026-11-20T23:59:59Z",
            "2026-11-21T00:00:00Z",
            "2026-11-20T23:59:59Z",
            "2026-11-22T00:00:00Z",
            "2026-11-20T00:00:00Z",
        ] {
            let key = keys.covering(at(now)).unwrap();
            assert_eq!(key.scope[..8], now.replace('-', "")[..8]);
            assert!(keys.keys.len() <= DAY_COUNT);
        }
    }

    #[test]
    fn todays_and_yesterdays_keys_are_not_derived_again() {
        let mut keys = keys("a");
        let days = [at("2026-11-20T23:59:59Z"), at("2026-11-21T00:00:00Z")];
        for day in days {
            keys.covering(day).unwrap();
        }
        let kept: Vec<*const SigningKey> =
            days.map(|day| std::ptr::from_ref(keys.covering(day).unwrap())).to_vec();
        let again: Vec<*const SigningKey> =
            days.map(|day| std::ptr::from_ref(keys.covering(day).unwrap())).to_vec();
        assert_eq!(kept, again);
    }

    #[test]
    fn a_window_that_began_before_midnight_is_signed_with_yesterdays_key_until_it_ends() {
        let salt = (0..100u8).find(|salt| {
            let start = staggered_window_start(at("2026-11-21T00:00:00Z"), WINDOW_S, &[*salt]);
            start < at("2026-11-21T00:00:00Z")
        });
        let salt = [salt.unwrap()];
        let start = staggered_window_start(at("2026-11-21T00:00:00Z"), WINDOW_S, &salt);
        let mut keys = keys("a");
        let url = |keys: &mut SigningKeys, now: Timestamp| {
            let signed_at = staggered_window_start(now, WINDOW_S, &salt);
            let key = keys.covering(signed_at).unwrap();
            presign(key, &Request::get("h", "/o", 16_200), signed_at).unwrap()
        };
        let before = url(&mut keys, at("2026-11-20T23:59:59Z"));
        let after = url(&mut keys, at("2026-11-21T00:00:00Z"));
        assert_eq!(before, after);
        assert!(after.contains("%2F20261120%2F"), "{after}");
        let later = start + jiff::SignedDuration::from_secs(WINDOW_S.into());
        assert!(url(&mut keys, later).contains("%2F20261121%2F"));
        // A clock that is set back gives the window's URL again.
        assert_eq!(url(&mut keys, at("2026-11-20T23:59:00Z")), before);
    }

    #[test]
    fn a_rotated_credential_opens_what_it_signed_until_it_is_taken_out() {
        let now = at("2026-11-20T10:00:00Z");
        let mut old = keys("old");
        let target =
            presign(old.covering(now).unwrap(), &Request::get("h", "/o", 60), now).unwrap();
        let (path, query) = target.split_once('?').unwrap();
        let presented = Presented { method: "GET", host: "h", path, query };
        let known = |ids: &'static [&'static str]| {
            verify(&presented, now, move |claim: &Claim<'_>| {
                let id = ids.iter().find(|id| **id == claim.access_key_id)?;
                let credentials = Credentials::new(*id, format!("secret-of-{id}")).ok()?;
                SigningKey::derive(&credentials, claim.signed_at, claim.region).ok()
            })
        };
        assert_eq!(known(&["new", "old"]), Ok(at("2026-11-20T10:01:00Z")));
        assert_eq!(known(&["new"]), Err(VerifyError::UnknownKey));
    }

    #[test]
    fn titles_change_their_urls_at_different_seconds() {
        let now = at("2026-11-20T10:16:02.5Z");
        let starts: std::collections::BTreeSet<Timestamp> =
            (0..50u8).map(|salt| staggered_window_start(now, WINDOW_S, &[salt])).collect();
        assert!(starts.len() > 40, "{}", starts.len());
        assert_eq!(staggered_window_start(now, 0, b"x"), at("2026-11-20T10:16:02Z"));
    }

    proptest! {
        #[test]
        fn a_window_is_never_ahead_never_older_than_itself_and_one_text_long(
            second in 0..4_000_000_000i64,
            salt in any::<[u8; 16]>(),
            window_s in 1..=86_400u32,
        ) {
            let now = Timestamp::from_second(second).unwrap();
            let start = staggered_window_start(now, window_s, &salt);
            let age_s = now.as_second() - start.as_second();
            prop_assert!((0..i64::from(window_s)).contains(&age_s), "{age_s}");
            prop_assert_eq!(staggered_window_start(start, window_s, &salt), start);
            let last = Timestamp::from_second(start.as_second() + i64::from(window_s) - 1).unwrap();
            prop_assert_eq!(staggered_window_start(last, window_s, &salt), start);
        }
    }
}
