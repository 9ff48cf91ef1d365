//! Who may read a plain tree: the token in a bearer or a cookie.
//!
//! Owns where a token is looked for. Refuses to tell why one of another key fails. The token's own rules are
//! [`veil_presign::jwt`]'s.

use axum::http::{HeaderMap, header};
use jiff::Timestamp;
use veil_presign::jwt::{self, Access, Refusal};

use super::settings::{Auth, PlainTree, TokenAuth};
use crate::problem::Problem;

/// The cookie that holds a token.
pub(super) const COOKIE: &str = "__Secure-veilcast-hls";

/// Most cookies of that name that are tried: a browser sends one for each folder on the way down.
const COOKIE_COUNT_MAX: usize = 4;

/// The right to read a key.
#[derive(Clone, Copy, Debug)]
pub(super) struct Right {
    /// When it ends; `None` where nothing is asked for.
    pub(super) end: Option<Timestamp>,
}

/// Finds the right to read `key` of `tree`.
pub(super) fn right(
    tree: &PlainTree,
    key: &str,
    headers: &HeaderMap,
    now: Timestamp,
) -> Result<Right, Problem> {
    let Auth::Token(auth) = &tree.auth else { return Ok(Right { end: None }) };
    let opens = |access: Access| {
        let right = Right { end: Some(access.end) };
        if access.scope.opens(key) { Ok(right) } else { Err(Problem::token_scope()) }
    };
    if headers.contains_key(header::AUTHORIZATION) {
        return verify(auth, bearer(headers)?, now).and_then(opens);
    }
    let mut refused = Problem::token_missing();
    for token in cookies(headers).take(COOKIE_COUNT_MAX) {
        match verify(auth, token, now).and_then(opens) {
            Ok(right) => return Ok(right),
            Err(problem) => refused = problem,
        }
    }
    Err(refused)
}

/// The token of `Authorization: Bearer`.
pub(super) fn bearer(headers: &HeaderMap) -> Result<&str, Problem> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return Err(Problem::token_missing());
    };
    let text = value.to_str().map_err(|_| Problem::token_invalid())?;
    match text.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(token.trim()),
        _ => Err(Problem::token_missing()),
    }
}

pub(super) fn verify(auth: &TokenAuth, token: &str, now: Timestamp) -> Result<Access, Problem> {
    jwt::verify(token, &auth.key, auth.audience.as_deref(), now).map_err(|refusal| match refusal {
        Refusal::Expired { .. } => Problem::token_expired(),
        _ => Problem::token_invalid(),
    })
}

/// The values of every cookie that may hold a plain tree's token.
pub fn cookies(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let lists = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    lists.flat_map(|list| list.split(';')).filter_map(|pair| {
        let (name, value) = pair.trim().split_once('=')?;
        (name == COOKIE).then_some(value)
    })
}
