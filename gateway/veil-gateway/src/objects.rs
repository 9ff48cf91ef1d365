//! Sealed objects: their signed URLs, and in `local` mode their bytes.
//!
//! Owns `POST …/sign` and `GET /o/t/…`: one range, `If-None-Match`, `If-Range`, `HEAD`. Refuses every
//! key but a sealed object's: the route takes a title and an object name, so grants and playlists
//! cannot be read here, however they are signed.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Extension, Path, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse, Response};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use veil_presign::{Names, VerifyError};

use crate::bucket::{Opened, ReadError};
use crate::cache::Room;
use crate::conditions;
use crate::gateway::Gateway;
use crate::grant::{self, Grant, PRIVATE};
use crate::hosts::Host;
use crate::names::{ObjectName, TitleId};
use crate::problem::Problem;
use crate::signer::{Form, Purpose, Signer};

/// Most names that are signed in one request.
const NAME_COUNT_MAX: usize = 64;

/// Largest body of a signing request, in bytes: 64 names take 2,250, with room for white space.
const SIGN_BODY_BYTES_MAX: usize = 4096;

/// How long the body of a signing request may take.
const SIGN_BODY_TIMEOUT: Duration = Duration::from_secs(10);

#[derive(Deserialize)]
struct WireNames {
    names: Vec<String>,
}

#[derive(Serialize)]
struct WireUrls {
    urls: BTreeMap<String, String>,
}

/// `POST /v1/grants/{grant}/sign`
pub(crate) async fn sign(
    State(gateway): State<Gateway>,
    Extension(host): Extension<Host>,
    id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    body: Body,
) -> Result<impl IntoResponse, Problem> {
    let Path(id) = id?;
    let now = gateway.now();
    let grant = grant::authorize(&gateway, &id, &headers, now).await?;
    let names = read_names(&headers, body).await?;
    let Signed { urls, cookies } = sign_names(&gateway, &host, &grant, &names, now)?;
    Ok(([PRIVATE], cookies, Json(WireUrls { urls })))
}

async fn read_names(headers: &HeaderMap, body: Body) -> Result<Vec<ObjectName>, Problem> {
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse().ok());
    if announced.is_some_and(|bytes: u64| bytes > SIGN_BODY_BYTES_MAX as u64) {
        return Err(Problem::body_too_large());
    }
    let read = axum::body::to_bytes(body, SIGN_BODY_BYTES_MAX);
    let body = match tokio::time::timeout(SIGN_BODY_TIMEOUT, read).await {
        Ok(Ok(body)) => body,
        Ok(Err(_)) => return Err(Problem::body_too_large()),
        Err(_) => return Err(Problem::body_late()),
    };
    let names: WireNames = serde_json::from_slice(&body)
        .map_err(|_| Problem::bad_request("the body is not {\"names\": [\"<object name>\", …]}"))?;
    if !(1..=NAME_COUNT_MAX).contains(&names.names.len()) {
        return Err(Problem::bad_request("a signing request has 1 to 64 names"));
    }
    let names = names.names.iter().map(|name| ObjectName::parse(name)).collect::<Option<_>>();
    names.ok_or(Problem::bad_request("an object name is 32 lower-case hex digits"))
}

/// URLs of single objects, by name, and the cookies that they need.
pub(crate) struct Signed {
    pub(crate) urls: BTreeMap<String, String>,
    pub(crate) cookies: AppendHeaders<Vec<(header::HeaderName, HeaderValue)>>,
}

/// URLs of single objects that were signed, by what they depend on.
pub(crate) type SignedUrls = Room<[u8; 32], Arc<str>>;

/// Signs objects of a grant's title.
pub(crate) fn sign_names(
    gateway: &Gateway,
    host: &Host,
    grant: &Grant,
    objects: &[ObjectName],
    now: Timestamp,
) -> Result<Signed, Problem> {
    let signer = gateway.signer(&grant.title);
    let folder = grant.title.folder();
    let purpose = Purpose { host, folder: &folder, duration_s: 0, end: grant.end };
    let names: Vec<&str> = objects.iter().map(ObjectName::as_str).collect();
    sign_each(gateway, &signer, &purpose, &names, now)
}

/// Signs objects of a folder, those that were not signed lately.
pub(crate) fn sign_each(
    gateway: &Gateway,
    signer: &Signer,
    purpose: &Purpose<'_>,
    names: &[&str],
    now: Timestamp,
) -> Result<Signed, Problem> {
    let stamp = signer.stamp(purpose, now).ok_or_else(Problem::credential_ended)?;
    let mut shared = Sha256::new();
    signer.mark(purpose, stamp, &mut shared);
    let mut urls = BTreeMap::new();
    let mut unsigned = Vec::new();
    for name in names {
        let key: [u8; 32] = shared.clone().chain_update(name).finalize().into();
        let known = gateway.urls.get(&key);
        gateway.urls.count(known.is_some());
        match known {
            Some(url) => drop(urls.insert((*name).to_owned(), url.to_string())),
            None => unsigned.push((*name, key)),
        }
    }
    let mut cookies = Vec::new();
    if !unsigned.is_empty() || signer.has_cookies() {
        let made = signer.urls(purpose, stamp).map_err(|_| Problem::internal())?;
        let names = Names::new(unsigned.iter().map(|(name, _)| *name));
        let written = made.write(signer.lanes, &names, Form::Whole);
        gateway.metrics.signed(unsigned.len());
        for (at, (name, key)) in unsigned.into_iter().enumerate() {
            let mut url = Vec::new();
            written.push(at, &mut url);
            let url = String::from_utf8_lossy(&url).into_owned();
            gateway.urls.insert(key, url.as_str().into());
            urls.insert(name.to_owned(), url);
        }
        let values = made.cookies.iter().filter_map(|value| HeaderValue::try_from(value).ok());
        cookies.extend(values.map(|value| (header::SET_COOKIE, value)));
    }
    Ok(Signed { urls, cookies: AppendHeaders(cookies) })
}

/// `GET`, `HEAD /o/t/{title}/{name}?X-Amz-…`
pub(crate) async fn serve(
    State(gateway): State<Gateway>,
    Extension(host): Extension<Host>,
    path: Result<Path<(String, String)>, PathRejection>,
    request: Request,
) -> Result<Response, Problem> {
    let Path((title, name)) = path?;
    let title = TitleId::parse(&title)
        .ok_or(Problem::bad_request("a title id is 32 lower-case hex digits"))?;
    let name = ObjectName::parse(&name)
        .ok_or(Problem::bad_request("an object name is 32 lower-case hex digits"))?;
    let now = gateway.now();
    let query = request.uri().query().unwrap_or_default();
    let end = gateway
        .signer(&title)
        .verify(&host, request.uri().path(), query, now)
        .map_err(|error| signature_problem(&error))?;
    let key = [&title.folder(), name.as_str()].concat();
    let is_head = request.method() == Method::HEAD;
    // A sealed object never changes, so a browser may keep it as long as its URL lives.
    let left_s = end.as_second() - now.as_second();
    let cache = HeaderValue::try_from(format!("private, max-age={left_s}, immutable"));
    let cache = cache.map_err(|_| Problem::internal())?;
    let how = Presentation { cache, media_type: "application/octet-stream" };
    present(&gateway, &key, request.headers(), is_head, &how).await
}

/// How an object is shown: for how long it is good, and as what.
pub(crate) struct Presentation {
    pub(crate) cache: HeaderValue,
    pub(crate) media_type: &'static str,
}

/// Answers with an object, or the part of it that a request's headers ask for.
pub(crate) async fn present(
    gateway: &Gateway,
    key: &str,
    headers: &HeaderMap,
    is_head: bool,
    how: &Presentation,
) -> Result<Response, Problem> {
    let selected = open(gateway, key, headers, is_head).await?;
    Ok(answer(selected, headers, is_head, how))
}

fn signature_problem(error: &VerifyError) -> Problem {
    match error {
        VerifyError::Expired { .. } => Problem::url_expired(),
        _ => Problem::signature_invalid(),
    }
}

/// An object with what was asked of it: all of it, or the range of a `206`.
struct Selected {
    opened: Opened,
    is_partial: bool,
}

async fn open(
    gateway: &Gateway,
    key: &str,
    headers: &HeaderMap,
    is_head: bool,
) -> Result<Selected, Problem> {
    let wanted = if is_head { None } else { conditions::parse_range(headers) };
    let read = |range| async { gateway.bucket.open(key, range).await.map_err(read_problem) };
    let Some(range) = wanted else {
        return Ok(Selected { opened: read(None).await?, is_partial: false });
    };
    // Conditions come before the range (RFC 9110 §13.2.2), and only the whole object tells its tag.
    if headers.contains_key(header::IF_NONE_MATCH) || headers.contains_key(header::IF_RANGE) {
        let opened = read(None).await?;
        let tag = opened.etag.as_deref().unwrap_or_default();
        if conditions::none_match(headers, tag) || conditions::is_stale(headers, tag) {
            return Ok(Selected { opened, is_partial: false });
        }
    }
    Ok(Selected { opened: read(Some(range)).await?, is_partial: true })
}

fn read_problem(error: ReadError) -> Problem {
    match error {
        ReadError::Unknown => Problem::object_unknown(),
        ReadError::Range { size_bytes } => Problem::range_unsatisfiable(size_bytes),
        ReadError::TooLarge | ReadError::Unchanged | ReadError::Unavailable => {
            Problem::store_unavailable()
        }
    }
}

fn answer(selected: Selected, headers: &HeaderMap, is_head: bool, how: &Presentation) -> Response {
    let Selected { opened, is_partial } = selected;
    let mut response = Response::new(Body::empty());
    let answered = response.headers_mut();
    answered.insert(header::CACHE_CONTROL, how.cache.clone());
    answered.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    if let Some(tag) = &opened.etag {
        insert(answered, header::ETAG, tag.clone());
        if conditions::none_match(headers, tag) {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            return response;
        }
    }
    answered.insert(header::CONTENT_TYPE, HeaderValue::from_static(how.media_type));
    let sent = opened.range.end - opened.range.start;
    answered.insert(header::CONTENT_LENGTH, HeaderValue::from(sent));
    if is_partial {
        let (first, last) = (opened.range.start, opened.range.end.saturating_sub(1));
        let value = format!("bytes {first}-{last}/{}", opened.size_bytes);
        insert(answered, header::CONTENT_RANGE, value);
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    }
    if !is_head {
        *response.body_mut() = opened.into_body();
    }
    response
}

fn insert(headers: &mut HeaderMap, name: header::HeaderName, value: String) {
    if let Ok(value) = HeaderValue::try_from(value) {
        headers.insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::stream;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_body_that_does_not_arrive_is_given_up() {
        let silent = stream::pending::<Result<bytes::Bytes, std::io::Error>>();
        let started = tokio::time::Instant::now();
        let read = read_names(&HeaderMap::new(), Body::from_stream(silent)).await;
        let answer = read.err().unwrap().into_response();
        assert_eq!(answer.status(), StatusCode::REQUEST_TIMEOUT);
        assert_eq!(started.elapsed(), SIGN_BODY_TIMEOUT);
    }
}
