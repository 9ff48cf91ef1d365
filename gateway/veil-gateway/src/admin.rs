//! The operator's token.
//!
//! Owns who may see and do what is the operator's: `/performance`, `/metrics` beyond loopback. Keeps the
//! token's SHA-256 and not the token, and compares in constant time. Where no token was set, what it
//! would open is not there at all.

use std::path::PathBuf;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::gateway::Gateway;
use crate::problem::Problem;

/// Shortest token, in characters: 32 of hex are 128 bits.
const TOKEN_CHARS_MIN: usize = 32;

/// Longest token, in characters.
const TOKEN_CHARS_MAX: usize = 256;

/// What the operator shows as `Authorization: Bearer …`.
pub struct AdminToken {
    sha256: [u8; 32],
}

/// Where the operator's token lies: the table `[admin]`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdminFiles {
    /// A file with one line of 32 to 256 random characters, closed to other users. Default none.
    pub token: Option<PathBuf>,
}

/// Why a text is no token.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum AdminTokenError {
    /// It could be guessed, or is no token at all.
    #[error("an admin token has 32 to 256 characters")]
    Length,
    /// It would not survive a header.
    #[error("an admin token has letters, digits and -._~+/= only")]
    Character,
}

impl AdminToken {
    /// Takes a token; white space around it is not part of it.
    ///
    /// # Errors
    /// One that is too short to be safe, too long, or that has other characters than a bearer may
    /// (RFC 6750 §2.1).
    pub fn new(text: &str) -> Result<Self, AdminTokenError> {
        let token = text.trim();
        if !(TOKEN_CHARS_MIN..=TOKEN_CHARS_MAX).contains(&token.len()) {
            return Err(AdminTokenError::Length);
        }
        let sound = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
        if !token.bytes().all(sound) {
            return Err(AdminTokenError::Character);
        }
        Ok(Self { sha256: Sha256::digest(token).into() })
    }

    /// Whether `presented` is this token.
    fn is(&self, presented: &[u8]) -> bool {
        let presented: [u8; 32] = Sha256::digest(presented).into();
        presented.ct_eq(&self.sha256).into()
    }
}

/// Refuses who does not show the token of this gateway.
pub(crate) fn check(gateway: &Gateway, headers: &HeaderMap) -> Result<(), Problem> {
    let Some(token) = &gateway.admin else { return Err(Problem::not_found()) };
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return Err(Problem::admin_missing());
    };
    let scheme = value.as_bytes().get(..7);
    if !scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"Bearer ")) {
        return Err(Problem::admin_missing());
    }
    if token.is(&value.as_bytes()[7..]) { Ok(()) } else { Err(Problem::admin_wrong()) }
}

/// [`check`] before every request of a route.
pub(crate) async fn require(
    State(gateway): State<Gateway>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    check(&gateway, request.headers())?;
    Ok(next.run(request).await)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_itself_and_nothing_near_it() {
        let text = "0123456789abcdefghijklmnopqrstuv";
        let token = AdminToken::new(&format!(" {text}\n")).unwrap();
        assert!(token.is(text.as_bytes()));
        for other in ["", &text[1..], &format!("{text}v"), &text.to_uppercase()] {
            assert!(!token.is(other.as_bytes()), "{other}");
        }
    }

    #[test]
    fn a_token_that_could_be_guessed_or_not_be_sent_is_refused() {
        let refused = |text: &str| AdminToken::new(text).err().unwrap();
        assert_eq!(refused(&"a".repeat(31)), AdminTokenError::Length);
        assert_eq!(refused(&"a".repeat(257)), AdminTokenError::Length);
        assert_eq!(refused(&"a b".repeat(11)), AdminTokenError::Character);
        assert_eq!(refused(&"é".repeat(20)), AdminTokenError::Character);
    }
}
