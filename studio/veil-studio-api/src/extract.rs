//! What a request holds, read so that every refusal is a problem.
//!
//! Owns: JSON bodies and queries. A body counts as JSON where its `Content-Type` says so, which no form of another site can.

use axum::body::Body as HttpBody;
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use futures_util::StreamExt as _;
use serde::de::DeserializeOwned;

use crate::problem::Problem;

/// The largest JSON body: a production's document with its wrapping.
const BODY_BYTES_MAX: usize = 5 << 20;
/// How much of a body is read at all.
const DISCARDED_BYTES_MAX: usize = 32 << 20;

/// A JSON body.
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        if !is_json(request.headers()) {
            return Err(Problem::unsupported_media().detail("write Content-Type: application/json"));
        }
        let bytes = read_all(request.into_body()).await?;
        let read = serde_json::from_slice(&bytes);
        read.map(Self).map_err(|error| Problem::bad_request().detail(error.to_string()))
    }
}

/// Reads a body to its end. One that is too large is read on for a while, and forgotten: an answer that comes before the end of what it answers
/// is lost to most clients.
async fn read_all(body: HttpBody) -> Result<Vec<u8>, Problem> {
    let (mut bytes, mut arrived) = (Vec::new(), 0);
    let mut pieces = body.into_data_stream();
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|_| Problem::bad_request().detail("the body was cut"))?;
        arrived += piece.len();
        if arrived <= BODY_BYTES_MAX {
            bytes.extend_from_slice(&piece);
        } else if arrived > DISCARDED_BYTES_MAX {
            break;
        } else {
            bytes = Vec::new();
        }
    }
    if arrived > BODY_BYTES_MAX { Err(Problem::too_large()) } else { Ok(bytes) }
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let kind = kind.and_then(|kind| kind.split(';').next()).unwrap_or_default();
    kind.trim().eq_ignore_ascii_case("application/json")
}

/// What stands in the query.
pub(crate) struct Params<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let read = Query::try_from_uri(&parts.uri);
        read.map(|Query(query)| Self(query))
            .map_err(|error| Problem::bad_request().detail(error.body_text()))
    }
}
