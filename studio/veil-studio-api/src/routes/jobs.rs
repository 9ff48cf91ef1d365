//! Jobs and the queue.
//!
//! Owns: what of the library and of productions a job works on (files are named by their ids, never by paths), and what a job looks like from
//! outside. Refuses to know: how jobs are done.

use std::path::{Path as FilePath, PathBuf};

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::{Extension, Json};
use jiff::Timestamp;
use veil_studio::jobs::{
    self, HideJob, ImportJob, JobId, JobMessage, JobSecret, JobSpec, MakeJob, RevealJob, TraceJob,
    Typed,
};
use veil_studio::trace::EPSILON;

use super::Answer;
use crate::app::Api;
use crate::document;
use crate::extract::{Body, Params};
use crate::payload;
use crate::problem::Problem;
use crate::range::{self, Sent};
use crate::session::Caller;
use crate::wire::Page;
use crate::wire::jobs::{Job, JobLog, JobQuery, NewJob, Profile, Queue, Reprioritise};

/// Lists jobs, newest first; their command lines are told of one alone.
#[utoipa::path(get, path = "/v1/jobs", tag = "jobs", params(JobQuery), responses((status = 200, body = Page<Job>)))]
pub(crate) async fn list(
    State(api): State<Api>,
    Params(query): Params<JobQuery>,
) -> Answer<Page<Job>> {
    let wrong = |what: &str| Problem::bad_request().detail(what.to_owned());
    let words =
        query.state.iter().flat_map(|states| states.split(',')).filter(|word| !word.is_empty());
    let states: Option<Vec<_>> = words.map(jobs::JobState::of_word).collect();
    let states = states.ok_or(wrong(
        "state is one or more of waiting, running, paused, cancelling, done, failed, cancelled",
    ))?;
    let after = query.after.map(|after| after.parse().map_err(|_| wrong("after is a job's id")));
    let after = after.transpose()?;
    let limit = query.limit.unwrap_or(100).clamp(1, crate::wire::LIMIT_MAX);
    let total = api.jobs().count(&states).await?;
    let asked = jobs::JobQuery { states, after, limit: limit.into() };
    let items: Vec<Job> = api.jobs().list(asked).await?.into_iter().map(Job::from).collect();
    let is_full = items.len() >= usize::try_from(limit).unwrap_or(usize::MAX);
    let next = if is_full { items.last().map(|job| job.id.clone()) } else { None };
    Ok(Json(Page { items, next, total }))
}

/// Adds a job.
#[utoipa::path(post, path = "/v1/jobs", tag = "jobs", request_body = NewJob,
    responses((status = 201, body = Job), (status = 404, description = "no such production, medium or job"),
        (status = 422, description = "makes no sense"), (status = 429, description = "too many; Retry-After says when")))]
pub(crate) async fn create(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Body(new): Body<NewJob>,
) -> Result<(StatusCode, Json<Job>), Problem> {
    let (spec, priority) = spec(&api, new).await?;
    let hidden = match &spec {
        JobSpec::Hide(job) => {
            job.payload.first().and_then(|file| file.parent()).map(FilePath::to_owned)
        }
        _ => None,
    };
    let submitted = api.jobs().submit(jobs::NewJob { spec, priority, client: caller.name() }).await;
    if let Some(folder) = hidden {
        match &submitted {
            Ok(id) => api.payloads().note(*id, folder),
            Err(_) => payload::remove(&folder),
        }
    }
    let id = submitted?;
    Ok((StatusCode::CREATED, told(&api, id).await?))
}

/// Tells of a job.
#[utoipa::path(get, path = "/v1/jobs/{id}", tag = "jobs", params(("id" = String, Path)),
    responses((status = 200, body = Job), (status = 404, description = "no such job")))]
pub(crate) async fn get(State(api): State<Api>, Path(id): Path<String>) -> Answer<Job> {
    told(&api, number(&id)?).await
}

/// Gives a job another priority.
#[utoipa::path(patch, path = "/v1/jobs/{id}", tag = "jobs", params(("id" = String, Path)), request_body = Reprioritise,
    responses((status = 200, body = Job), (status = 404, description = "no such job"), (status = 409, description = "it has ended")))]
pub(crate) async fn prioritise(
    State(api): State<Api>,
    Path(id): Path<String>,
    Body(new): Body<Reprioritise>,
) -> Answer<Job> {
    let id = number(&id)?;
    api.jobs().set_priority(id, new.priority).await?;
    told(&api, id).await
}

/// Forgets a job that has ended, and what it left.
#[utoipa::path(delete, path = "/v1/jobs/{id}", tag = "jobs", params(("id" = String, Path)),
    responses((status = 204, description = "forgotten"), (status = 404, description = "no such job"), (status = 409, description = "it has not ended")))]
pub(crate) async fn dismiss(
    State(api): State<Api>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    api.jobs().dismiss(number(&id)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Cancels a job.
#[utoipa::path(post, path = "/v1/jobs/{id}/cancel", tag = "jobs", params(("id" = String, Path)),
    responses((status = 200, body = Job), (status = 404, description = "no such job"), (status = 409, description = "it has ended")))]
pub(crate) async fn cancel(State(api): State<Api>, Path(id): Path<String>) -> Answer<Job> {
    let id = number(&id)?;
    api.jobs().cancel(id).await?;
    told(&api, id).await
}

/// Pauses a job.
#[utoipa::path(post, path = "/v1/jobs/{id}/pause", tag = "jobs", params(("id" = String, Path)),
    responses((status = 200, body = Job), (status = 404, description = "no such job"), (status = 409, description = "it has ended")))]
pub(crate) async fn pause(State(api): State<Api>, Path(id): Path<String>) -> Answer<Job> {
    let id = number(&id)?;
    api.jobs().pause(id).await?;
    told(&api, id).await
}

/// Goes on with a paused job.
#[utoipa::path(post, path = "/v1/jobs/{id}/resume", tag = "jobs", params(("id" = String, Path)),
    responses((status = 200, body = Job), (status = 404, description = "no such job"), (status = 409, description = "it is not paused")))]
pub(crate) async fn resume(State(api): State<Api>, Path(id): Path<String>) -> Answer<Job> {
    let id = number(&id)?;
    api.jobs().resume(id).await?;
    told(&api, id).await
}

/// Tries a job again that failed or was cancelled.
#[utoipa::path(post, path = "/v1/jobs/{id}/retry", tag = "jobs", params(("id" = String, Path)),
    responses((status = 200, body = Job), (status = 404, description = "no such job"), (status = 409, description = "it did not fail")))]
pub(crate) async fn retry(State(api): State<Api>, Path(id): Path<String>) -> Answer<Job> {
    let id = number(&id)?;
    api.jobs().retry(id).await?;
    told(&api, id).await
}

/// Tells the end of a job's log.
#[utoipa::path(get, path = "/v1/jobs/{id}/log", tag = "jobs", params(("id" = String, Path)),
    responses((status = 200, body = JobLog), (status = 404, description = "no such job")))]
pub(crate) async fn log(State(api): State<Api>, Path(id): Path<String>) -> Answer<JobLog> {
    Ok(Json(JobLog { lines: api.jobs().log(number(&id)?).await? }))
}

/// Sends a file that a job made, or the range of it that is asked for.
#[utoipa::path(get, path = "/v1/jobs/{id}/outputs/{name}", tag = "jobs", params(("id" = String, Path), ("name" = String, Path)),
    responses((status = 200, content_type = "application/octet-stream", body = Vec<u8>), (status = 206, description = "the range"),
        (status = 404, description = "no such job or file"), (status = 416, description = "no byte of the range is in it")))]
pub(crate) async fn output(
    State(api): State<Api>,
    Path((id, name)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let id = number(&id)?;
    let job = api.jobs().get(id).await?;
    let path = outputs(&api, &job).await?.into_iter().find(|(known, _)| *known == name);
    let (name, path) = path.ok_or(Problem::unknown())?;
    // A job that is done again leaves its files anew.
    let tag = format!("\"{id}-{}\"", job.attempts);
    let last = name.rsplit('/').next().unwrap_or_default();
    let sent = Sent { media_type: media_type(last), tag: &tag, save_as: Some(last) };
    range::file(&path, &headers, &sent).await
}

/// Tells how the queue is.
#[utoipa::path(get, path = "/v1/queue", tag = "jobs", responses((status = 200, body = Queue)))]
pub(crate) async fn queue(State(api): State<Api>) -> Answer<Queue> {
    Ok(Json(api.jobs().queue().await?.into()))
}

/// Begins nothing new from now on.
#[utoipa::path(post, path = "/v1/queue/drain", tag = "jobs", responses((status = 200, body = Queue)))]
pub(crate) async fn drain(State(api): State<Api>) -> Answer<Queue> {
    api.jobs().drain(true).await?;
    queue(State(api)).await
}

/// Begins new jobs again.
#[utoipa::path(post, path = "/v1/queue/resume", tag = "jobs", responses((status = 200, body = Queue)))]
pub(crate) async fn undrain(State(api): State<Api>) -> Answer<Queue> {
    api.jobs().drain(false).await?;
    queue(State(api)).await
}

fn number(id: &str) -> Result<JobId, Problem> {
    id.parse().map_err(|_| Problem::unknown())
}

async fn told(api: &Api, id: JobId) -> Answer<Job> {
    Ok(Json(api.jobs().get(id).await?.into()))
}

/// A job's files, by the names that are told.
async fn outputs(api: &Api, job: &jobs::Job) -> Result<Vec<(String, PathBuf)>, Problem> {
    let paths = api.jobs().outputs(job.id).await?;
    Ok(job.outputs.iter().map(|file| file.name.clone()).zip(paths).collect())
}

/// What is to be done, with the files of what was named.
async fn spec(api: &Api, new: NewJob) -> Result<(JobSpec, i64), Problem> {
    Ok(match new {
        NewJob::Make { production, draft, priority } => {
            let found = api.studio().catalogue().find_production(&production).await?;
            let document = document::of_files(api.studio(), found.document).await?;
            let (base, name) = (api.studio().data().media(), Some(found.name));
            let production = Some(found.id);
            (JobSpec::Make(MakeJob { document, base, name, draft, production }), priority)
        }
        NewJob::Import { media, job, name, mark, priority } => {
            let source = match (media, job) {
                (Some(id), None) => medium(api, &id).await?.1,
                (None, Some(id)) => video_of(api, number(&id)?).await?,
                _ => return Err(Problem::unprocessable().detail("name a medium or a job")),
            };
            let ladder = api.settings().import_ladder;
            let name = Some(name.trim().to_owned());
            let mark = mark.map(Into::into);
            let job = ImportJob { source, name, ladder, to: None, single_file: false, mark };
            (JobSpec::Import(job), priority)
        }
        NewJob::Hide { media, message, payload, passphrase, robust, profile, output, priority } => {
            let (name, carrier) = medium(api, &media).await?;
            let mut files = Vec::new();
            for id in &payload {
                files.push(medium(api, id).await?);
            }
            let data = api.studio().data();
            let payload = payload::folder(data, &files, Timestamp::now())?;
            let message = message.map(|text| JobMessage::Text { text: Typed::from(text) });
            let stem = FilePath::new(&name).file_stem().unwrap_or_default().to_string_lossy();
            let output = output.unwrap_or_else(|| format!("{stem}.mkv"));
            let usual = if robust { Profile::SameSize } else { Profile::Default };
            let (profile, secret) = (profile.unwrap_or(usual).into(), Some(secret(passphrase)));
            let recipients = Vec::new();
            let job = HideJob { carrier, payload, message, output, profile, recipients, secret };
            (JobSpec::Hide(job), priority)
        }
        NewJob::Reveal { media, passphrase, priority } => {
            let video = medium(api, &media).await?.1;
            let secret = Some(secret(passphrase));
            (JobSpec::Reveal(RevealJob { video, secret, identity: None }), priority)
        }
        NewJob::Trace { media, title, epsilon, priority } => {
            let (name, leak) = medium(api, &media).await?;
            let (name, epsilon) = (Some(name), epsilon.unwrap_or(EPSILON));
            (JobSpec::Trace(TraceJob { leak, name, title, epsilon }), priority)
        }
    })
}

fn secret(passphrase: String) -> JobSecret {
    JobSecret::Passphrase { text: Typed::from(passphrase) }
}

/// A medium's name and file.
async fn medium(api: &Api, id: &str) -> Result<(String, PathBuf), Problem> {
    let medium = api.studio().catalogue().find_medium(id).await?;
    let path = api.studio().medium_path(&medium);
    Ok((medium.name, path))
}

/// The video that a job made.
async fn video_of(api: &Api, id: JobId) -> Result<PathBuf, Problem> {
    let job = api.jobs().get(id).await?;
    let all = outputs(api, &job).await?;
    let video = all.into_iter().find(|(name, _)| media_type(name).starts_with("video/"));
    let none = || Problem::unprocessable().detail("the job has made no video");
    video.map(|(_, path)| path).ok_or_else(none)
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or_default() {
        "mp4" | "mov" => "video/mp4",
        "mkv" => "video/x-matroska",
        "vtt" => "text/vtt; charset=utf-8",
        "srt" => "application/x-subrip",
        "json" => "application/json",
        _ => "application/octet-stream",
    }
}

impl From<jobs::Job> for Job {
    fn from(job: jobs::Job) -> Self {
        Self {
            id: job.id.to_string(),
            kind: job.kind,
            name: job.name,
            state: job.state.into(),
            priority: job.priority,
            progress: job.progress.map(Into::into),
            attempts: job.attempts,
            created_at: job.created_at,
            started_at: job.started_at,
            ended_at: job.ended_at,
            error: job.error,
            commands: job.commands,
            outputs: job.outputs.into_iter().map(Into::into).collect(),
            production: job.production,
            title: job.title,
        }
    }
}
