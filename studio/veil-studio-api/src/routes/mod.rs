//! The routes: one file a noun.
//!
//! Owns: which of them need a session (all but the page, the login, `/healthz` and `/openapi.json`), and the document of them all.

mod audit;
mod batch;
mod desk;
mod events;
mod jobs;
pub(crate) mod media;
mod productions;
mod titles;
mod uploads;

use axum::middleware::{from_fn, from_fn_with_state};
use axum::{Extension, Json, Router};
use utoipa::OpenApi;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::Api;
use crate::problem::Problem;
use crate::{guard, page, wire};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Veilcast studio",
        version = "1",
        description = "Titles, shares, media, productions and jobs of one studio. Errors are RFC 9457 problems. A page has a session's cookie \
                       and sends its word in X-Veilcast-Csrf with every request that changes something; a program sends the token as a bearer."
    ),
    components(schemas(wire::ProblemBody, wire::jobs::Job)),
    security(("session" = []), ("token" = []))
)]
struct Doc;

/// The routes that answer without a session.
fn open_routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(desk::open_session))
        .routes(routes!(desk::health))
        .routes(routes!(desk::document))
}

/// The routes that need one.
fn closed_routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(desk::session, desk::close_session))
        .routes(routes!(desk::settings, desk::set_settings))
        .routes(routes!(desk::performance))
        .routes(routes!(desk::collect))
        .routes(routes!(events::listen))
        .routes(routes!(titles::list))
        .routes(routes!(titles::get, titles::rename, titles::remove))
        .routes(routes!(titles::poster))
        .routes(routes!(titles::grants))
        .routes(routes!(titles::share))
        .routes(routes!(titles::revoke))
        .routes(routes!(productions::list, productions::create))
        .routes(routes!(productions::get, productions::put, productions::remove))
        .routes(routes!(productions::scenes))
        .routes(routes!(productions::still))
        .routes(routes!(desk::figures))
        .routes(routes!(media::list))
        .routes(routes!(media::get, media::rename, media::remove))
        .routes(routes!(media::thumbnail))
        .routes(routes!(media::waveform))
        .routes(routes!(media::content))
        .routes(routes!(media::watched))
        .routes(routes!(jobs::list, jobs::create))
        .routes(routes!(jobs::get, jobs::prioritise, jobs::dismiss))
        .routes(routes!(jobs::cancel))
        .routes(routes!(jobs::pause))
        .routes(routes!(jobs::resume))
        .routes(routes!(jobs::retry))
        .routes(routes!(jobs::log))
        .routes(routes!(jobs::output))
        .routes(routes!(jobs::queue))
        .routes(routes!(jobs::drain))
        .routes(routes!(jobs::undrain))
        .routes(routes!(audit::list))
}

fn upload_routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(uploads::options, uploads::create)).routes(routes!(
        uploads::head,
        uploads::patch,
        uploads::remove
    ))
}

fn batch_route() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(batch::batch))
}

/// The document of all routes (`docs/format/studio-api.json`).
#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    let all = OpenApiRouter::with_openapi(Doc::openapi());
    let all = all.merge(open_routes()).merge(closed_routes());
    let all = all.merge(upload_routes()).merge(batch_route());
    let mut document = all.into_openapi();
    name_operations(&mut document);
    let components = document.components.get_or_insert_default();
    let cookie = ApiKey::Cookie(ApiKeyValue::new("veilcast-studio-PORT"));
    components.add_security_scheme("session", SecurityScheme::ApiKey(cookie));
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
    components.add_security_scheme("token", SecurityScheme::Http(bearer));
    document
}

/// Puts each path's first word before the names of its operations: a document has each name once.
fn name_operations(document: &mut utoipa::openapi::OpenApi) {
    for (path, item) in &mut document.paths.paths {
        let word = path.trim_start_matches("/v1").trim_start_matches('/');
        let word = word.split(['/', '.']).next().unwrap_or_default();
        let methods = [
            &mut item.get,
            &mut item.put,
            &mut item.post,
            &mut item.delete,
            &mut item.options,
            &mut item.head,
            &mut item.patch,
        ];
        for operation in methods.into_iter().flatten() {
            let name = operation.operation_id.take().unwrap_or_default();
            let full = if name == word { name } else { format!("{word}_{name}") };
            operation.operation_id = Some(full);
        }
    }
}

/// Everything that a connection speaks to.
pub(crate) fn router(api: Api) -> Router {
    let (open, _) = open_routes().split_for_parts();
    let (closed, _) = closed_routes().split_for_parts();
    let (batch, _) = batch_route().split_for_parts();
    let (uploads, _) = upload_routes().split_for_parts();
    // A batch asks the routes themselves, behind the session that it came by.
    let reads = closed.clone().with_state(api.clone());
    let closed = closed
        .merge(batch.layer(Extension(batch::Reads(reads))))
        .merge(uploads.route_layer(from_fn(uploads::resumable)))
        .route_layer(from_fn_with_state(api.clone(), guard::session));
    open.merge(closed)
        .method_not_allowed_fallback(|| async { Problem::method_not_allowed() })
        .fallback(page::serve)
        .layer(from_fn_with_state(api.clone(), guard::everywhere))
        .with_state(api)
}

/// JSON, as routes answer.
pub(crate) type Answer<T> = Result<Json<T>, Problem>;
