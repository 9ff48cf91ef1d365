//! Titles, and who may watch them.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use jiff::Timestamp;
use serde_json::json;
use veil_seal::identity::Recipient;
use veil_studio::catalogue::listing::{ListedTitle, PartQuery};
use veil_studio::catalogue::{self, GrantRow};
use veil_studio::share::{LinkBase, ShareRequest};

use super::Answer;
use crate::app::Api;
use crate::extract::{Body, Params};
use crate::problem::Problem;
use crate::settings::{expiry, is_base};
use crate::wire::titles::{Grant, NewShare, Shared, Title};
use crate::wire::{Page, PageQuery, Rename};

/// Where links lead where nothing else is known: to where `veilcast up` listens.
const DEFAULT_BASE: &str = "http://127.0.0.1:8787";

/// Lists published titles, newest first.
#[utoipa::path(get, path = "/v1/titles", tag = "titles", params(PageQuery), responses((status = 200, body = Page<Title>)))]
pub(crate) async fn list(
    State(api): State<Api>,
    Params(query): Params<PageQuery>,
) -> Answer<Page<Title>> {
    let part = part(&query);
    let titles = api.studio().catalogue().list_titles(&part, &text(Timestamp::now())).await?;
    let titles = titles.map(|one: ListedTitle| title(one.title, one.grants));
    Ok(Json(Page { items: titles.items, next: titles.next, total: titles.total }))
}

/// Tells of one title.
#[utoipa::path(get, path = "/v1/titles/{id}", tag = "titles", params(("id" = String, Path)),
    responses((status = 200, body = Title), (status = 404, description = "no such title")))]
pub(crate) async fn get(State(api): State<Api>, Path(id): Path<String>) -> Answer<Title> {
    let found = api.studio().catalogue().find_title(&id).await?;
    counted(&api, found).await
}

/// Gives a title another name. Links that were given out show the name that it had when it was imported.
#[utoipa::path(patch, path = "/v1/titles/{id}", tag = "titles", params(("id" = String, Path)), request_body = Rename,
    responses((status = 200, body = Title), (status = 404, description = "no such title"), (status = 409, description = "the name is taken")))]
pub(crate) async fn rename(
    State(api): State<Api>,
    Path(id): Path<String>,
    Body(rename): Body<Rename>,
) -> Answer<Title> {
    let renamed = api.studio().catalogue().rename_title(&id, &rename.name).await?;
    api.events().tell("title", &json!({ "id": id }));
    counted(&api, renamed).await
}

/// Deletes a title: its objects, and every grant for it.
#[utoipa::path(delete, path = "/v1/titles/{id}", tag = "titles", params(("id" = String, Path)),
    responses((status = 204, description = "deleted"), (status = 404, description = "no such title"), (status = 409, description = "somebody works on it")))]
pub(crate) async fn remove(
    State(api): State<Api>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let catalogue = api.studio().catalogue();
    let title = catalogue.find_title(&id).await?;
    let grants = catalogue.grants(Some(title.id)).await?;
    api.studio().remove(&id, Timestamp::now()).await?;
    api.tell_revoked(grants.into_iter().map(|grant| grant.id).collect()).await;
    api.events().tell("title", &json!({ "id": id, "removed": true }));
    Ok(StatusCode::NO_CONTENT)
}

/// Shows a title's poster, a WebP.
#[utoipa::path(get, path = "/v1/titles/{id}/poster", tag = "titles", params(("id" = String, Path)),
    responses((status = 200, content_type = "image/webp", body = Vec<u8>), (status = 404, description = "no such title, or it has none")))]
pub(crate) async fn poster(
    State(api): State<Api>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let poster = api.studio().poster(&id, Timestamp::now()).await?.ok_or(Problem::unknown())?;
    let headers =
        [(header::CONTENT_TYPE, "image/webp"), (header::CACHE_CONTROL, "private, max-age=86400")];
    Ok((headers, poster).into_response())
}

/// Lists a title's grants, newest first.
#[utoipa::path(get, path = "/v1/titles/{id}/grants", tag = "titles", params(("id" = String, Path), PageQuery),
    responses((status = 200, body = Page<Grant>), (status = 404, description = "no such title")))]
pub(crate) async fn grants(
    State(api): State<Api>,
    Path(id): Path<String>,
    Params(query): Params<PageQuery>,
) -> Answer<Page<Grant>> {
    let title = api.studio().catalogue().find_title(&id).await?;
    let mut all = api.studio().catalogue().grants(Some(title.id)).await?;
    all.reverse();
    if let Some(text) = &query.query {
        all.retain(|one| one.label.to_lowercase().contains(&text.to_lowercase()));
    }
    let total = i64::try_from(all.len()).unwrap_or(i64::MAX);
    let limit = usize::try_from(query.limit()).unwrap_or(1);
    let from = query.after.and_then(|after| all.iter().position(|one| one.id == after));
    let mut items = all.split_off(from.map_or(0, |at| at + 1));
    let next =
        if items.len() > limit { items.get(limit - 1).map(|one| one.id.clone()) } else { None };
    items.truncate(limit);
    Ok(Json(Page { items: items.into_iter().map(grant).collect(), next, total }))
}

/// Grants somebody the right to watch a title, and tells the link, once.
#[utoipa::path(post, path = "/v1/titles/{id}/shares", tag = "titles", params(("id" = String, Path)), request_body = NewShare,
    responses((status = 201, body = Shared), (status = 404, description = "no such title"), (status = 422, description = "makes no sense")))]
pub(crate) async fn share(
    State(api): State<Api>,
    Path(id): Path<String>,
    Body(new): Body<NewShare>,
) -> Result<(StatusCode, Json<Shared>), Problem> {
    let (settings, now) = (api.settings(), Timestamp::now());
    let expires = new.expires.as_deref().unwrap_or(&settings.share_expires);
    let wrong = |what: &str| Problem::unprocessable().detail(what.to_owned());
    let expires = expiry(expires, now).ok_or(wrong("expires is 30m, 12h, 7d, 4w or never"))?;
    let to = new.recipient.as_deref().map(|text| {
        let parsed = text.trim().parse::<Recipient>();
        parsed.map_err(|_| wrong("recipient is no post-quantum recipient (age1pq1…)"))
    });
    let label = new.label.unwrap_or_default().trim().to_owned();
    let request = ShareRequest { to: to.transpose()?, expires, label };
    let base = base(&api, &settings.share_base_url)?;
    let shared = api.studio().share(&id, &request, &base, now).await?;
    let row = api.studio().catalogue().find_grant(&shared.grant.to_string()).await?;
    api.events().tell("title", &json!({ "id": row.title_id }));
    let answer = Shared { grant: grant(row), link: shared.link.to_string() };
    Ok((StatusCode::CREATED, Json(answer)))
}

/// Takes a grant back. Nobody can start watching with it any more.
#[utoipa::path(delete, path = "/v1/grants/{id}", tag = "titles", params(("id" = String, Path)),
    responses((status = 200, body = Grant), (status = 404, description = "no such grant")))]
pub(crate) async fn revoke(State(api): State<Api>, Path(id): Path<String>) -> Answer<Grant> {
    let row = api.studio().revoke(&id, Timestamp::now()).await?;
    api.tell_revoked(vec![row.id.clone()]).await;
    api.events().tell("title", &json!({ "id": row.title_id }));
    Ok(Json(grant(row)))
}

/// Where links lead: to what is preset, or to the gateway of the last `veilcast up`.
fn base(api: &Api, preset: &str) -> Result<LinkBase, Problem> {
    let preset = preset.trim_end_matches('/');
    let is_page = preset.split_once("://").is_some_and(|(_, rest)| rest.contains('/'));
    if is_base(preset) {
        let preset = preset.to_owned();
        return Ok(if is_page { LinkBase::Page(preset) } else { LinkBase::Gateway(preset) });
    }
    let known = api.studio().data().gateway_url()?;
    Ok(LinkBase::Gateway(known.unwrap_or_else(|| DEFAULT_BASE.to_owned())))
}

async fn counted(api: &Api, found: catalogue::Title) -> Answer<Title> {
    let now = text(Timestamp::now());
    let all = api.studio().catalogue().grants(Some(found.id)).await?;
    let holds = |one: &&GrantRow| {
        one.revoked_at.is_none() && one.expires_at.as_ref().is_none_or(|end| *end > now)
    };
    let count = all.iter().filter(holds).count();
    Ok(Json(title(found, i64::try_from(count).unwrap_or(i64::MAX))))
}

fn title(title: catalogue::Title, grants: i64) -> Title {
    Title {
        id: title.id.to_string(),
        name: title.name,
        created_at: title.created_at,
        duration_us: title.facts.duration_us,
        width: title.facts.width,
        height: title.facts.height,
        sealed_bytes: title.facts.sealed_bytes,
        has_poster: title.facts.has_poster,
        marked: title.facts.marked,
        grants,
    }
}

fn grant(row: GrantRow) -> Grant {
    let revoked = row.revoked_at.is_some();
    let GrantRow { id, label, kind, created_at, expires_at, revoked_at, .. } = row;
    Grant { id, label, kind, created_at, expires_at, revoked_at, revoked }
}

/// The part that a query asks for.
pub(super) fn part(query: &PageQuery) -> PartQuery<'_> {
    PartQuery { after: query.after.as_deref(), limit: query.limit(), query: query.query.as_deref() }
}

/// A time as the catalogue writes it.
pub(super) fn text(now: Timestamp) -> String {
    now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
