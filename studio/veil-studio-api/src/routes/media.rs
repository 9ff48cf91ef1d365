//! The media library.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::json;
use veil_studio::catalogue::library;
use veil_studio::catalogue::watched::Seen;

use super::Answer;
use super::titles::part;
use crate::app::Api;
use crate::extract::{Body, Params};
use crate::problem::Problem;
use crate::range::{self, Sent};
use crate::wire::library::{MediaKind, Medium, Watched, WatchedFile, Waveform};
use crate::wire::{Page, PageQuery, Rename};

/// What a library's derived files are cached for: their content never changes.
const KEEP: &str = "private, max-age=31536000, immutable";

/// How many files of watched folders are told of.
const WATCHED_LAST: u32 = 20;

/// Lists the library, newest first.
#[utoipa::path(get, path = "/v1/media", tag = "media", params(PageQuery), responses((status = 200, body = Page<Medium>)))]
pub(crate) async fn list(
    State(api): State<Api>,
    Params(query): Params<PageQuery>,
) -> Answer<Page<Medium>> {
    let all = api.studio().catalogue().list_media(&part(&query)).await?.map(wire);
    Ok(Json(Page { items: all.items, next: all.next, total: all.total }))
}

/// Tells of a file.
#[utoipa::path(get, path = "/v1/media/{id}", tag = "media", params(("id" = String, Path)),
    responses((status = 200, body = Medium), (status = 404, description = "no such file")))]
pub(crate) async fn get(State(api): State<Api>, Path(id): Path<String>) -> Answer<Medium> {
    Ok(Json(wire(api.studio().catalogue().find_medium(&id).await?)))
}

/// Tells of watched folders, and of what came out of them last.
#[utoipa::path(get, path = "/v1/watched", tag = "media", responses((status = 200, body = Watched)))]
pub(crate) async fn watched(State(api): State<Api>) -> Answer<Watched> {
    let Some(watch) = api.watch() else { return Ok(Json(Watched::default())) };
    let standing = watch.standing().await?;
    let last = api.studio().catalogue().last_watched(WATCHED_LAST).await?;
    Ok(Json(Watched {
        folders: standing.folders.iter().map(|path| path.display().to_string()).collect(),
        is_told: standing.is_told,
        waiting: standing.waiting as u64,
        taken: standing.counts.taken,
        refused: standing.counts.refused,
        fault: standing.fault,
        last: last.into_iter().map(file).collect(),
    }))
}

fn file(seen: Seen) -> WatchedFile {
    let Seen { path, medium, error, at, .. } = seen;
    WatchedFile { path, media: medium, error, at }
}

/// Tells of a new file, and makes what is looked at first.
pub(crate) fn arrived(api: &Api, medium: library::Medium) {
    api.events().tell("media", &wire(medium.clone()));
    let api = api.clone();
    tokio::spawn(async move {
        // Whoever asks for them gets the error.
        let _ = api.shelf().thumbnail(api.studio(), &medium).await;
        let _ = api.shelf().waveform(api.studio(), &medium).await;
        api.trim_cache();
    });
}

/// Gives a file another name.
#[utoipa::path(patch, path = "/v1/media/{id}", tag = "media", params(("id" = String, Path)), request_body = Rename,
    responses((status = 200, body = Medium), (status = 404, description = "no such file")))]
pub(crate) async fn rename(
    State(api): State<Api>,
    Path(id): Path<String>,
    Body(rename): Body<Rename>,
) -> Answer<Medium> {
    let renamed = api.studio().catalogue().rename_medium(&id, rename.name.trim()).await?;
    let renamed = wire(renamed);
    api.events().tell("media", &renamed);
    Ok(Json(renamed))
}

/// Deletes a file. Productions that name it can't be made any more.
#[utoipa::path(delete, path = "/v1/media/{id}", tag = "media", params(("id" = String, Path)),
    responses((status = 204, description = "deleted"), (status = 404, description = "no such file")))]
pub(crate) async fn remove(
    State(api): State<Api>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    api.studio().remove_medium(&id).await?;
    api.events().tell("media", &json!({ "id": id, "removed": true }));
    Ok(StatusCode::NO_CONTENT)
}

/// Shows a file's thumbnail: a WebP of at most 320 pixels a side.
#[utoipa::path(get, path = "/v1/media/{id}/thumbnail", tag = "media", params(("id" = String, Path)),
    responses((status = 200, content_type = "image/webp", body = Vec<u8>), (status = 404, description = "no such file, or it has none")))]
pub(crate) async fn thumbnail(
    State(api): State<Api>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let medium = api.studio().catalogue().find_medium(&id).await?;
    let bytes = api.shelf().thumbnail(api.studio(), &medium).await?.ok_or(Problem::unknown())?;
    Ok(([(header::CONTENT_TYPE, "image/webp"), (header::CACHE_CONTROL, KEEP)], bytes)
        .into_response())
}

/// Tells how loud a file is over time.
#[utoipa::path(get, path = "/v1/media/{id}/waveform", tag = "media", params(("id" = String, Path)),
    responses((status = 200, body = Waveform), (status = 404, description = "no such file, or it has no sound")))]
pub(crate) async fn waveform(
    State(api): State<Api>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let medium = api.studio().catalogue().find_medium(&id).await?;
    let bytes = api.shelf().waveform(api.studio(), &medium).await?.ok_or(Problem::unknown())?;
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, KEEP)];
    Ok((headers, bytes).into_response())
}

/// Sends a file, or the range of it that is asked for.
#[utoipa::path(get, path = "/v1/media/{id}/content", tag = "media", params(("id" = String, Path)),
    responses((status = 200, content_type = "application/octet-stream", body = Vec<u8>), (status = 206, description = "the range"),
        (status = 404, description = "no such file"), (status = 416, description = "no byte of the range is in it")))]
pub(crate) async fn content(
    State(api): State<Api>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let medium = api.studio().catalogue().find_medium(&id).await?;
    let path = api.studio().medium_path(&medium);
    let tag = format!("\"{}\"", &medium.hash);
    let sent = Sent { media_type: &medium.media_type, tag: &tag, save_as: None };
    range::file(&path, &headers, &sent).await
}

/// A file as it travels.
pub(crate) fn wire(one: library::Medium) -> Medium {
    let kind = match one.kind.as_str() {
        "video" => MediaKind::Video,
        "audio" => MediaKind::Audio,
        _ => MediaKind::Image,
    };
    Medium {
        id: one.id,
        name: one.name,
        bytes: one.bytes,
        kind,
        duration_us: one.duration_us,
        width: one.width,
        height: one.height,
        codec: one.codec,
        media_type: one.media_type,
        added_at: one.added_at,
        hash: one.hash,
        has_thumbnail: one.has_thumbnail,
        has_waveform: one.has_waveform,
    }
}
