//! The watch page and its assets.
//!
//! Owns which file answers which path, in which encoding, for how long it may be kept. Refuses to look
//! at the grant's id: the page is the same for every id, known or not, so it tells nothing. The files
//! lie in memory from the start; no request reads a disk.

mod files;

use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use bytes::Bytes;

pub use files::{PageError, PageFiles};

use crate::conditions;
use crate::gateway::Gateway;
use crate::headers::page_policy;
use crate::problem::Problem;
use files::PageFile;

/// The page's own file in the built folder.
const WATCH: &str = "watch.html";

/// The page may be kept, and asked for again each time: a new build shows at once.
const REVALIDATE: &str = "no-cache";
/// Assets have a hash in their name and never change.
const IMMUTABLE: &str = "public, max-age=31536000, immutable";
/// The icon may lag a day behind.
const ONE_DAY: &str = "public, max-age=86400";

/// `GET /w/{grant}`
pub(crate) async fn watch(
    State(gateway): State<Gateway>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let file = gateway.page.get(WATCH).ok_or(Problem::page_missing())?;
    Ok(answer(file, &headers, REVALIDATE))
}

/// `GET /assets/{name}`
pub(crate) async fn asset(
    State(gateway): State<Gateway>,
    name: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let Path(name) = name?;
    let file = gateway.page.get(&format!("assets/{name}")).ok_or(Problem::not_found())?;
    Ok(answer(file, &headers, IMMUTABLE))
}

/// `GET /favicon.ico`, `GET /favicon.svg`
pub(crate) async fn favicon(
    State(gateway): State<Gateway>,
    request: Request,
) -> Result<Response, Problem> {
    let name = request.uri().path().trim_start_matches('/');
    let file = gateway.page.get(name).ok_or(Problem::not_found())?;
    Ok(answer(file, request.headers(), ONE_DAY))
}

/// Answers with a file in the best encoding that it has and the client takes.
fn answer(file: &PageFile, headers: &HeaderMap, cache: &'static str) -> Response {
    let (encoding, bytes) = choose(file, headers);
    let tag = match encoding {
        Some(encoding) => format!("\"{}-{encoding}\"", file.hash),
        None => format!("\"{}\"", file.hash),
    };
    let mut response = Response::new(Body::empty());
    let answered = response.headers_mut();
    answered.insert(header::CONTENT_SECURITY_POLICY, page_policy());
    answered.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    answered.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if conditions::none_match(headers, &tag) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    } else {
        answered.insert(header::CONTENT_TYPE, HeaderValue::from_static(file.media_type));
        if let Some(encoding) = encoding {
            answered.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
        }
    }
    if let Ok(tag) = HeaderValue::try_from(tag) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    if response.status() == StatusCode::OK {
        *response.body_mut() = Body::from(bytes);
    }
    response
}

/// The smallest form of a file that the client accepts.
fn choose(file: &PageFile, headers: &HeaderMap) -> (Option<&'static str>, Bytes) {
    for (encoding, bytes) in [("br", &file.brotli), ("gzip", &file.gzip)] {
        if let Some(bytes) = bytes.as_ref().filter(|_| accepts(headers, encoding)) {
            return (Some(encoding), bytes.clone());
        }
    }
    (None, file.plain.clone())
}

/// Whether `Accept-Encoding` names `encoding`, not with `q=0`. A `*` is taken as no word on it.
fn accepts(headers: &HeaderMap, encoding: &str) -> bool {
    headers
        .get_all(header::ACCEPT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|offer| {
            let (name, weight) = offer.split_once(';').unwrap_or((offer, ""));
            let weight = weight.trim().strip_prefix("q=").unwrap_or("1");
            let refused = weight.parse::<f32>().is_ok_and(|weight| weight <= 0.0);
            name.trim().eq_ignore_ascii_case(encoding) && !refused
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_encoding_is_taken_when_it_is_named_and_not_refused() {
        let check = |value: &str, expected: bool| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_ENCODING, value.parse().unwrap());
            assert_eq!(accepts(&headers, "br"), expected, "{value}");
        };
        check("gzip, deflate, br, zstd", true);
        check("br;q=0.1", true);
        check("BR", true);
        check("br;q=0", false);
        check("br; q=0.000", false);
        check("gzip", false);
        check("brotli", false);
        check("*", false);
        assert!(!accepts(&HeaderMap::new(), "br"));
    }
}
