//! What stands in the head of every answer.
//!
//! Owns the security headers, in one place: whatever route, error or fallback answers, it leaves
//! through [`secure`]. The page's policy goes with its assets too, because a Worker lives under the
//! policy that its own script came with.

use std::collections::BTreeSet;

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

/// Headers that an answer has room for from the start, so that adding them one by one moves none.
pub(crate) const ROOM: usize = 24;

/// The policy of everything that is not the page: it may do nothing at all.
const DATA_POLICY: &str = "default-src 'none'; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'; sandbox";

/// Headers that every answer has. Nothing here needs a camera, and a private link wants no index.
const EVERYWHERE: [(HeaderName, &str); 6] = [
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-embedder-policy"), "require-corp"),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
    ),
    (HeaderName::from_static("x-robots-tag"), "noindex, nofollow"),
];

/// Whose pages may show an answer: ours, unless a route knows better (`plain`).
const RESOURCE_POLICY: (HeaderName, HeaderValue) = (
    HeaderName::from_static("cross-origin-resource-policy"),
    HeaderValue::from_static("same-origin"),
);

/// The page's policy. Beside its own gateway it may fetch from `origins`, where objects have their URLs.
pub(crate) fn page_policy(origins: &BTreeSet<String>) -> HeaderValue {
    HeaderValue::try_from(veil_page::page_policy(origins))
        .unwrap_or_else(|_| HeaderValue::from_static(DATA_POLICY))
}

/// Puts the security headers on an answer; one that brought its own policy keeps it.
pub(crate) fn secure(headers: &mut HeaderMap) {
    for (name, value) in &EVERYWHERE {
        headers.insert(name.clone(), HeaderValue::from_static(value));
    }
    let (name, value) = RESOURCE_POLICY;
    headers.entry(name).or_insert(value);
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(DATA_POLICY));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
}
