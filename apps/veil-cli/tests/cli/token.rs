//! `veilcast token`: what a gateway takes, and refusals.

use jiff::{SignedDuration, Timestamp};
use veil_presign::jwt::{Refusal, VerifyKey, verify};

use crate::desk::Desk;

const SECRET: &str = "0123456789abcdef0123456789abcdef";

/// A private key of P-256 and its public one, by OpenSSL.
const PRIVATE: &str = "-----BEGIN PRIVATE KEY-----\n\
    MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgya+p2EW6dRZrXCFX\n\
    Z7HWk05Qw9s26JsSe4piKxIPZyGhRANCAARg/tS6JVqdMclh63TGNW1owEm4kjth\n\
    +mzmaWIuYPKftnkD/hAIuLyZpBrp6VYovGTy8bIMLX6fUXejwpTURiKZ\n\
    -----END PRIVATE KEY-----\n";
const PUBLIC: &str = "-----BEGIN PUBLIC KEY-----\n\
    MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEYP7UuiVanTHJYet0xjVtaMBJuJI7\n\
    Yfps5mliLmDyn7Z5A/4QCLi8maQa6elWKLxk8vGyDC1+n1F3o8KU1EYimQ==\n\
    -----END PUBLIC KEY-----\n";

fn desk() -> Desk {
    let desk = Desk::new();
    desk.write_secret("secret", format!("{SECRET}\n").as_bytes());
    desk.write_secret("private.pem", PRIVATE.as_bytes());
    desk
}

#[test]
fn a_token_opens_its_folder_until_its_end_under_either_kind_of_key() {
    let desk = desk();
    let keys = [
        ("secret", VerifyKey::hs256(SECRET.as_bytes()).unwrap()),
        ("private.pem", VerifyKey::es256(PUBLIC).unwrap()),
    ];
    for (name, key) in &keys {
        let out = desk.ok(&format!("token --key {name} --path vod/show/ --expires 2h"));
        let token = String::from_utf8(out).unwrap();
        let access = verify(token.trim_end(), key, None, Timestamp::now()).unwrap();
        assert_eq!(access.scope.as_str(), "vod/show");
        let left = access.end.duration_since(Timestamp::now());
        assert!(left > SignedDuration::from_mins(118) && left <= SignedDuration::from_hours(2));
    }
    let line = "token --key secret --path vod --audience here --subject me";
    let answer = desk.answer(line);
    let token = answer["token"].as_str().unwrap();
    assert_eq!((&answer["algorithm"], &answer["path"]), (&"HS256".into(), &"vod".into()));
    let now = Timestamp::now();
    assert!(verify(token, &keys[0].1, Some("here"), now).is_ok());
    assert_eq!(verify(token, &keys[0].1, None, now), Err(Refusal::Claim("aud")));
    assert_eq!(verify(token, &keys[1].1, Some("here"), now), Err(Refusal::Invalid));
}

#[test]
fn a_key_that_others_read_or_that_is_none_makes_no_token() {
    let desk = desk();
    desk.write_secret("short", b"short");
    desk.write_secret("bad.pem", b"-----BEGIN PRIVATE KEY-----\n");
    desk.fails("token --key short --path vod", "shorter than 32 bytes", "openssl rand");
    desk.fails("token --key bad.pem --path vod", "not a private key of P-256", "openssl rand");
    desk.fails("token --key secret --path vod --expires never", "a token has an end", "12h");
    desk.fails("token --key secret --path vod --expires soon", "not a length of time", "12h");
    desk.set_mode("secret", 0o644);
    desk.fails("token --key secret --path vod", "open to other users", "chmod 600");
}
