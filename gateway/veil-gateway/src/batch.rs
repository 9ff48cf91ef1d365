//! Many small reads in one request: `POST /v1/batch`.
//!
//! Owns running them side by side and putting their answers into one. Each goes through the very layers
//! and routes of a request of its own: host, limits, bearer, log and figures; only the operator's paths
//! and this one are not among them. Invariant: what a batch holds in memory is bounded by
//! [`ANSWER_BYTES_MAX`], whatever its requests ask for.

mod body;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{Extensions, HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Router};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::BytesMut;
use futures_util::StreamExt as _;
use futures_util::future::join_all;
use hyper::body::Body as _;
use serde::Serialize;
use tower::ServiceExt as _;

use crate::hosts::Host;
use crate::problem::Problem;

use body::BODY_BYTES_MAX;
pub use body::{BatchEntry, BatchError, parse_batch};

/// Most bytes of all bodies together.
const ANSWER_BYTES_MAX: usize = 1 << 20;

/// Most bytes of one sealed object: what is larger is better fetched as what it is.
const OBJECT_BYTES_MAX: usize = 64 << 10;

/// How long the body of a batch may take to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// Headers of an answer that are passed on; the rest says nothing of this answer alone.
const HEADERS: [HeaderName; 8] = [
    header::ALLOW,
    header::CACHE_CONTROL,
    header::CONTENT_RANGE,
    header::CONTENT_TYPE,
    header::ETAG,
    header::RETRY_AFTER,
    header::VARY,
    header::WWW_AUTHENTICATE,
];

/// One answer as it is written.
#[derive(Serialize)]
struct WireAnswer {
    status: u16,
    headers: BTreeMap<String, String>,
    #[serde(flatten)]
    body: WireBody,
}

#[derive(Serialize)]
enum WireBody {
    #[serde(rename = "body")]
    Text(String),
    #[serde(rename = "body_base64")]
    Bytes(String),
}

/// `POST /v1/batch`; `router` is the gateway without it.
pub(crate) async fn run(
    State(router): State<Router>,
    Extension(host): Extension<Host>,
    request: Request,
) -> Result<impl IntoResponse, Problem> {
    let (parts, body) = request.into_parts();
    let body = read(body).await?;
    let entries = parse_batch(&body).map_err(|error| Problem::bad_request(words(&error)))?;
    let left = AtomicUsize::new(ANSWER_BYTES_MAX);
    let answers = entries.into_iter().map(|entry| {
        let limit = if entry.target.path().starts_with("/o/") {
            OBJECT_BYTES_MAX
        } else {
            ANSWER_BYTES_MAX
        };
        let request = request_for(entry, &host, &parts.extensions);
        let answered = router.clone().oneshot(request);
        let left = &left;
        async move {
            let Ok(response) = answered.await;
            collect(response, limit, left).await
        }
    });
    Ok(Json(join_all(answers).await))
}

async fn read(body: Body) -> Result<bytes::Bytes, Problem> {
    match tokio::time::timeout(BODY_TIMEOUT, axum::body::to_bytes(body, BODY_BYTES_MAX)).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(_)) => Err(Problem::body_too_large()),
        Err(_) => Err(Problem::body_late()),
    }
}

fn words(error: &BatchError) -> &'static str {
    match error {
        BatchError::Form => "the body is not {\"requests\": [{\"path\": \"/…\"}, …]}",
        BatchError::Count => "a batch has 1 to 32 requests",
        BatchError::Path => "a path of a batch begins with one slash and is a URL's path and query",
        BatchError::Header => {
            "a request of a batch has authorization, if-none-match, range and if-range only"
        }
    }
}

/// The request that an entry stands for: from the same client, to the same host.
fn request_for(entry: BatchEntry, host: &Host, from: &Extensions) -> Request {
    let mut request = Request::new(Body::empty());
    *request.uri_mut() = entry.target.into();
    *request.headers_mut() = entry.headers;
    if let Ok(host) = HeaderValue::from_str(&host.0) {
        request.headers_mut().insert(header::HOST, host);
    }
    *request.extensions_mut() = from.clone();
    request.extensions_mut().remove::<MatchedPath>();
    request
}

/// Reads an answer into its place in the array, as long as there is room.
async fn collect(response: Response, limit: usize, left: &AtomicUsize) -> WireAnswer {
    let is_within = |bytes: usize| bytes <= limit;
    let announced = usize::try_from(response.body().size_hint().lower()).unwrap_or(usize::MAX);
    if !is_within(announced) {
        return problem(Problem::answer_too_large());
    }
    let (parts, body) = response.into_parts();
    let mut bytes = BytesMut::with_capacity(announced.min(left.load(Ordering::Relaxed)));
    let mut pieces = body.into_data_stream();
    while let Some(piece) = pieces.next().await {
        let Ok(piece) = piece else { return problem(Problem::store_unavailable()) };
        let take = |left: usize| left.checked_sub(piece.len());
        let taken = left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take);
        if taken.is_err() || !is_within(bytes.len() + piece.len()) {
            return problem(Problem::answer_too_large());
        }
        bytes.extend_from_slice(&piece);
    }
    let value = |name: &HeaderName| Some(parts.headers.get(name)?.to_str().ok()?.to_owned());
    let headers = HEADERS.iter().filter_map(|name| Some((name.as_str().to_owned(), value(name)?)));
    let body = match String::from_utf8(bytes.into()) {
        Ok(text) if !is_binary(&parts.headers) => WireBody::Text(text),
        Ok(text) => WireBody::Bytes(STANDARD.encode(text)),
        Err(error) => WireBody::Bytes(STANDARD.encode(error.as_bytes())),
    };
    WireAnswer { status: parts.status.as_u16(), headers: headers.collect(), body }
}

fn is_binary(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind == "application/octet-stream")
}

/// An error in the place of an answer.
fn problem(problem: Problem) -> WireAnswer {
    let kind = ("content-type".to_owned(), "application/problem+json".to_owned());
    let (status, text) = problem.into_text();
    WireAnswer {
        status: StatusCode::as_u16(&status),
        headers: [kind].into(),
        body: WireBody::Text(text),
    }
}
