//! Compression of answers that are made for one request.
//!
//! Owns which those are: JSON, from a size on below which nothing is won. Playlists and the page come
//! compressed from where they are kept, and objects are noise. Nothing here mixes a secret with what
//! somebody else chose: whoever can ask for an answer has its bearer, so its length tells nobody anything.

use axum::body::{Body, HttpBody as _};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;

use crate::encoding::{self, Encoding};

/// Smallest body that is compressed, in bytes: what is less fits into one packet either way.
const SIZE_BYTES_MIN: u64 = 1024;

/// Largest body that is compressed while others wait, in bytes; a larger one has a thread of its own.
const SIZE_BYTES_HERE: usize = 64 << 10;

/// Compresses an answer of JSON as its client likes it best.
pub(crate) async fn json(request: Request, next: Next) -> Response {
    let wanted = encoding::choose(request.headers(), |_| true);
    let mut response = next.run(request).await;
    if !is_json(response.headers()) || response.headers().contains_key(header::CONTENT_ENCODING) {
        return response;
    }
    response.headers_mut().append(header::VARY, HeaderValue::from_static("accept-encoding"));
    let is_worth = response.body().size_hint().exact().is_some_and(|size| size >= SIZE_BYTES_MIN);
    match wanted.name() {
        Some(name) if is_worth => encoded(response, wanted, name).await,
        _ => response,
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind == "application/json")
}

async fn encoded(response: Response, wanted: Encoding, name: &'static str) -> Response {
    let (mut parts, body) = response.into_parts();
    // The body lies in memory already, and so is as long as it says.
    let Ok(text) = axum::body::to_bytes(body, usize::MAX).await else {
        return Response::from_parts(parts, Body::empty());
    };
    let work = {
        let text = text.clone();
        move || wanted.encode(text.into())
    };
    let shorter = if text.len() <= SIZE_BYTES_HERE {
        work().ok()
    } else {
        tokio::task::spawn_blocking(work).await.ok().and_then(Result::ok)
    };
    let Some(shorter) = shorter.filter(|shorter| shorter.len() < text.len()) else {
        return Response::from_parts(parts, Body::from(text));
    };
    parts.headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(name));
    parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(shorter.len()));
    Response::from_parts(parts, Body::from(shorter))
}
