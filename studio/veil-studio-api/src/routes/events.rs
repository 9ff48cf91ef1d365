//! What happens, as server-sent events.

use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::sse::{KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};

use crate::app::Api;
use crate::events;
use crate::problem::Problem;

/// How often a silent stream says that it lives.
const ALIVE_EVERY: Duration = Duration::from_secs(20);
/// When a listener that found no place may come again.
const PLACE_WAIT: Duration = Duration::from_secs(10);

/// Tells what happens: `job`, `queue`, `media`, `production`, `title`; `reset` where some of it was missed for good, so that all is to be read anew.
#[utoipa::path(get, path = "/v1/events", tag = "studio",
    params(("Last-Event-ID" = Option<String>, Header, description = "the last event that was heard; those after it are told first")),
    responses((status = 200, content_type = "text/event-stream", body = String), (status = 429, description = "too many listeners")))]
pub(crate) async fn listen(
    State(api): State<Api>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let last = headers.get("last-event-id").and_then(|id| id.to_str().ok()?.parse().ok());
    let listener = api.events().listen().ok_or(Problem::rate_limited().after(PLACE_WAIT))?;
    let stream = Sse::new(events::stream(listener, last));
    let mut response = stream.keep_alive(KeepAlive::new().interval(ALIVE_EVERY)).into_response();
    let head = response.headers_mut();
    head.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    head.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    Ok(response)
}
