//! Jobs and the queue.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use super::Answer;
use crate::app::Api;
use crate::extract::{Body, Params};
use crate::problem::Problem;
use crate::wire::Page;
use crate::wire::jobs::{Job, JobLog, JobQuery, NewJob, Queue, Reprioritise};

/// Lists jobs, newest first.
#[utoipa::path(get, path = "/v1/jobs", tag = "jobs", params(JobQuery), responses((status = 200, body = Page<Job>)))]
pub(crate) async fn list(State(_): State<Api>, Params(_): Params<JobQuery>) -> Answer<Page<Job>> {
    Err(Problem::unavailable())
}

/// Adds a job.
#[utoipa::path(post, path = "/v1/jobs", tag = "jobs", request_body = NewJob,
    responses((status = 201, body = Job), (status = 404, description = "no such production, medium or job"),
        (status = 422, description = "makes no sense"), (status = 429, description = "too many; Retry-After says when")))]
pub(crate) async fn create(
    State(_): State<Api>,
    Body(_): Body<NewJob>,
) -> Result<(StatusCode, Json<Job>), Problem> {
    Err(Problem::unavailable())
}

/// Tells of a job.
#[utoipa::path(get, path = "/v1/jobs/{id}", tag = "jobs", params(("id" = String, Path)),
    responses((status = 200, body = Job), (status = 404, description = "no such job")))]
pub(crate) async fn get(State(_): State<Api>, Path(_): Path<String>) -> Answer<Job> {
    Err(Problem::unavailable())
}

/// Gives a job another priority.
#[utoipa::path(patch, path = "/v1/jobs/{id}", tag = "jobs", params(("id" = String, Path)), request_body = Reprioritise,
    responses((status = 200, body = Job), (status = 404, description = "no such job"), (status = 409, description = "it has ended")))]
pub(crate) async fn prioritise(
    State(_): State<Api>,
    Path(_): Path<String>,
    Body(_): Body<Reprioritise>,
) -> Answer<Job> {
    Err(Problem::unavailable())
}

/// Cancels a job.
#[utoipa::path(post, path = "/v1/jobs/{id}/cancel", tag = "jobs", params(("id" = String, Path)),
    responses((status = 200, body = Job), (status = 404, description = "no such job"), (status = 409, description = "it has ended")))]
pub(crate) async fn cancel(State(_): State<Api>, Path(_): Path<String>) -> Answer<Job> {
    Err(Problem::unavailable())
}

/// Pauses a job.
#[utoipa::path(post, path = "/v1/jobs/{id}/pause", tag = "jobs", params(("id" = String, Path)),
    responses((status = 200, body = Job), (status = 404, description = "no such job"), (status = 409, description = "it has ended")))]
pub(crate) async fn pause(State(_): State<Api>, Path(_): Path<String>) -> Answer<Job> {
    Err(Problem::unavailable())
}

/// Goes on with a paused job.
#[utoipa::path(post, path = "/v1/jobs/{id}/resume", tag = "jobs", params(("id" = String, Path)),
    responses((status = 200, body = Job), (status = 404, description = "no such job"), (status = 409, description = "it is not paused")))]
pub(crate) async fn resume(State(_): State<Api>, Path(_): Path<String>) -> Answer<Job> {
    Err(Problem::unavailable())
}

/// Tries a job again that failed or was cancelled.
#[utoipa::path(post, path = "/v1/jobs/{id}/retry", tag = "jobs", params(("id" = String, Path)),
    responses((status = 200, body = Job), (status = 404, description = "no such job"), (status = 409, description = "it did not fail")))]
pub(crate) async fn retry(State(_): State<Api>, Path(_): Path<String>) -> Answer<Job> {
    Err(Problem::unavailable())
}

/// Tells the end of a job's log.
#[utoipa::path(get, path = "/v1/jobs/{id}/log", tag = "jobs", params(("id" = String, Path)),
    responses((status = 200, body = JobLog), (status = 404, description = "no such job")))]
pub(crate) async fn log(State(_): State<Api>, Path(_): Path<String>) -> Answer<JobLog> {
    Err(Problem::unavailable())
}

/// Sends a file that a job made, or the range of it that is asked for.
#[utoipa::path(get, path = "/v1/jobs/{id}/outputs/{name}", tag = "jobs", params(("id" = String, Path), ("name" = String, Path)),
    responses((status = 200, content_type = "application/octet-stream", body = Vec<u8>), (status = 206, description = "the range"),
        (status = 404, description = "no such job or file"), (status = 416, description = "no byte of the range is in it")))]
pub(crate) async fn output(
    State(_): State<Api>,
    Path(_): Path<(String, String)>,
    _: HeaderMap,
) -> Result<Response, Problem> {
    Err(Problem::unavailable())
}

/// Tells how the queue is.
#[utoipa::path(get, path = "/v1/queue", tag = "jobs", responses((status = 200, body = Queue)))]
pub(crate) async fn queue(State(_): State<Api>) -> Answer<Queue> {
    Err(Problem::unavailable())
}

/// Begins nothing new from now on.
#[utoipa::path(post, path = "/v1/queue/drain", tag = "jobs", responses((status = 200, body = Queue)))]
pub(crate) async fn drain(State(_): State<Api>) -> Answer<Queue> {
    Err(Problem::unavailable())
}

/// Begins new jobs again.
#[utoipa::path(post, path = "/v1/queue/resume", tag = "jobs", responses((status = 200, body = Queue)))]
pub(crate) async fn undrain(State(_): State<Api>) -> Answer<Queue> {
    Err(Problem::unavailable())
}
