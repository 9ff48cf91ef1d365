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

pub use files::PageFiles;
pub use veil_page::PageError;

use crate::conditions;
use crate::encoding::{self, Encoding};
use crate::gateway::Gateway;
use crate::problem::Problem;
use files::PageFile;

/// The page may be kept, and asked for again each time: a new build shows at once.
const REVALIDATE: &str = "no-cache";
/// Assets have a hash in their name and never change.
const IMMUTABLE: &str = "public, max-age=31536000, immutable";
/// Icons may lag a day behind.
const ONE_DAY: &str = "public, max-age=86400";

/// `GET /w/`, `GET /w/{grant}`
pub(crate) async fn watch(
    State(gateway): State<Gateway>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let file = gateway.page.get(veil_page::INDEX).ok_or(Problem::page_missing())?;
    Ok(answer(&gateway, file, &headers, REVALIDATE))
}

/// `GET /assets/{name}`
pub(crate) async fn asset(
    State(gateway): State<Gateway>,
    name: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let Path(name) = name?;
    let file = gateway.page.get(&format!("assets/{name}")).ok_or(Problem::not_found())?;
    Ok(answer(&gateway, file, &headers, IMMUTABLE))
}

/// `GET /sw.js`, `/app.webmanifest` and `/app.sha256`: what a new build changes under the same name.
pub(crate) async fn changing(
    State(gateway): State<Gateway>,
    request: Request,
) -> Result<Response, Problem> {
    at_root(&gateway, &request, REVALIDATE)
}

/// `GET /favicon.svg`, `/favicon.ico` and the icons of the installed page.
pub(crate) async fn icon(
    State(gateway): State<Gateway>,
    request: Request,
) -> Result<Response, Problem> {
    at_root(&gateway, &request, ONE_DAY)
}

fn at_root(gateway: &Gateway, request: &Request, cache: &'static str) -> Result<Response, Problem> {
    let name = request.uri().path().trim_start_matches('/');
    let file = gateway.page.get(name).ok_or(Problem::not_found())?;
    Ok(answer(gateway, file, request.headers(), cache))
}

/// Answers with a file in the best encoding that it has and the client takes.
fn answer(
    gateway: &Gateway,
    file: &PageFile,
    headers: &HeaderMap,
    cache: &'static str,
) -> Response {
    let (encoding, bytes) = choose(file, headers);
    let tag = match encoding {
        Some(encoding) => format!("\"{}-{encoding}\"", file.hash),
        None => format!("\"{}\"", file.hash),
    };
    let mut response = Response::new(Body::empty());
    let answered = response.headers_mut();
    answered.insert(header::CONTENT_SECURITY_POLICY, gateway.page_policy.clone());
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

/// The form of a file that the client likes best.
fn choose(file: &PageFile, headers: &HeaderMap) -> (Option<&'static str>, Bytes) {
    let bytes = |encoding| match encoding {
        Encoding::Brotli => file.brotli.as_ref(),
        Encoding::Gzip => file.gzip.as_ref(),
        Encoding::Identity => Some(&file.plain),
        Encoding::Zstd => None,
    };
    let encoding = encoding::choose(headers, |encoding| bytes(encoding).is_some());
    (encoding.name(), bytes(encoding).unwrap_or(&file.plain).clone())
}
