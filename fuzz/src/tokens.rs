//! Who may read plain trees: tokens, the cookies that hold them, and the keys that verify them.
//!
//! A forger is taken to have tokens and no key: what is accepted is what was made. Claims get the key as well, so that
//! their reader sees more than a wrong signature.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::{COOKIE, HeaderMap, HeaderValue};
use veil_presign::cdn::CloudFrontKey;
use veil_presign::jwt::{Claims, MintKey, Refusal, Scope, VerifyKey, mint, verify};

const NOW: &str = "2026-11-20T12:00:00Z";
const END: &str = "2026-11-20T18:00:00Z";
const SECRET: &[u8; 32] = &[7; 32];
const NAME: &str = "videos.example.org";

/// A key pair of the tests, in the three forms that are read.
pub(crate) const PKCS8: &str = "-----BEGIN PRIVATE KEY-----\n\
    MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgya+p2EW6dRZrXCFX\n\
    Z7HWk05Qw9s26JsSe4piKxIPZyGhRANCAARg/tS6JVqdMclh63TGNW1owEm4kjth\n\
    +mzmaWIuYPKftnkD/hAIuLyZpBrp6VYovGTy8bIMLX6fUXejwpTURiKZ\n\
    -----END PRIVATE KEY-----\n";
const SEC1: &str = "-----BEGIN EC PRIVATE KEY-----\n\
    MHcCAQEEIMmvqdhFunUWa1whV2ex1pNOUMPbNuibEnuKYisSD2choAoGCCqGSM49\n\
    AwEHoUQDQgAEYP7UuiVanTHJYet0xjVtaMBJuJI7Yfps5mliLmDyn7Z5A/4QCLi8\n\
    maQa6elWKLxk8vGyDC1+n1F3o8KU1EYimQ==\n\
    -----END EC PRIVATE KEY-----\n";
const PUBLIC: &str = "-----BEGIN PUBLIC KEY-----\n\
    MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEYP7UuiVanTHJYet0xjVtaMBJuJI7\n\
    Yfps5mliLmDyn7Z5A/4QCLi8maQa6elWKLxk8vGyDC1+n1F3o8KU1EYimQ==\n\
    -----END PUBLIC KEY-----\n";

fn secret_key() -> VerifyKey {
    VerifyKey::hs256(SECRET).unwrap()
}

fn made(key: &MintKey, path: &str, audience: Option<&str>) -> String {
    let scope = Scope::parse(path).unwrap();
    let end = END.parse().unwrap();
    let claims = Claims { scope: &scope, end, start: None, subject: Some("a"), audience };
    mint(key, &claims).unwrap()
}

/// One token for an object and one for a folder, by either kind of key.
fn tokens() -> [String; 3] {
    let (shared, pair) = (MintKey::hs256(SECRET).unwrap(), MintKey::es256(SEC1).unwrap());
    [
        made(&shared, "vod/a/index.m3u8", None),
        made(&shared, "vod/é b", None),
        made(&pair, "vod", None),
    ]
}

/// Verifies a token by either key: nothing is accepted that was not made, and it opens what it was made for.
pub fn run_token(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let now = NOW.parse().unwrap();
    for key in [secret_key(), VerifyKey::es256(PUBLIC).unwrap()] {
        match verify(text, &key, None, now) {
            Ok(access) => {
                assert!(tokens().iter().any(|token| token == text));
                assert_eq!(access.end, END.parse().unwrap());
                assert!(access.scope.opens(access.scope.as_str()));
            }
            Err(refusal) => assert_eq!(refusal, Refusal::Invalid),
        }
    }
}

/// Tokens that are accepted.
#[must_use]
pub fn token_seeds() -> Vec<Vec<u8>> {
    tokens().map(String::into_bytes).into()
}

/// Reads a header and claims that the key signed, a line each: what is accepted ends, has begun, is for this gateway, and
/// opens nothing beside its path.
pub fn run_claims(bytes: &[u8]) {
    let mut lines = bytes.splitn(2, |byte| *byte == b'\n');
    let (header, claims) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    let encode = |part| URL_SAFE_NO_PAD.encode(part);
    let signed = format!("{}.{}", encode(header), encode(claims));
    let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, SECRET), signed.as_bytes());
    let token = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature));
    let now = NOW.parse().unwrap();
    let ours = verify(&token, &secret_key(), Some(NAME), now);
    if let Ok(access) = &ours {
        assert!(access.end > now);
        let path = access.scope.as_str();
        assert!(path.len() <= 1024 && !path.split('/').any(|part| matches!(part, "" | "." | "..")));
        assert!(
            access.scope.opens(&format!("{path}/a")) && !access.scope.opens(&format!("{path}a"))
        );
        // What isn't looked at may be what no reader of whole JSON takes, such as a number beyond all limits.
        let Ok(claims) = serde_json::from_slice::<serde_json::Value>(claims) else { return };
        assert!(claims["aud"] == NAME || claims["aud"].as_array().unwrap().contains(&NAME.into()));
        assert_eq!(claims["path"].as_str().unwrap().trim_end_matches('/'), path);
    }
    assert!(ours.is_err() || verify(&token, &secret_key(), None, now).is_err());
}

/// Claims with everything that is looked at, and some that stand for many.
#[must_use]
pub fn claims_seeds() -> Vec<Vec<u8>> {
    [
        r#"{"path":"vod/a/","exp":1795200000,"nbf":1795176000.5,"sub":"x","aud":"videos.example.org"}"#,
        r#"{"path":"vod","exp":1.7952e9,"aud":["a","videos.example.org"],"iat":1,"jti":"x"}"#,
    ]
    .map(|claims| format!("{{\"alg\":\"HS256\",\"typ\":\"JWT\"}}\n{claims}").into_bytes())
    .into()
}

/// Finds tokens in a `Cookie` header: each stands there as it is, and none but a made one is accepted.
pub fn run_cookie(bytes: &[u8]) {
    let Ok(value) = HeaderValue::from_bytes(bytes) else { return };
    let mut headers = HeaderMap::new();
    headers.append(COOKIE, value.clone());
    headers.append(COOKIE, value);
    let now = NOW.parse().unwrap();
    for token in veil_gateway::plain_cookies(&headers) {
        assert!(!token.contains(';'));
        assert!(String::from_utf8_lossy(bytes).contains(&format!("__Secure-veilcast-hls={token}")));
        if verify(token, &secret_key(), None, now).is_ok() {
            assert!(tokens().iter().any(|made| made == token));
        }
    }
}

/// A cookie among others, and two of them.
#[must_use]
pub fn cookie_seeds() -> Vec<Vec<u8>> {
    let [one, other, _] = tokens().map(|token| format!("__Secure-veilcast-hls={token}"));
    vec![format!("a=b; {one}; c=\"d;e\"").into(), format!("{one};{other}").into()]
}

/// Reads a key's text: whoever takes one makes tokens with it, and everybody takes the same ones.
pub fn run_key(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let minting = MintKey::es256(text);
    assert_eq!(minting.is_ok(), CloudFrontKey::from_pem("K1", text).is_ok());
    if let Ok(key) = minting {
        assert_eq!(made(&key, "vod", None).split('.').count(), 3);
    }
    if let Ok(key) = VerifyKey::es256(text) {
        assert_eq!(key.algorithm(), "ES256");
    }
    let shared = VerifyKey::hs256(bytes).is_ok();
    assert_eq!(shared, (32..=4096).contains(&bytes.len()));
}

/// The key pair's three forms.
#[must_use]
pub fn key_seeds() -> Vec<Vec<u8>> {
    [PKCS8, SEC1, PUBLIC].map(Into::into).into()
}
