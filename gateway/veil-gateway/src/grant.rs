//! Who may watch what: the bearer, and the grant's record in the bucket.
//!
//! Owns the gate before every playlist and signature: [`authorize`]. Refuses to open the envelope, and
//! to say anything of a grant (that it expired, that it was revoked) to who has not shown its bearer.
//! Records are read through [`crate::cache`], so a revocation holds within seconds; [`forget`] makes it hold at once.

mod pattern;
mod record;

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Extension, Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::IntoResponse;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::cache::{Kind, Missing};
use crate::gateway::Gateway;
use crate::hosts::Host;
use crate::names::GrantId;
use crate::problem::Problem;

pub(crate) use pattern::Pattern;
pub(crate) use record::Grant;
use record::{Record, WireGrant};

/// Largest record, in bytes (`docs/format/grant.md`); it is read for every playlist.
const RECORD_BYTES_MAX: u64 = 16 << 10;

/// Where records lie in the bucket.
const FOLDER: &str = "g/";

const MALFORMED_ID: Problem = Problem::bad_request("a grant id is 32 lower-case hex digits");

/// Grants and signed URLs are one viewer's.
pub(crate) const PRIVATE: (header::HeaderName, HeaderValue) =
    (header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));

/// What a player gets first.
#[derive(Serialize)]
struct WireAnswer<'a> {
    grant: &'a WireGrant,
    now: String,
    index_url: String,
    urls: BTreeMap<String, String>,
}

/// A grant's record, parsed.
pub(crate) struct Sheet {
    /// SHA-256 of the bearer.
    bearer_sha256: [u8; 32],
    said: Said,
}

/// What a record says to who shows its bearer.
enum Said {
    Granted(Arc<Grant>),
    Revoked,
    /// Nothing that a record says.
    Nonsense,
}

impl Sheet {
    /// How records are read.
    pub(crate) fn kind(limit_bytes: u64) -> Kind<Self> {
        Kind {
            name: "grants",
            limit_bytes,
            document_bytes_max: RECORD_BYTES_MAX,
            parse: Self::parse,
            weigh: Self::size_bytes,
        }
    }

    fn parse(key: &str, document: &[u8]) -> Option<Self> {
        let id = GrantId::parse(key.strip_prefix(FOLDER)?)?;
        let record = Record::parse(document)?;
        let bearer_sha256 = record.bearer_sha256;
        let said = match record.into_grant(id) {
            Some(Some(grant)) => Said::Granted(Arc::new(grant)),
            Some(None) => Said::Revoked,
            None => Said::Nonsense,
        };
        Some(Self { bearer_sha256, said })
    }

    fn size_bytes(&self) -> usize {
        let said = match &self.said {
            Said::Granted(grant) => grant.size_bytes(),
            Said::Revoked | Said::Nonsense => 0,
        };
        size_of::<Self>() + said
    }
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
    let signed = crate::objects::sign_names(&gateway, &host, &grant, &grant.preload, now)?;
    let index_url = format!("/v1/grants/{}/{}", grant.id.as_str(), grant.index.as_str());
    let answer =
        WireAnswer { grant: &grant.wire, now: format_time(now), index_url, urls: signed.urls };
    Ok(([PRIVATE], signed.cookies, Json(answer).into_response()))
}

/// `POST /v1/grants/{grant}/forget`: what is known of a grant is dropped; the next request reads its record.
pub(crate) async fn forget(
    State(gateway): State<Gateway>,
    id: Result<Path<String>, PathRejection>,
) -> Result<StatusCode, Problem> {
    let Path(id) = id?;
    let id = GrantId::parse(&id).ok_or(MALFORMED_ID)?;
    gateway.grants.forget(&key(&id));
    Ok(StatusCode::NO_CONTENT)
}

fn key(id: &GrantId) -> String {
    format!("{FOLDER}{}", id.as_str())
}

/// Reads the grant that a request's bearer opens, if it is in force at `now`.
pub(crate) async fn authorize(
    gateway: &Gateway,
    id: &str,
    headers: &HeaderMap,
    now: Timestamp,
) -> Result<Arc<Grant>, Problem> {
    let id = GrantId::parse(id).ok_or(MALFORMED_ID)?;
    let bearer_sha256 = bearer_sha256(headers)?;
    let sheet = gateway.grants.get(&key(&id)).await.map_err(|missing| match missing {
        Missing::Unknown => Problem::grant_unknown(),
        Missing::Invalid => Problem::record_invalid(),
        Missing::Unavailable => Problem::store_unavailable(),
        Missing::Busy => Problem::busy(),
    })?;
    if !bool::from(sheet.bearer_sha256.ct_eq(&bearer_sha256)) {
        return Err(Problem::bearer_wrong());
    }
    match &sheet.said {
        Said::Nonsense => Err(Problem::record_invalid()),
        Said::Revoked => Err(Problem::grant_revoked()),
        Said::Granted(grant) if grant.end.is_some_and(|end| now >= end) => {
            Err(Problem::grant_expired())
        }
        Said::Granted(grant) => Ok(Arc::clone(grant)),
    }
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
