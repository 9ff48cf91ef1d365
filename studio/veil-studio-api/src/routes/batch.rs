//! Several reads in one request.
//!
//! Owns: what a batch may ask and how much it may answer. Invariant: it asks the same routes, behind the session that it came by; a batch of
//! batches is none, since the route of batches is not among them.

use axum::body::{Body as HttpBody, to_bytes};
use axum::http::{Method, Request, StatusCode, header};
use axum::response::Response;
use axum::{Extension, Json, Router};
use serde_json::Value;
use tower::ServiceExt as _;

use super::Answer;
use crate::extract::Body;
use crate::problem::Problem;
use crate::session::Caller;
use crate::wire::desk::{Batch, BatchAnswer, BatchAnswers, BatchRequest};

/// Most requests of a batch, and the most bytes of all its answers.
const REQUESTS_MAX: usize = 50;
const BYTES_MAX: usize = 8 << 20;
/// The longest path.
const PATH_BYTES_MAX: usize = 2048;

/// The routes that a batch may ask.
#[derive(Clone)]
pub(crate) struct Reads(pub(crate) Router);

/// Answers several reads at once, in their order.
#[utoipa::path(post, path = "/v1/batch", tag = "studio", request_body = Batch,
    responses((status = 200, body = BatchAnswers), (status = 422, description = "too many, or not reads")))]
pub(crate) async fn batch(
    Extension(Reads(routes)): Extension<Reads>,
    Extension(caller): Extension<Caller>,
    Body(batch): Body<Batch>,
) -> Answer<BatchAnswers> {
    if batch.requests.len() > REQUESTS_MAX {
        let what = format!("a batch has at most {REQUESTS_MAX} requests");
        return Err(Problem::unprocessable().detail(what));
    }
    let mut left = BYTES_MAX;
    let mut responses = Vec::with_capacity(batch.requests.len());
    for one in batch.requests {
        let (status, body) = match ask(&routes, &caller, &one, &mut left).await {
            Ok(answer) => answer,
            Err(problem) => {
                let body = problem.body();
                (body.status, serde_json::to_value(body).unwrap_or_default())
            }
        };
        responses.push(BatchAnswer { id: one.id, status, body });
    }
    Ok(Json(BatchAnswers { responses }))
}

async fn ask(
    routes: &Router,
    caller: &Caller,
    one: &BatchRequest,
    left: &mut usize,
) -> Result<(u16, Value), Problem> {
    let is_read = one.method.as_deref().is_none_or(|method| method == "GET");
    let is_ours = one.path.starts_with("/v1/") && one.path.len() <= PATH_BYTES_MAX;
    if !is_read || !is_ours {
        return Err(Problem::unprocessable().detail("a batch takes GET of paths below /v1/"));
    }
    let request = Request::builder().method(Method::GET).uri(&one.path).extension(caller.clone());
    let request = request.body(HttpBody::empty());
    let request = request.map_err(|_| Problem::bad_request().detail("the path is none"))?;
    let Ok(response) = routes.clone().oneshot(request).await;
    let status = response.status();
    if status == StatusCode::NOT_FOUND && !is_json(&response) {
        return Err(Problem::not_found());
    }
    if !is_json(&response) {
        return Err(Problem::unprocessable().detail("what this path answers is no JSON"));
    }
    let bytes = to_bytes(response.into_body(), *left).await;
    let bytes = bytes.map_err(|_| Problem::too_large().detail("ask for it alone"))?;
    *left -= bytes.len();
    let body = serde_json::from_slice(&bytes).map_err(|_| Problem::internal())?;
    Ok((status.as_u16(), body))
}

fn is_json(response: &Response) -> bool {
    let kind = response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    kind.is_some_and(|kind| kind == "application/json" || kind == "application/problem+json")
}
