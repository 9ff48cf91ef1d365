//! The body of `POST /v1/batch`: what is asked for, checked before anything is done.
//!
//! Owns its form and limits (`docs/format/gateway-api.md`, "Batch"). Refuses whatever could reach another
//! host, carry a body, or smuggle a header that a single request would be judged by.

use std::collections::BTreeMap;

use axum::http::uri::PathAndQuery;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use serde::Deserialize;

/// Most requests of a batch: a player's start takes five.
pub(crate) const ENTRY_COUNT_MAX: usize = 32;

/// Largest body, in bytes: 32 paths with a presigned query and a bearer take 20,000.
pub(crate) const BODY_BYTES_MAX: usize = 64 << 10;

/// Headers that a request of a batch may have.
const HEADERS: [HeaderName; 4] =
    [header::AUTHORIZATION, header::IF_NONE_MATCH, header::RANGE, header::IF_RANGE];

/// One request of a batch: a `GET` of this gateway.
#[derive(Debug, PartialEq, Eq)]
pub struct BatchEntry {
    /// Where, with its query.
    pub target: PathAndQuery,
    /// The headers that it brings.
    pub headers: HeaderMap,
}

/// Why a body is no batch.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum BatchError {
    /// It is not the JSON that the format describes.
    #[error("the body is not {{\"requests\": [{{\"path\": \"/…\"}}, …]}}")]
    Form,
    /// It has none, or too many.
    #[error("a batch has 1 to 32 requests")]
    Count,
    /// It is not a path of this gateway.
    #[error("a path of a batch begins with one slash and is a URL's path and query")]
    Path,
    /// Its name or value is not one that a batch may carry.
    #[error("a request of a batch has authorization, if-none-match, range and if-range only")]
    Header,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireBatch {
    requests: Vec<WireEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireEntry {
    path: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
}

/// Reads the body of a batch.
///
/// # Errors
/// Anything but 1 to 32 requests, each a path of this gateway with headers from a short list.
pub fn parse_batch(body: &[u8]) -> Result<Vec<BatchEntry>, BatchError> {
    let batch: WireBatch = serde_json::from_slice(body).map_err(|_| BatchError::Form)?;
    if !(1..=ENTRY_COUNT_MAX).contains(&batch.requests.len()) {
        return Err(BatchError::Count);
    }
    batch.requests.into_iter().map(entry).collect()
}

fn entry(wire: WireEntry) -> Result<BatchEntry, BatchError> {
    // Two slashes would be a host to whoever resolves it.
    let is_local = wire.path.starts_with('/') && !wire.path.starts_with("//");
    let sound = is_local && wire.path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#');
    let target = wire.path.parse().ok().filter(|_| sound).ok_or(BatchError::Path)?;
    let headers = wire.headers.into_iter().map(|(name, value)| {
        let name = name.parse().ok().filter(|name| HEADERS.contains(name))?;
        let mut value = HeaderValue::try_from(value).ok()?;
        value.set_sensitive(name == header::AUTHORIZATION);
        Some((name, value))
    });
    let pairs = headers.collect::<Option<Vec<_>>>().ok_or(BatchError::Header)?;
    let count = pairs.len();
    let headers: HeaderMap = pairs.into_iter().collect();
    // JSON tells `Range` from `range`, HTTP does not.
    if headers.keys_len() < count {
        return Err(BatchError::Header);
    }
    Ok(BatchEntry { target, headers })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(body: &str, expected: BatchError) {
        assert_eq!(parse_batch(body.as_bytes()), Err(expected), "{body}");
    }

    #[test]
    fn paths_and_their_headers_are_read_in_order() {
        let body = r#"{"requests": [{"path": "/a?b=c", "headers": {"Authorization": "Bearer x"}},
                       {"path": "/"}]}"#;
        let [first, second] = parse_batch(body.as_bytes()).unwrap().try_into().unwrap();
        assert_eq!(first.target.as_str(), "/a?b=c");
        assert_eq!(first.headers[header::AUTHORIZATION], "Bearer x");
        assert_eq!(format!("{:?}", first.headers[header::AUTHORIZATION]), "Sensitive");
        assert_eq!((second.target.as_str(), second.headers.len()), ("/", 0));
    }

    #[test]
    fn a_body_of_another_form_is_refused() {
        for body in ["", "[]", "{}", "{\"requests\": {}}", "{\"requests\": [\"/a\"]}"] {
            check(body, BatchError::Form);
        }
        check(r#"{"requests": [{"path": "/a", "method": "POST"}]}"#, BatchError::Form);
        check(r#"{"requests": [{"path": "/a", "body": "x"}]}"#, BatchError::Form);
        check(r#"{"requests": []}"#, BatchError::Count);
        let many =
            |count| format!("{{\"requests\": [{}]}}", vec![r#"{"path":"/"}"#; count].join(","));
        assert_eq!(parse_batch(many(32).as_bytes()).unwrap().len(), 32);
        check(&many(33), BatchError::Count);
    }

    #[test]
    fn a_path_that_leaves_this_gateway_is_refused() {
        for path in [
            "",
            "a",
            "//evil.example/a",
            "https://evil.example/",
            "/a b",
            "/a#b",
            "/é",
            "/a\\n",
            "*",
        ] {
            check(&format!("{{\"requests\": [{{\"path\": \"{path}\"}}]}}"), BatchError::Path);
        }
    }

    #[test]
    fn a_header_that_is_not_on_the_list_is_refused() {
        for headers in [
            r#""host": "evil.example""#,
            r#""x-forwarded-for": "1.2.3.4""#,
            r#""content-length": "5""#,
            r#""range": "a\nb""#,
            r#""range": "a", "Range": "b""#,
            r#""": "a""#,
        ] {
            let body =
                format!("{{\"requests\": [{{\"path\": \"/a\", \"headers\": {{{headers}}}}}]}}");
            check(&body, BatchError::Header);
        }
    }
}
