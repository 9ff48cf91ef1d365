//! One presigned URL, written for reading: the canonical request, step by step.
//!
//! Owns the canonical request of a presigned URL. [`crate::Batch`] computes the same thing faster and
//! is held against this by a property test. Refuses to know schemes: it gives the path and the query.

use jiff::Timestamp;

use crate::scope::{ALGORITHM, EXPIRES_MAX_S, amz_date, push_hex};
use crate::{SigningKey, escape};

/// What stands for the hash of the body: a presigned URL signs none.
pub(crate) const UNSIGNED_PAYLOAD: &str = "UNSIGNED-PAYLOAD";

/// Longest host, in bytes: 253 of a DNS name, a colon and a port.
const HOST_BYTES_MAX: usize = 259;

/// What a URL allows: one method on one path of one host, for a while.
pub struct Request<'a> {
    /// The HTTP method, in upper case.
    pub method: &'a str,
    /// The `Host` header that the request will carry, with its port unless it is the default.
    pub host: &'a str,
    /// The path, not percent-encoded; begins with `/`.
    pub path: &'a str,
    /// Query parameters beside those of the signature, not percent-encoded (`response-*`, `versionId`).
    pub query: &'a [(&'a str, &'a str)],
    /// The URL's life in seconds, 1 to [`EXPIRES_MAX_S`].
    pub expires_s: u32,
}

impl<'a> Request<'a> {
    /// A `GET` without further query parameters.
    #[must_use]
    pub fn get(host: &'a str, path: &'a str, expires_s: u32) -> Self {
        Self { method: "GET", host, path, query: &[], expires_s }
    }
}

/// Why nothing was signed.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum PresignError {
    /// The life is 0 or longer than seven days.
    #[error("a presigned URL lives 1 to 604800 seconds")]
    Expires,
    /// The signing key was derived for another UTC day.
    #[error("the signing key is for another day")]
    OtherDay,
    /// The time is outside the years 1970 to 9999.
    #[error("the time lies outside the years 1970 to 9999")]
    Time,
    /// The region is empty, too long or holds a character that regions never have.
    #[error("the region is empty, too long or holds a character that regions never have")]
    Region,
    /// The host is empty, too long or holds a character that hosts never have.
    #[error("the host is empty, too long or holds a character that hosts never have")]
    Host,
    /// The method is not a word in upper case.
    #[error("the method is not a word in upper case")]
    Method,
    /// The path does not begin with a slash.
    #[error("the path does not begin with a slash")]
    Path,
    /// A query parameter of the caller has a name that belongs to the signature.
    #[error("a query parameter has a name that belongs to the signature")]
    ReservedParameter,
}

/// Signs `request` at `now` and returns the origin-form target: path, `?`, query with signature.
///
/// Put `https://` and the host before it, and nothing else: the text must reach the store as it is.
///
/// # Errors
/// A request that no store would accept, or a key of another day.
pub fn presign(
    key: &SigningKey,
    request: &Request<'_>,
    now: Timestamp,
) -> Result<String, PresignError> {
    let date = check(key, request, now)?;
    let mut path = String::with_capacity(request.path.len());
    escape::path(request.path, &mut path);
    let query = canonical_query(key, request, &date);
    let canonical = canonical_request(request.method, &path, &query, request.host);
    let signature = key.sign(&date, &canonical);
    let mut target = format!("{path}?{query}&X-Amz-Signature=");
    push_hex(&signature, &mut target);
    Ok(target)
}

/// Checks everything that can be wrong with a request, and gives the signing date.
pub(crate) fn check(
    key: &SigningKey,
    request: &Request<'_>,
    now: Timestamp,
) -> Result<String, PresignError> {
    let date = amz_date(now)?;
    if !key.covers(now) {
        return Err(PresignError::OtherDay);
    }
    if !(1..=EXPIRES_MAX_S).contains(&request.expires_s) {
        return Err(PresignError::Expires);
    }
    if request.method.is_empty() || !request.method.bytes().all(|b| b.is_ascii_uppercase()) {
        return Err(PresignError::Method);
    }
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._:[]".contains(&b);
    if request.host.is_empty()
        || request.host.len() > HOST_BYTES_MAX
        || !request.host.bytes().all(plain)
    {
        return Err(PresignError::Host);
    }
    if !request.path.starts_with('/') {
        return Err(PresignError::Path);
    }
    if request.query.iter().any(|(name, _)| is_reserved(name)) {
        return Err(PresignError::ReservedParameter);
    }
    Ok(date)
}

/// Whether a query name is one of the signature's own.
fn is_reserved(name: &str) -> bool {
    name.get(..6).is_some_and(|start| start.eq_ignore_ascii_case("x-amz-"))
}

/// The query without its signature, encoded and sorted by encoded name, then value.
pub(crate) fn canonical_query(key: &SigningKey, request: &Request<'_>, date: &str) -> String {
    let credential = format!("{}/{}", key.access_key_id, key.scope);
    let expires = request.expires_s.to_string();
    let mut parameters = vec![
        ("X-Amz-Algorithm", ALGORITHM),
        ("X-Amz-Credential", &credential),
        ("X-Amz-Date", date),
        ("X-Amz-Expires", &expires),
        ("X-Amz-SignedHeaders", "host"),
    ];
    if let Some(token) = &key.session_token {
        parameters.push(("X-Amz-Security-Token", token));
    }
    parameters.extend_from_slice(request.query);
    sorted_query(parameters)
}

/// Encodes and sorts parameters that are not encoded yet.
pub(crate) fn sorted_query<'a>(parameters: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut encoded: Vec<(String, String)> = parameters
        .into_iter()
        .map(|(name, value)| {
            let (mut a, mut b) = (String::new(), String::new());
            escape::query(name, &mut a);
            escape::query(value, &mut b);
            (a, b)
        })
        .collect();
    encoded.sort();
    let pairs: Vec<String> =
        encoded.iter().map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join("&")
}

/// The canonical request with `host` as its only signed header and no hash of a body.
pub(crate) fn canonical_request(method: &str, path: &str, query: &str, host: &str) -> String {
    format!("{method}\n{path}\n{query}\nhost:{host}\n\nhost\n{UNSIGNED_PAYLOAD}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Credentials;

    const NOW: &str = "2026-11-20T10:16:02Z";

    fn key() -> SigningKey {
        let credentials = Credentials::new("id", "secret".to_owned()).unwrap();
        SigningKey::derive(&credentials, NOW.parse().unwrap(), "auto").unwrap()
    }

    fn refused(request: &Request<'_>, expected: PresignError) {
        assert_eq!(presign(&key(), request, NOW.parse().unwrap()), Err(expected));
    }

    #[test]
    fn a_request_that_no_store_would_accept_is_not_signed() {
        let good = || Request::get("example.org", "/key", 60);
        refused(&Request { expires_s: 0, ..good() }, PresignError::Expires);
        refused(&Request { expires_s: 604_801, ..good() }, PresignError::Expires);
        refused(&Request { host: "", ..good() }, PresignError::Host);
        refused(&Request { host: "a\nb", ..good() }, PresignError::Host);
        refused(&Request { host: &"h".repeat(260), ..good() }, PresignError::Host);
        refused(&Request { path: "key", ..good() }, PresignError::Path);
        refused(&Request { method: "get", ..good() }, PresignError::Method);
        let reserved = [("x-amz-date", "1")];
        refused(&Request { query: &reserved, ..good() }, PresignError::ReservedParameter);
    }

    #[test]
    fn yesterdays_key_does_not_sign_today() {
        let tomorrow = "2026-11-21T00:00:00Z".parse().unwrap();
        let request = Request::get("example.org", "/key", 60);
        assert_eq!(presign(&key(), &request, tomorrow), Err(PresignError::OtherDay));
    }

    #[test]
    fn parameters_of_the_caller_are_encoded_and_sorted_among_the_others() {
        let query = [("versionId", "a b"), ("response-content-type", "video/mp4"), ("A", "1")];
        let request = Request { query: &query, ..Request::get("example.org", "/k", 60) };
        let target = presign(&key(), &request, NOW.parse().unwrap()).unwrap();
        let names: Vec<&str> = target
            .split_once('?')
            .unwrap()
            .1
            .split('&')
            .map(|p| p.split_once('=').unwrap().0)
            .collect();
        assert_eq!(names[0], "A");
        assert_eq!(names[6..], ["response-content-type", "versionId", "X-Amz-Signature"]);
        assert!(target.contains("response-content-type=video%2Fmp4&versionId=a%20b&"));
    }
}
