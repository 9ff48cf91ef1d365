//! Plain HLS trees: playlists and media that were never sealed, behind a token.
//!
//! Owns `/hls/…` as `docs/format/plain-hls.md` has it. Refuses every key that is not below a configured
//! prefix or has no media extension. What a tree may be is in `plain/settings.rs`, who may read in
//! `plain/access.rs`, paths in `plain/path.rs`, how playlists are answered in `plain/manifest.rs`. Invariant:
//! nothing of a key, not even that there is one, is told before the right to it was shown.

mod access;
mod manifest;
mod path;
mod session;
mod settings;

use std::sync::Arc;

use axum::extract::{Extension, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;

use crate::gateway::Gateway;
use crate::hosts::Host;
use crate::objects::{self, Presentation};
use crate::problem::Problem;
use crate::signer::{Purpose, Signer};

use access::Right;
pub use access::cookies as plain_cookies;
use path::{Kind, Target};
pub(crate) use session::{close as close_session, open as open_session};
pub use settings::{
    PlainAlgorithm, PlainAuth, PlainError, PlainMode, PlainSettings, PlainTree, PlainTrees,
    SameSite,
};

/// How long a browser may keep an object without asking, in seconds. Unlike sealed ones, it may change.
const OBJECT_AGE_S: i64 = 3600;

/// How long a redirect to an object may be kept, in seconds: it leads to the same URL within a window.
const REDIRECT_AGE_S: i64 = 60;

const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// What a request is for, once its right was shown.
struct Asked {
    tree: Arc<PlainTree>,
    target: Target,
    right: Right,
    now: Timestamp,
}

impl Asked {
    /// `Cache-Control` for an answer that is good for `age_s`, and never beyond the right to it.
    fn cache(&self, age_s: i64, is_signed: bool) -> Result<HeaderValue, Problem> {
        let left_s = self.right.end.map_or(i64::MAX, |end| end.as_second() - self.now.as_second());
        let is_public = self.right.end.is_none() && !is_signed;
        let scope = if is_public { "public" } else { "private" };
        let value = format!("{scope}, max-age={}", age_s.min(left_s).max(0));
        HeaderValue::try_from(value).map_err(|_| Problem::internal())
    }
}

/// `GET`, `HEAD /hls/{*path}`
pub(crate) async fn show(
    State(gateway): State<Gateway>,
    Extension(host): Extension<Host>,
    request: Request,
) -> Result<Response, Problem> {
    let headers = request.headers();
    let asked = ask(&gateway, request.uri().path(), headers)?;
    let is_head = request.method() == Method::HEAD;
    let mut response = match (&asked.target.kind, &asked.tree.signer) {
        (Kind::Playlist, _) => manifest::show(&gateway, &host, &asked, headers).await?,
        (Kind::Object(media_type), None) => {
            let how = Presentation { cache: asked.cache(OBJECT_AGE_S, false)?, media_type };
            objects::present(&gateway, &asked.target.key, headers, is_head, &how).await?
        }
        (Kind::Object(_), Some(signer)) => redirect(&gateway, &host, &asked, signer)?,
    };
    let policy = HeaderValue::from_static(asked.tree.resource_policy());
    response.headers_mut().insert(RESOURCE_POLICY, policy);
    Ok(response)
}

/// Finds the tree of a request, and the right to what it asks for.
fn ask(gateway: &Gateway, path: &str, headers: &HeaderMap) -> Result<Asked, Problem> {
    let key = path::key(path).ok_or(Problem::not_found())?;
    let tree = gateway.plain.find(&key).ok_or(Problem::not_found())?;
    let now = gateway.now();
    let right = access::right(&tree, &key, headers, now)?;
    let target = Target::of(key, &tree.extensions).ok_or(Problem::object_unknown())?;
    Ok(Asked { tree, target, right, now })
}

/// Sends a client to the store for an object.
fn redirect(
    gateway: &Gateway,
    host: &Host,
    asked: &Asked,
    signer: &Signer,
) -> Result<Response, Problem> {
    let (folder, name) = asked.target.split();
    let purpose = Purpose { host, folder, duration_s: 0, end: asked.right.end };
    let mut signed = objects::sign_each(gateway, signer, &purpose, &[name], asked.now)?;
    let url = signed.urls.remove(name).ok_or_else(Problem::internal)?;
    let location = HeaderValue::try_from(url).map_err(|_| Problem::internal())?;
    let cache = asked.cache(REDIRECT_AGE_S, true)?;
    let headers = [(header::LOCATION, location), (header::CACHE_CONTROL, cache)];
    Ok((StatusCode::FOUND, headers).into_response())
}
