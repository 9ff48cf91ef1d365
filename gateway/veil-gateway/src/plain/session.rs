//! From a bearer to a cookie and back: `<video>`, and players on other pages, can't always send a header.
//!
//! Owns the cookie's attributes. The cookie holds the token itself, so that gateways share nothing and a cookie ends when
//! its token does. Only who has the bearer can set it: a foreign page has none to send.

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use veil_presign::jwt::{Access, Scope};

use super::access::{self, COOKIE};
use super::path::{self, ROOT};
use super::settings::{Auth, PlainTree, SameSite, TokenAuth};
use crate::gateway::Gateway;
use crate::problem::Problem;

/// The last segment of a session's path.
const SESSION: &str = "session";

/// `POST /hls/{folder}/session`
pub(crate) async fn open(
    State(gateway): State<Gateway>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let tree = find(&gateway, &uri)?;
    let Auth::Token(auth) = &tree.auth else { return Err(Problem::not_found()) };
    let now = gateway.now();
    let token = access::bearer(&headers)?;
    let access = access::verify(auth, token, now)?;
    let path = cookie_path(&tree, &access).ok_or(Problem::token_scope())?;
    let left_s = access.end.as_second() - now.as_second();
    Ok(answer(&cookie(auth, token, &path, left_s)))
}

/// `DELETE /hls/{folder}/session`
pub(crate) async fn close(
    State(gateway): State<Gateway>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let tree = find(&gateway, &uri)?;
    let Auth::Token(auth) = &tree.auth else { return Err(Problem::not_found()) };
    let now = gateway.now();
    let shown = access::cookies(&headers).find_map(|token| access::verify(auth, token, now).ok());
    let path = shown.and_then(|access| cookie_path(&tree, &access));
    Ok(match path {
        Some(path) => answer(&cookie(auth, "", &path, 0)),
        None => StatusCode::NO_CONTENT.into_response(),
    })
}

fn find(gateway: &Gateway, uri: &Uri) -> Result<std::sync::Arc<PlainTree>, Problem> {
    let key = path::key(uri.path()).ok_or(Problem::not_found())?;
    let is_session = key.rsplit('/').next() == Some(SESSION);
    let tree = gateway.plain.find(&key).filter(|_| is_session);
    tree.ok_or(Problem::not_found())
}

/// The narrower one of tree and token, as far as browsers write it like we do. `None` when they have nothing in common.
fn cookie_path(tree: &PlainTree, access: &Access) -> Option<String> {
    let prefix = tree.prefix.strip_suffix('/').unwrap_or(&tree.prefix);
    let narrower = if Scope::parse(prefix)?.opens(access.scope.as_str()) {
        access.scope.as_str()
    } else if access.scope.opens(prefix) {
        prefix
    } else {
        return None;
    };
    let plain =
        |segment: &&str| segment.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.~".contains(&b));
    let segments: Vec<&str> = narrower.split('/').take_while(plain).collect();
    Some(format!("{ROOT}{}", segments.join("/")))
}

fn cookie(auth: &TokenAuth, token: &str, path: &str, left_s: i64) -> String {
    let same_site = match auth.same_site {
        SameSite::Strict => "SameSite=Strict",
        SameSite::Lax => "SameSite=Lax",
        SameSite::None => "SameSite=None; Partitioned",
    };
    format!("{COOKIE}={token}; Path={path}; Max-Age={left_s}; Secure; HttpOnly; {same_site}")
}

fn answer(cookie: &str) -> Response {
    let Ok(cookie) = HeaderValue::try_from(cookie) else {
        return Problem::token_invalid().into_response();
    };
    (StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie)]).into_response()
}
