//! Productions: documents that somebody edits, each change on the revision before it.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use jiff::Timestamp;
use serde_json::{Value, json};
use veil_studio::catalogue::productions::{self, Edit, ProductionHead};
use veil_studio::make::document::Production;
use veil_studio::make::preview::Moment;
use veil_studio::make::script::rules::Rules;
use veil_studio::make::script::{STORY_BYTES_MAX, Script};
use veil_studio::make::story;

use super::Answer;
use super::titles::{part, text};
use crate::app::Api;
use crate::document;
use crate::extract::{Body, Params};
use crate::problem::Problem;
use crate::random;
use crate::wire::productions as wire;
use crate::wire::productions::{
    EditedProduction, NewProduction, ProductionSummary, Scenes, StillRequest, Story,
};
use crate::wire::{Page, PageQuery};

/// Lists productions, newest first.
#[utoipa::path(get, path = "/v1/productions", tag = "productions", params(PageQuery), responses((status = 200, body = Page<ProductionSummary>)))]
pub(crate) async fn list(
    State(api): State<Api>,
    Params(query): Params<PageQuery>,
) -> Answer<Page<ProductionSummary>> {
    let all = api.studio().catalogue().list_productions(&part(&query)).await?.map(summary);
    Ok(Json(Page { items: all.items, next: all.next, total: all.total }))
}

/// Adds a production: of a document, of a story, or an empty one.
#[utoipa::path(post, path = "/v1/productions", tag = "productions", request_body = NewProduction,
    responses((status = 201, body = wire::Production, headers(("ETag" = String))), (status = 422, description = "makes no sense")))]
pub(crate) async fn create(
    State(api): State<Api>,
    Body(new): Body<NewProduction>,
) -> Result<Response, Problem> {
    let mut document = new.document.unwrap_or_else(|| json!({ "version": 1, "scenes": [] }));
    if let (Some(text), Some(members)) = (&new.story, document.as_object_mut()) {
        let of_story = story::of_script(&script(text)?)?;
        if let Value::Object(story) = of_story {
            members.extend(story.into_iter().filter(|(_, value)| !value.is_null()));
        }
    }
    let now = text(Timestamp::now());
    let name = new.name.trim().to_owned();
    let made =
        productions::Production { id: random::id()?, name, document, updated_at: now, revision: 1 };
    api.studio().catalogue().insert_production(&made).await?;
    tell(&api, &made.id, made.revision);
    let mut response = tagged(made)?;
    *response.status_mut() = StatusCode::CREATED;
    Ok(response)
}

/// Tells of a production; its entity tag is the revision.
#[utoipa::path(get, path = "/v1/productions/{id}", tag = "productions", params(("id" = String, Path)),
    responses((status = 200, body = wire::Production, headers(("ETag" = String))), (status = 404, description = "no such production")))]
pub(crate) async fn get(
    State(api): State<Api>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    tagged(api.studio().catalogue().find_production(&id).await?)
}

/// Changes a production, if nobody did since the revision that `If-Match` names.
#[utoipa::path(put, path = "/v1/productions/{id}", tag = "productions", request_body = EditedProduction,
    params(("id" = String, Path), ("If-Match" = String, Header, description = "the entity tag that the change was made on")),
    responses((status = 200, body = wire::Production, headers(("ETag" = String))), (status = 404, description = "no such production"),
        (status = 412, description = "somebody else changed it since"), (status = 428, description = "no If-Match")))]
pub(crate) async fn put(
    State(api): State<Api>,
    Path(id): Path<String>,
    headers: HeaderMap,
    Body(edited): Body<EditedProduction>,
) -> Result<Response, Problem> {
    let tag = headers.get(header::IF_MATCH).ok_or(Problem::precondition_required())?;
    let tag = tag.to_str().ok().and_then(|tag| tag.trim().strip_prefix('"')?.strip_suffix('"'));
    let revision = tag.and_then(|tag| tag.parse().ok()).ok_or(Problem::edited())?;
    let now = text(Timestamp::now());
    let name = edited.name.as_deref().map(str::trim);
    let edit = Edit { revision, name, document: &edited.document, now: &now };
    let revision = api.studio().catalogue().edit_production(&id, &edit).await?;
    tell(&api, &id, revision);
    tagged(api.studio().catalogue().find_production(&id).await?)
}

/// Deletes a production.
#[utoipa::path(delete, path = "/v1/productions/{id}", tag = "productions", params(("id" = String, Path)),
    responses((status = 204, description = "deleted"), (status = 404, description = "no such production")))]
pub(crate) async fn remove(
    State(api): State<Api>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    api.studio().catalogue().delete_production(&id).await?;
    api.events().tell("production", &json!({ "id": id, "removed": true }));
    Ok(StatusCode::NO_CONTENT)
}

/// Makes scenes of a story, by rules; nothing is changed.
#[utoipa::path(post, path = "/v1/productions/{id}/scenes", tag = "productions", params(("id" = String, Path)), request_body = Story,
    responses((status = 200, body = Scenes), (status = 404, description = "no such production"), (status = 422, description = "a story without text")))]
pub(crate) async fn scenes(
    State(api): State<Api>,
    Path(id): Path<String>,
    Body(asked): Body<Story>,
) -> Answer<Scenes> {
    api.studio().catalogue().find_production(&id).await?;
    let of_story = story::of_script(&script(&asked.story)?)?;
    let title = of_story.get("title").and_then(Value::as_str).map(str::to_owned);
    let scenes = of_story.get("scenes").and_then(Value::as_array).cloned().unwrap_or_default();
    Ok(Json(Scenes { title, scenes }))
}

/// Shows a moment of a production, a WebP: its scene alone, small, with the captions about as they will be.
#[utoipa::path(post, path = "/v1/productions/{id}/still", tag = "productions", params(("id" = String, Path)), request_body = StillRequest,
    responses((status = 200, content_type = "image/webp", body = Vec<u8>), (status = 404, description = "no such production or medium"),
        (status = 422, description = "the document makes no sense, or has no such scene")))]
pub(crate) async fn still(
    State(api): State<Api>,
    Path(id): Path<String>,
    Body(asked): Body<StillRequest>,
) -> Result<Response, Problem> {
    let found = api.studio().catalogue().find_production(&id).await?;
    let document = asked.document.unwrap_or(found.document);
    let document = document::of_files(api.studio(), document).await?;
    let production = Production::from_json(document)?;
    let moment = Moment { scene: asked.scene, at_us: asked.at_us };
    let bytes = api.shelf().still(&production, moment).await?;
    Ok(([(header::CONTENT_TYPE, "image/webp")], bytes).into_response())
}

/// Scenes by rules; a story with headings is Markdown.
fn script(text: &str) -> Result<Script, Problem> {
    if text.len() > STORY_BYTES_MAX {
        return Err(Problem::too_large());
    }
    let markdown = text.lines().any(|line| line.starts_with("# ") || line.starts_with("## "));
    Ok(Rules { markdown }.split(text))
}

fn tell(api: &Api, id: &str, revision: i64) {
    api.events().tell("production", &json!({ "id": id, "revision": revision }));
}

fn tagged(made: productions::Production) -> Result<Response, Problem> {
    let tag = format!("\"{}\"", made.revision);
    let productions::Production { id, name, document, updated_at, revision } = made;
    let mut response =
        Json(wire::Production { id, name, document, updated_at, revision }).into_response();
    let tag = HeaderValue::try_from(tag).map_err(|_| Problem::internal())?;
    response.headers_mut().insert(header::ETAG, tag);
    Ok(response)
}

fn summary(head: ProductionHead) -> ProductionSummary {
    let ProductionHead { id, name, scenes, updated_at, revision, .. } = head;
    ProductionSummary { id, name, updated_at, revision, scenes }
}
