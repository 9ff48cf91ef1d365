//! Bearer tokens for plain HLS trees: JSON Web Tokens of one strict profile, made and verified.
//!
//! Owns the profile of `docs/format/plain-hls.md`: which header, claims and algorithms there are. Refuses whatever a
//! verifier could be talked into: the algorithm is the key's and never the token's, a token without an end is none, and
//! a header that asks for extensions is refused. Time is an argument. Specification: RFC 7519 (JWT), RFC 7515 (JWS
//! compact form), RFC 7518 §3.2 and §3.4 (HS256, ES256). Invariant: nothing of a token is believed, or told of, before
//! its signature holds.

mod claims;
mod key;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

pub use claims::{Claims, SCOPE_BYTES_MAX, Scope};
use claims::{WireClaims, time_of};
pub use key::{KeyError, MintKey, SECRET_BYTES_MIN, VerifyKey};

/// Longest token that is read, in bytes: a cookie that holds one stays below browsers' 4,096.
pub const TOKEN_BYTES_MAX: usize = 3072;

/// How far ahead of this machine's clock `nbf` may lie, in seconds. An end has no such margin.
pub const NOT_BEFORE_SKEW_S: i64 = 60;

/// Why a token opens nothing.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// The text is not a token of this profile, or its signature is not the key's: these are not told apart.
    #[error("the token is not one that this gateway's key signed")]
    Invalid,
    /// The claims of a token whose signature holds are no JSON object, have one twice, or of another type.
    #[error("the token's claims cannot be read")]
    Claims,
    /// The named claim is missing or not of its form, in a token whose signature holds.
    #[error("the token's claim `{0}` is missing or not of its form")]
    Claim(&'static str),
    /// The token was good until some seconds ago.
    #[error("the token expired {ago_s} seconds ago")]
    Expired {
        /// Seconds since it expired.
        ago_s: i64,
    },
    /// The token becomes good in some seconds.
    #[error("the token becomes valid in {in_s} seconds")]
    NotYetValid {
        /// Seconds until then.
        in_s: i64,
    },
}

/// What a verified token allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// What it opens.
    pub scope: Scope,
    /// When it ends.
    pub end: Timestamp,
}

/// A token's header, of which only these fields are looked at.
#[derive(Deserialize)]
struct WireHeader {
    alg: String,
    typ: Option<String>,
    crit: Option<serde_json::Value>,
}

#[derive(Serialize)]
struct WireHeaderOut<'a> {
    alg: &'a str,
    typ: &'a str,
}

/// Verifies a token at `now`, and says what it opens and until when.
///
/// `audience` is this verifier's own name: a token for another, and one for nobody where a name is set, is refused.
///
/// # Errors
/// One variant for each of: no token of this key, a claim that is missing or malformed, expired, not yet valid.
pub fn verify(
    token: &str,
    key: &VerifyKey,
    audience: Option<&str>,
    now: Timestamp,
) -> Result<Access, Refusal> {
    let claims = authentic(token, key).ok_or(Refusal::Invalid)?;
    let claims: WireClaims = serde_json::from_slice(&claims).map_err(|_| Refusal::Claims)?;
    let end = claims.exp.as_ref().and_then(time_of).ok_or(Refusal::Claim("exp"))?;
    let start = match &claims.nbf {
        None => None,
        Some(number) => Some(time_of(number).ok_or(Refusal::Claim("nbf"))?),
    };
    if !claims.is_for(audience) {
        return Err(Refusal::Claim("aud"));
    }
    let scope = claims.path.as_deref().and_then(Scope::parse).ok_or(Refusal::Claim("path"))?;
    if now >= end {
        return Err(Refusal::Expired { ago_s: now.as_second() - end.as_second() });
    }
    let skew = SignedDuration::from_secs(NOT_BEFORE_SKEW_S);
    match start {
        Some(start) if start.duration_since(now) > skew => {
            Err(Refusal::NotYetValid { in_s: start.as_second() - now.as_second() })
        }
        _ => Ok(Access { scope, end }),
    }
}

/// The claims' bytes, if the key signed them and the header asks for nothing more.
fn authentic(token: &str, key: &VerifyKey) -> Option<Vec<u8>> {
    if token.len() > TOKEN_BYTES_MAX {
        return None;
    }
    let (signed, signature) = token.rsplit_once('.')?;
    let (header, claims) = signed.split_once('.')?;
    let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).ok();
    if !key.verifies(signed.as_bytes(), &decode(signature)?) {
        return None;
    }
    let header: WireHeader = serde_json::from_slice(&decode(header)?).ok()?;
    let is_jwt = header.typ.is_none_or(|typ| typ.eq_ignore_ascii_case("JWT"));
    let sound = header.alg == key.algorithm() && is_jwt && header.crit.is_none();
    if sound { decode(claims) } else { None }
}

/// Makes a token.
///
/// # Errors
/// A token that would be longer than [`TOKEN_BYTES_MAX`].
pub fn mint(key: &MintKey, claims: &Claims<'_>) -> Result<String, KeyError> {
    let header = WireHeaderOut { alg: key.algorithm(), typ: "JWT" };
    let encode = |json: Vec<u8>| URL_SAFE_NO_PAD.encode(json);
    let header = serde_json::to_vec(&header).map_err(|_| KeyError::Claims)?;
    let body = serde_json::to_vec(&claims.wire()).map_err(|_| KeyError::Claims)?;
    let mut token = format!("{}.{}", encode(header), encode(body));
    let signature = key.sign(token.as_bytes());
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, &mut token);
    if token.len() > TOKEN_BYTES_MAX { Err(KeyError::Claims) } else { Ok(token) }
}

#[cfg(test)]
mod tests;
