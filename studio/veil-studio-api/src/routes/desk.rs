//! Sessions, settings, figures, and the document of this interface.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use jiff::Timestamp;
use zeroize::Zeroizing;

use super::Answer;
use crate::app::Api;
use crate::exposition;
use crate::extract::Body;
use crate::metrics::Process;
use crate::problem::Problem;
use crate::session::Caller;
use crate::settings as presets;
use crate::wire::desk::{CacheFigures, Collected, Login, Performance, Session, Settings};

/// Opens a session by the token or the password.
#[utoipa::path(post, path = "/v1/session", tag = "session", security(()), request_body = Login,
    responses((status = 200, body = Session), (status = 401, description = "wrong"), (status = 429, description = "too many guesses")))]
pub(crate) async fn open_session(
    State(api): State<Api>,
    Body(login): Body<Login>,
) -> Result<Response, Problem> {
    let password = login.password.map(Zeroizing::new);
    let opened = api.sessions().open(login.token.as_deref(), password).await?;
    let mut response = Json(Session { csrf: opened.csrf }).into_response();
    let cookie = HeaderValue::try_from(opened.cookie).map_err(|_| Problem::internal())?;
    response.headers_mut().insert(header::SET_COOKIE, cookie);
    Ok(response)
}

/// Tells the word of the session that there is.
#[utoipa::path(get, path = "/v1/session", tag = "session",
    responses((status = 200, body = Session), (status = 401, description = "no session")))]
pub(crate) async fn session(axum::Extension(caller): axum::Extension<Caller>) -> Answer<Session> {
    match caller {
        Caller::Page(csrf) => Ok(Json(Session { csrf })),
        Caller::Program => Ok(Json(Session { csrf: String::new() })),
    }
}

/// Ends the session.
#[utoipa::path(delete, path = "/v1/session", tag = "session", responses((status = 204, description = "ended")))]
pub(crate) async fn close_session(State(api): State<Api>, headers: HeaderMap) -> StatusCode {
    api.sessions().close(&headers);
    StatusCode::NO_CONTENT
}

/// Says that the studio runs.
#[utoipa::path(get, path = "/healthz", tag = "studio", security(()), responses((status = 200, body = String)))]
pub(crate) async fn health() -> &'static str {
    "ok"
}

/// Tells all routes, as OpenAPI.
#[utoipa::path(get, path = "/openapi.json", tag = "studio", security(()), responses((status = 200, description = "OpenAPI 3.1")))]
pub(crate) async fn document() -> Json<utoipa::openapi::OpenApi> {
    Json(super::openapi())
}

/// Tells what is preset.
#[utoipa::path(get, path = "/v1/settings", tag = "studio", responses((status = 200, body = Settings)))]
pub(crate) async fn settings(State(api): State<Api>) -> Json<Settings> {
    Json(api.settings())
}

/// Presets something else.
#[utoipa::path(put, path = "/v1/settings", tag = "studio", request_body = Settings,
    responses((status = 200, body = Settings), (status = 422, description = "makes no sense")))]
pub(crate) async fn set_settings(
    State(api): State<Api>,
    Body(settings): Body<Settings>,
) -> Answer<Settings> {
    presets::write(api.studio().data(), &settings)?;
    api.jobs().set_rate_per_minute(settings.hide_per_minute.into());
    api.set_settings(settings.clone());
    Ok(Json(settings))
}

async fn cache(api: &Api) -> Result<CacheFigures, Problem> {
    let (bytes, entries) = api.shelf().cache().size();
    let media_bytes = api.studio().catalogue().media_bytes().await?;
    Ok(CacheFigures {
        bytes,
        entries,
        bytes_max: api.settings().cache_bytes_max,
        upload_bytes: api.uploads().bytes(),
        media_bytes: u64::try_from(media_bytes).unwrap_or(0),
    })
}

/// Tells the figures as Prometheus reads them.
#[utoipa::path(get, path = "/metrics", tag = "performance", responses((status = 200, content_type = "text/plain", body = String)))]
pub(crate) async fn figures(State(api): State<Api>) -> Result<Response, Problem> {
    let Json(performance) = performance(State(api.clone())).await?;
    let queue = api.jobs().queue().await?;
    let text = exposition::text(&performance, &queue.into()).map_err(|_| Problem::internal())?;
    Ok(([(header::CONTENT_TYPE, exposition::MEDIA_TYPE)], text).into_response())
}

/// Gives back what can be given: cached files beyond four fifths of their bound, old uploads, the catalogue's log, keys whose time is over.
#[utoipa::path(post, path = "/performance/gc", tag = "performance", responses((status = 200, body = Collected)))]
pub(crate) async fn collect(State(api): State<Api>) -> Answer<Collected> {
    let rss_before_bytes = Process::own().0.rss_bytes;
    let before = cache(&api).await?;
    let (now, settings) = (Timestamp::now(), api.settings());
    let age_max = Duration::from_secs(u64::from(settings.cache_days) * 24 * 3600);
    api.shelf().trim(settings.cache_bytes_max / 5 * 4, age_max);
    let uploads = api.uploads().sweep(now);
    api.studio().sweep(now).await?;
    api.studio().catalogue().checkpoint().await?;
    let after = cache(&api).await?;
    let freed = |before: u64, after: u64| before.saturating_sub(after);
    Ok(Json(Collected {
        rss_before_bytes,
        rss_after_bytes: Process::own().0.rss_bytes,
        freed_bytes: freed(before.bytes, after.bytes)
            + freed(before.upload_bytes, after.upload_bytes),
        uploads,
    }))
}

/// Tells the figures of this process.
#[utoipa::path(get, path = "/performance/metrics", tag = "performance", responses((status = 200, body = Performance)))]
pub(crate) async fn performance(State(api): State<Api>) -> Answer<Performance> {
    let (own, rss_peak_bytes) = Process::own();
    Ok(Json(Performance {
        uptime_s: api.metrics().uptime_s(),
        rss_bytes: own.rss_bytes,
        rss_peak_bytes,
        cpu_ms: own.cpu_ms,
        children_cpu_ms: own.children_cpu_ms,
        threads: own.threads,
        children: Process::below(),
        requests: api.metrics().routes(),
        slow: api.metrics().slow(),
        cache: cache(&api).await?,
        listeners: api.events().listeners(),
        sessions: api.sessions().count() as u64,
    }))
}
