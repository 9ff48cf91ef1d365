//! Who may watch what: the bearer, and the grant's record in the bucket.
//!
//! Owns the gate before every playlist and signature: [`authorize`]. Refuses to open the envelope, and
//! to say anything of a grant (that it expired, that it was revoked) to who has not shown its bearer.
//! Nothing is cached: a revocation holds from the next request on.

mod record;

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Extension, Path, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::IntoResponse;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::bucket::ReadError;
use crate::gateway::Gateway;
use crate::hosts::Host;
use crate::names::GrantId;
use crate::problem::Problem;

pub(crate) use record::Grant;
use record::{Record, WireGrant};

/// Largest record, in bytes (`docs/format/grant.md`); it is read for every playlist.
const RECORD_BYTES_MAX: u64 = 16 << 10;

/// Grants, playlists and signed URLs are one viewer's.
pub(crate) const PRIVATE: (header::HeaderName, HeaderValue) =
    (header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));

/// What a player gets first.
#[derive(Serialize)]
struct WireAnswer {
    grant: WireGrant,
    now: String,
    index_url: String,
    urls: BTreeMap<String, String>,
}

/// `GET /v1/grants/{grant}`
pub(crate) async fn show(
    State(gateway): State<Gateway>,
    Extension(host): Extension<Host>,
    id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Result<impl IntoResponse, Problem> {
    let Path(id) = id?;
    let now = gateway.now();
    let grant = authorize(&gateway, &id, &headers, now).await?;
    let names = grant.preload.iter().cloned();
    let urls = crate::objects::sign_names(&gateway, &host, &grant, names, now)?;
    let index_url = playlist_url(&grant.id, grant.index.as_str());
    let answer = WireAnswer { grant: grant.wire, now: format_time(now), index_url, urls };
    Ok(([PRIVATE], Json(answer)))
}

/// The root-relative URL of a playlist behind a grant.
pub(crate) fn playlist_url(id: &GrantId, name: &str) -> String {
    format!("/v1/grants/{}/{name}", id.as_str())
}

/// Reads the grant that a request's bearer opens, if it is in force at `now`.
pub(crate) async fn authorize(
    gateway: &Gateway,
    id: &str,
    headers: &HeaderMap,
    now: Timestamp,
) -> Result<Grant, Problem> {
    let id =
        GrantId::parse(id).ok_or(Problem::bad_request("a grant id is 32 lower-case hex digits"))?;
    let bearer_sha256 = bearer_sha256(headers)?;
    let key = format!("g/{}", id.as_str());
    let document = match gateway.bucket.read(&key, RECORD_BYTES_MAX).await {
        Ok(document) => document,
        Err(ReadError::Unknown) => return Err(Problem::grant_unknown()),
        Err(ReadError::TooLarge) => return Err(Problem::record_invalid()),
        Err(_) => return Err(Problem::store_unavailable()),
    };
    let record = Record::parse(&document).ok_or_else(Problem::record_invalid)?;
    if !bool::from(record.bearer_sha256.ct_eq(&bearer_sha256)) {
        return Err(Problem::bearer_wrong());
    }
    let grant = record.into_grant(id).ok_or_else(Problem::record_invalid)?;
    let Some(grant) = grant else { return Err(Problem::grant_revoked()) };
    if grant.end.is_some_and(|end| now >= end) {
        return Err(Problem::grant_expired());
    }
    Ok(grant)
}

/// The hash of the bearer that a request shows.
fn bearer_sha256(headers: &HeaderMap) -> Result<[u8; 32], Problem> {
    let value = headers.get(header::AUTHORIZATION).ok_or_else(Problem::bearer_missing)?;
    let text = value.to_str().map_err(|_| Problem::bearer_wrong())?;
    let (scheme, bearer) = text.split_once(' ').ok_or_else(Problem::bearer_missing)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(Problem::bearer_missing());
    }
    let mut bytes = zeroize::Zeroizing::new([0; 33]);
    match URL_SAFE_NO_PAD.decode_slice(bearer.trim(), bytes.as_mut_slice()) {
        Ok(32) => Ok(Sha256::digest(&bytes[..32]).into()),
        _ => Err(Problem::bearer_wrong()),
    }
}

/// RFC 3339 in UTC with whole seconds.
fn format_time(time: Timestamp) -> String {
    Timestamp::from_second(time.as_second()).unwrap_or(time).to_string()
}
