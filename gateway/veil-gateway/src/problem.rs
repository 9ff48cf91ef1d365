//! Every error that leaves the gateway (RFC 9457).
//!
//! Owns the table of `docs/format/gateway-api.md`: one constructor a row, so that a status, a type and
//! its words stay together. Refuses to carry detail from below: a store's error names paths, and a
//! path names grants.

use std::time::Duration;

use axum::extract::rejection::PathRejection;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// What a store that is away is given to come back, in seconds.
const RETRY_AFTER_S: u32 = 5;

/// What a full line is given to move on, in seconds: it does in a fraction of one.
const BUSY_RETRY_AFTER_S: u32 = 1;

/// What is wrong with a bearer (RFC 6750 §3.1).
const INVALID_TOKEN: &str = "Bearer error=\"invalid_token\"";

/// An error answer: status, bare-word type, and a sentence for a person.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    kind: &'static str,
    title: &'static str,
    header: Option<(HeaderName, HeaderValue)>,
}

/// `application/problem+json` as it is written.
#[derive(Serialize)]
struct WireProblem {
    r#type: &'static str,
    title: &'static str,
    status: u16,
}

impl Problem {
    const fn new(status: StatusCode, kind: &'static str, title: &'static str) -> Self {
        Self { status, kind, title, header: None }
    }

    fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.header = Some((name, value));
        self
    }

    pub(crate) const fn bad_request(title: &'static str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad-request", title)
    }

    pub(crate) fn bearer_missing() -> Self {
        let title = "this needs the bearer of the grant";
        Self::new(StatusCode::UNAUTHORIZED, "bearer-missing", title)
            .with(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
    }

    pub(crate) fn bearer_wrong() -> Self {
        let title = "the link's secret is not the one of this grant";
        let value = HeaderValue::from_static(INVALID_TOKEN);
        Self::new(StatusCode::UNAUTHORIZED, "bearer-wrong", title)
            .with(header::WWW_AUTHENTICATE, value)
    }

    pub(crate) fn token_missing() -> Self {
        let title = "this needs a token, as a bearer or as the session's cookie";
        Self::new(StatusCode::UNAUTHORIZED, "token-missing", title)
            .with(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
    }

    pub(crate) fn token_invalid() -> Self {
        let title = "the token is not one that opens anything here";
        Self::new(StatusCode::UNAUTHORIZED, "token-invalid", title)
            .with(header::WWW_AUTHENTICATE, HeaderValue::from_static(INVALID_TOKEN))
    }

    pub(crate) fn token_expired() -> Self {
        let title = "the token has expired; ask for a new one where it came from";
        Self::new(StatusCode::UNAUTHORIZED, "token-expired", title)
            .with(header::WWW_AUTHENTICATE, HeaderValue::from_static(INVALID_TOKEN))
    }

    pub(crate) const fn token_scope() -> Self {
        Self::new(StatusCode::FORBIDDEN, "token-scope", "the token opens another folder")
    }

    pub(crate) fn admin_missing() -> Self {
        let title = "this needs the operator's token";
        Self::new(StatusCode::UNAUTHORIZED, "admin-missing", title)
            .with(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
    }

    pub(crate) const fn admin_wrong() -> Self {
        let title = "the token is not the operator's";
        Self::new(StatusCode::FORBIDDEN, "admin-wrong", title)
    }

    pub(crate) const fn signature_invalid() -> Self {
        let title = "the URL is not one that this gateway signed for this request";
        Self::new(StatusCode::FORBIDDEN, "signature-invalid", title)
    }

    pub(crate) const fn url_expired() -> Self {
        Self::new(StatusCode::FORBIDDEN, "url-expired", "the URL has expired; ask for a new one")
    }

    pub(crate) const fn grant_unknown() -> Self {
        Self::new(StatusCode::NOT_FOUND, "grant-unknown", "there is no such grant")
    }

    pub(crate) const fn object_unknown() -> Self {
        Self::new(StatusCode::NOT_FOUND, "object-unknown", "there is no such object")
    }

    pub(crate) const fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", "there is nothing at this path")
    }

    pub(crate) const fn method_not_allowed() -> Self {
        let title = "this path does not take that method";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", title)
    }

    pub(crate) const fn body_late() -> Self {
        let title = "the body did not arrive in time";
        Self::new(StatusCode::REQUEST_TIMEOUT, "request-timeout", title)
    }

    pub(crate) const fn grant_expired() -> Self {
        Self::new(StatusCode::GONE, "grant-expired", "the right to watch has expired")
    }

    pub(crate) const fn grant_revoked() -> Self {
        Self::new(StatusCode::GONE, "grant-revoked", "the right to watch was revoked")
    }

    pub(crate) const fn body_too_large() -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", "the body is too large")
    }

    pub(crate) const fn answer_too_large() -> Self {
        let title = "the answer is too large for a batch; ask for it alone";
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", title)
    }

    pub(crate) const fn uri_too_large() -> Self {
        Self::new(StatusCode::URI_TOO_LONG, "too-large", "the URL is too long")
    }

    pub(crate) const fn headers_too_large() -> Self {
        let title = "the headers are too large or too many";
        Self::new(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "too-large", title)
    }

    /// No byte of the asked range is in an object of `size_bytes`.
    pub(crate) fn range_unsatisfiable(size_bytes: u64) -> Self {
        let title = "no byte of the range is in the object";
        let problem = Self::new(StatusCode::RANGE_NOT_SATISFIABLE, "range-unsatisfiable", title);
        match HeaderValue::try_from(format!("bytes */{size_bytes}")) {
            Ok(value) => problem.with(header::CONTENT_RANGE, value),
            Err(_) => problem,
        }
    }

    pub(crate) const fn host_unknown() -> Self {
        let title = "this gateway does not answer for that host; its operator can add it with \
                     --public-url";
        Self::new(StatusCode::MISDIRECTED_REQUEST, "host-unknown", title)
    }

    pub(crate) const fn playlist_invalid() -> Self {
        let title = "what lies in the bucket is no playlist of this title";
        Self::new(StatusCode::BAD_GATEWAY, "playlist-invalid", title)
    }

    pub(crate) const fn plain_playlist_invalid() -> Self {
        let title = "what lies in the bucket is no playlist that can be served";
        Self::new(StatusCode::BAD_GATEWAY, "playlist-invalid", title)
    }

    pub(crate) const fn record_invalid() -> Self {
        let title = "what lies in the bucket is no grant that this gateway can read";
        Self::new(StatusCode::BAD_GATEWAY, "record-invalid", title)
    }

    pub(crate) fn store_unavailable() -> Self {
        let title = "the bucket does not answer; try again in a few seconds";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "store-unavailable", title)
            .with(header::RETRY_AFTER, HeaderValue::from(RETRY_AFTER_S))
    }

    pub(crate) fn credential_ended() -> Self {
        let title = "the credential that signs has ended and has not been renewed yet; try again in a few seconds";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "credential-ended", title)
            .with(header::RETRY_AFTER, HeaderValue::from(RETRY_AFTER_S))
    }

    pub(crate) fn busy() -> Self {
        let title = "too many playlists are being signed; try again in a second";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", title)
            .with(header::RETRY_AFTER, HeaderValue::from(BUSY_RETRY_AFTER_S))
    }

    /// The client may ask again after `wait`.
    pub(crate) fn rate_limited(wait: Duration) -> Self {
        let title = "too many requests; wait as long as Retry-After says";
        let wait_s = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        Self::new(StatusCode::TOO_MANY_REQUESTS, "rate-limited", title)
            .with(header::RETRY_AFTER, HeaderValue::from(wait_s))
    }

    pub(crate) const fn page_missing() -> Self {
        let title = "this gateway was built without its watch page; build apps/web first (npm run \
                     build), or name a built page with --page";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "page-missing", title)
    }

    pub(crate) const fn internal() -> Self {
        let title = "the gateway made a mistake";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", title)
    }
}

impl Problem {
    /// Status and body, for an answer inside another.
    pub(crate) fn into_text(self) -> (StatusCode, String) {
        (self.status, serde_json::to_string(&self.wire()).unwrap_or_default())
    }

    fn wire(&self) -> WireProblem {
        WireProblem { r#type: self.kind, title: self.title, status: self.status.as_u16() }
    }
}

impl From<PathRejection> for Problem {
    /// What was wrong with the path is left out: it would be quoted.
    fn from(_: PathRejection) -> Self {
        Self::bad_request("the path is malformed")
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let content = (header::CONTENT_TYPE, "application/problem+json");
        let cache = (header::CACHE_CONTROL, "no-store");
        let body = serde_json::to_vec(&self.wire()).unwrap_or_default();
        let mut response = (self.status, [content, cache], body).into_response();
        if let Some((name, value)) = self.header {
            response.headers_mut().insert(name, value);
        }
        response
    }
}
