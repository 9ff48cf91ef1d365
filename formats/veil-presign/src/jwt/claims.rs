//! What a token says: whom it is for, what it opens and when.
//!
//! Owns the claims' forms. Refuses to look at a clock: [`super::verify`] compares. Unknown claims are ignored, as RFC 7519
//! §4 has it.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Number, Value};

/// Longest path that a token may open, in bytes: S3's longest key.
pub const SCOPE_BYTES_MAX: usize = 1024;

/// What a token opens: one object, or everything below a folder. Without a slash at either end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope(String);

impl Scope {
    /// Reads a key or a folder's key, as it lies in the bucket: not percent-encoded, no slash in front, one at the end or
    /// none.
    ///
    /// `None` for one that is empty, too long, or has an empty or a dot segment.
    #[must_use]
    pub fn parse(path: &str) -> Option<Self> {
        let path = path.strip_suffix('/').unwrap_or(path);
        let is_bad = |segment: &str| {
            matches!(segment, "" | "." | "..") || segment.chars().any(char::is_control)
        };
        let sound = path.len() <= SCOPE_BYTES_MAX && !path.split('/').any(is_bad);
        sound.then(|| Self(path.to_owned()))
    }

    /// Whether `key` is this scope's object or lies below its folder.
    #[must_use]
    pub fn opens(&self, key: &str) -> bool {
        let rest = key.strip_prefix(&self.0);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// The path, without a slash at its end.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The claims of a token to be made. Times are whole seconds in it.
pub struct Claims<'a> {
    /// What it opens.
    pub scope: &'a Scope,
    /// When it ends.
    pub end: Timestamp,
    /// When it begins; at once without.
    pub start: Option<Timestamp>,
    /// Whom it was made for; for who reads the token, nothing checks it.
    pub subject: Option<&'a str>,
    /// The gateway that it is for.
    pub audience: Option<&'a str>,
}

impl<'a> Claims<'a> {
    pub(super) fn wire(&self) -> WireClaimsOut<'a> {
        WireClaimsOut {
            path: format!("{}/", self.scope.as_str()),
            exp: self.end.as_second(),
            nbf: self.start.map(Timestamp::as_second),
            sub: self.subject,
            aud: self.audience,
        }
    }
}

#[derive(Serialize)]
pub(super) struct WireClaimsOut<'a> {
    path: String,
    exp: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    nbf: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    aud: Option<&'a str>,
}

/// The claims that are looked at. A claim that stands twice is refused.
#[derive(Deserialize)]
pub(super) struct WireClaims {
    pub(super) exp: Option<Number>,
    pub(super) nbf: Option<Number>,
    pub(super) path: Option<String>,
    aud: Option<Value>,
}

impl WireClaims {
    /// Whether the token is for `audience` (RFC 7519 §4.1.3: one string, or a list of them).
    pub(super) fn is_for(&self, audience: Option<&str>) -> bool {
        match (&self.aud, audience) {
            (None, None) => true,
            (Some(Value::String(one)), Some(ours)) => one == ours,
            (Some(Value::Array(many)), Some(ours)) => many.iter().any(|one| one == ours),
            _ => false,
        }
    }
}

/// A NumericDate (RFC 7519 §2): seconds since 1970, with a fraction or without.
pub(super) fn time_of(number: &Number) -> Option<Timestamp> {
    if let Some(seconds) = number.as_i64() {
        return Timestamp::from_second(seconds).ok();
    }
    let since = SignedDuration::try_from_secs_f64(number.as_f64()?).ok()?;
    Timestamp::from_duration(since).ok()
}
