//! The credential scope: which day, region and service a signature is for, and the key of it.
//!
//! Owns the derivation of the signing key and the text forms of dates. A [`SigningKey`] signs for
//! one UTC day only; whoever signs over midnight derives a second one. Refuses to read a clock.

use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::{Timestamp, civil::DateTime, tz::Offset};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::{Credentials, PresignError};

/// The longest life of a presigned URL, in seconds: seven days, by the rules of SigV4.
pub const EXPIRES_MAX_S: u32 = 604_800;

/// The algorithm's name, as it stands in the query and opens the string to sign.
pub(crate) const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// What every credential scope ends in.
pub(crate) const TERMINATOR: &str = "aws4_request";

/// The service of every URL that this crate makes; the AWS test suite uses another.
pub(crate) const SERVICE: &str = "s3";

/// Longest region name, in bytes; AWS's longest is 14, stores of one's own choose freely.
const REGION_BYTES_MAX: usize = 64;

/// The key that signs for one credential, UTC day, region and service.
///
/// Zeroized on drop. Derive it once a day and keep it in memory only.
pub struct SigningKey {
    key: Zeroizing<[u8; 32]>,
    pub(crate) access_key_id: String,
    pub(crate) session_token: Option<Zeroizing<String>>,
    /// `20261120/auto/s3/aws4_request`
    pub(crate) scope: String,
}

impl SigningKey {
    /// Derives the key for the UTC day of `now` in `region`, for service `s3`.
    ///
    /// # Errors
    /// A region that is empty, longer than 64 bytes or not made of letters, digits, `-`, `_`, `.`;
    /// a day outside the years 1970 to 9999.
    pub fn derive(
        credentials: &Credentials,
        now: Timestamp,
        region: &str,
    ) -> Result<Self, PresignError> {
        Self::derive_for_service(credentials, now, region, SERVICE)
    }

    pub(crate) fn derive_for_service(
        credentials: &Credentials,
        now: Timestamp,
        region: &str,
        service: &str,
    ) -> Result<Self, PresignError> {
        if !is_region(region) {
            return Err(PresignError::Region);
        }
        let date = amz_date(now)?;
        let day = &date[..8];
        let secret = Zeroizing::new(format!("AWS4{}", credentials.secret_access_key.as_str()));
        let mut key = hmac(secret.as_bytes(), day.as_bytes());
        for part in [region, service, TERMINATOR] {
            key = hmac(key.as_slice(), part.as_bytes());
        }
        Ok(Self {
            key,
            access_key_id: credentials.access_key_id.clone(),
            session_token: credentials.session_token.clone(),
            scope: format!("{day}/{region}/{service}/{TERMINATOR}"),
        })
    }

    /// Whether this key signs for the UTC day of `time`.
    #[must_use]
    pub fn covers(&self, time: Timestamp) -> bool {
        amz_date(time).is_ok_and(|date| date[..8] == self.scope[..8])
    }

    /// The raw key, for the batch signer's midstates.
    pub(crate) fn bytes(&self) -> &[u8; 32] {
        &self.key
    }

    /// Signs a whole canonical request: SHA-256, string to sign, HMAC.
    pub(crate) fn sign(&self, amz_date: &str, canonical_request: &str) -> [u8; 32] {
        let mut text = string_to_sign_prefix(amz_date, &self.scope);
        push_hex(&Sha256::digest(canonical_request.as_bytes()), &mut text);
        *hmac(self.key.as_slice(), text.as_bytes())
    }
}

/// Whether a store can have this region.
pub(crate) fn is_region(name: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
    !name.is_empty() && name.len() <= REGION_BYTES_MAX && name.bytes().all(plain)
}

/// The string to sign without its last line, the hash of the canonical request.
pub(crate) fn string_to_sign_prefix(amz_date: &str, scope: &str) -> String {
    format!("{ALGORITHM}\n{amz_date}\n{scope}\n")
}

fn hmac(key: &[u8], message: &[u8]) -> Zeroizing<[u8; 32]> {
    #[allow(clippy::expect_used, reason = "HMAC takes a key of any length")]
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(message);
    Zeroizing::new(mac.finalize().into_bytes().into())
}

/// Appends `bytes` to `out` in lower-case hex.
pub(crate) fn push_hex(bytes: &[u8], out: &mut String) {
    for byte in bytes {
        for digit in [byte >> 4, byte & 15] {
            out.push(char::from_digit(u32::from(digit), 16).unwrap_or('0'));
        }
    }
}

/// The start of the window of `window_s` seconds (counted from 1970) that `now` lies in.
///
/// Signing with this date instead of `now` gives every gateway the same URL for the whole window,
/// so that caches hit; it is never in the future. A window of 0 gives `now` in whole seconds.
#[must_use]
pub fn window_start(now: Timestamp, window_s: u32) -> Timestamp {
    let seconds = now.as_second();
    let window_s = i64::from(window_s.max(1));
    Timestamp::from_second(seconds - seconds.rem_euclid(window_s)).unwrap_or(now)
}

/// `20261120T101602Z`.
pub(crate) fn amz_date(time: Timestamp) -> Result<String, PresignError> {
    let date = Offset::UTC.to_datetime(time);
    if !(1970..=9999).contains(&date.year()) {
        return Err(PresignError::Time);
    }
    Ok(format!(
        "{:04}{:02}{:02}T{:02}{:02}{:02}Z",
        date.year(),
        date.month(),
        date.day(),
        date.hour(),
        date.minute(),
        date.second()
    ))
}

/// Reads a date as URLs carry it: `20261120T101602Z`, exactly.
#[must_use]
pub fn parse_amz_date(text: &str) -> Option<Timestamp> {
    let bytes = text.as_bytes();
    if bytes.len() != 16 || bytes[8] != b'T' || bytes[15] != b'Z' {
        return None;
    }
    let number = |from: usize, to: usize| {
        let digits = text.get(from..to)?;
        digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse::<i16>().ok())?
    };
    let small = |from: usize| number(from, from + 2).and_then(|n| i8::try_from(n).ok());
    let (year, month, day) = (number(0, 4)?, small(4)?, small(6)?);
    let date = DateTime::new(year, month, day, small(9)?, small(11)?, small(13)?, 0).ok()?;
    Offset::UTC.to_timestamp(date).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_date_survives_its_text_form_and_nothing_else_parses() {
        let time = at("2026-11-20T10:16:02Z");
        assert_eq!(amz_date(time).unwrap(), "20261120T101602Z");
        assert_eq!(parse_amz_date("20261120T101602Z"), Some(time));
        for bad in
            ["", "20261120T101602", "20261320T101602Z", "20261120T101660Z", "+0261120T101602Z"]
        {
            assert_eq!(parse_amz_date(bad), None, "{bad}");
        }
        assert_eq!(parse_amz_date("2026112éT10160Z"), None);
    }

    #[test]
    fn a_window_starts_at_a_round_moment_and_never_in_the_future() {
        let check = |now: &str, window_s, expected: &str| {
            assert_eq!(window_start(at(now), window_s), at(expected));
        };
        check("2026-11-20T10:16:02.9Z", 1800, "2026-11-20T10:00:00Z");
        check("2026-11-20T10:30:00Z", 1800, "2026-11-20T10:30:00Z");
        check("2026-11-20T10:16:02.9Z", 0, "2026-11-20T10:16:02Z");
        check("1969-12-31T23:59:59Z", 1800, "1969-12-31T23:30:00Z");
    }

    #[test]
    fn a_key_covers_its_utc_day_alone() {
        let credentials = Credentials::new("id", "secret".to_owned()).unwrap();
        let key = SigningKey::derive(&credentials, at("2026-11-20T23:59:59Z"), "auto").unwrap();
        assert!(key.covers(at("2026-11-20T00:00:00Z")));
        assert!(!key.covers(at("2026-11-21T00:00:00Z")));
    }

    #[test]
    fn a_region_that_would_break_the_scope_is_refused() {
        let credentials = Credentials::new("id", "secret".to_owned()).unwrap();
        for region in ["", "a/b", "a b", "a\nb", &"r".repeat(65)] {
            let key = SigningKey::derive(&credentials, at("2026-11-20T00:00:00Z"), region);
            assert_eq!(key.err(), Some(PresignError::Region));
        }
    }
}
