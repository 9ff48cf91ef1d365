//! What stands in the head of every answer.
//!
//! Owns the security headers, in one place: whatever route, error or fallback answers, it leaves
//! through [`secure`]. The page's policy goes with its assets too, because a Worker lives under the
//! policy that its own script came with.

use std::collections::BTreeSet;

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

/// Names of the Trusted Types policies that the player creates; any other name is refused.
pub const TRUSTED_TYPES_POLICIES: [&str; 2] = ["veilcast-worker", "default"];

/// The policy of the watch page and of its scripts, without foreign origins and before the Trusted Types names.
const PAGE_POLICY: &str = "default-src 'none'; script-src 'self'; worker-src 'self'; \
    connect-src 'self'; img-src 'self' blob:; media-src 'self' blob:; style-src 'self'; \
    font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
    require-trusted-types-for 'script'; trusted-types";

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

/// The page's policy in full. Beside its own gateway it may fetch from `origins`, where objects have their URLs.
pub(crate) fn page_policy(origins: &BTreeSet<String>) -> HeaderValue {
    let own = "connect-src 'self'";
    let fetched = origins.iter().fold(own.to_owned(), |all, origin| format!("{all} {origin}"));
    let policy = PAGE_POLICY.replacen(own, &fetched, 1);
    let policy = format!("{policy} {}", TRUSTED_TYPES_POLICIES.join(" "));
    HeaderValue::try_from(policy).unwrap_or_else(|_| HeaderValue::from_static(DATA_POLICY))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_policy_allows_no_foreign_or_inline_script() {
        let policy = page_policy(&BTreeSet::new());
        let policy = policy.to_str().unwrap();
        assert!(policy.ends_with("trusted-types veilcast-worker default"));
        for never in ["unsafe", "*", "http", "data:", "eval"] {
            assert!(!policy.contains(never), "{never}");
        }
    }

    #[test]
    fn the_page_may_fetch_from_where_objects_are_and_from_nowhere_else() {
        let origins = ["https://a.example", "http://b.example:9000"].map(str::to_owned);
        let policy = page_policy(&origins.into());
        let expected = "; connect-src 'self' http://b.example:9000 https://a.example; img-src";
        assert!(policy.to_str().unwrap().contains(expected), "{policy:?}");
    }
}
