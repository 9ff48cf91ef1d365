//! What holds for every request, in this order: it is counted, its host and where it comes from are ours, and the answer says what browsers may
//! do with it. What isn't the page or a login needs a session as well, and what changes something its word.

use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use crate::app::Api;
use crate::problem::Problem;

/// How long an answer may take to begin. Uploads have a limit of their own, for each piece.
const ANSWER_LIMIT: Duration = Duration::from_secs(120);

/// The policy of everything that is not the page: it may do nothing at all.
const DATA_POLICY: &str =
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox";

/// Headers that every answer has.
const EVERYWHERE: [(HeaderName, &str); 7] = [
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-embedder-policy"), "require-corp"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
    ),
    (HeaderName::from_static("x-robots-tag"), "noindex, nofollow"),
];

/// The outermost layer.
pub(crate) async fn everywhere(
    State(api): State<Api>,
    matched: Option<MatchedPath>,
    request: Request,
    next: Next,
) -> Response {
    let began = Instant::now();
    let pattern = matched.as_ref().map_or("the page", MatchedPath::as_str);
    let route = format!("{} {pattern}", request.method());
    let uploads = pattern.starts_with("/v1/uploads");
    let mut response = match admit(&api, &request) {
        Err(problem) => problem.into_response(),
        Ok(()) if uploads => next.run(request).await,
        Ok(()) => match tokio::time::timeout(ANSWER_LIMIT, next.run(request)).await {
            Ok(response) => response,
            Err(_) => Problem::request_timeout().into_response(),
        },
    };
    secure(response.headers_mut());
    api.metrics().count(&route, response.status().as_u16(), began.elapsed());
    response
}

/// Whether a request is for us, and comes from us.
fn admit(api: &Api, request: &Request) -> Result<(), Problem> {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let target = request.uri().authority().map(axum::http::uri::Authority::as_str);
    let hosts = api.hosts();
    let known = host.is_some_and(|host| hosts.knows(host));
    if !known || target.is_some_and(|target| !hosts.knows(target)) {
        return Err(Problem::host_unknown());
    }
    if !hosts.is_own(request.method(), request.headers()) {
        return Err(Problem::foreign());
    }
    Ok(())
}

/// Before everything that needs a session.
pub(crate) async fn session(
    State(api): State<Api>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let caller = api.sessions().caller(request.headers()).ok_or(Problem::session_missing())?;
    if !request.method().is_safe() && !caller.may_change(request.headers()) {
        return Err(Problem::csrf());
    }
    let mut request = request;
    request.extensions_mut().insert(caller);
    Ok(next.run(request).await)
}

/// Puts the security headers on an answer; one that brought its own policy keeps it.
fn secure(headers: &mut HeaderMap) {
    for (name, value) in &EVERYWHERE {
        headers.insert(name.clone(), HeaderValue::from_static(value));
    }
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(DATA_POLICY));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
}
