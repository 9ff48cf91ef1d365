//! Tokens of RFC 7515, our own, and everything that a forger would try.

use p256::PublicKey;
use p256::pkcs8::{EncodePrivateKey as _, EncodePublicKey as _};
use proptest::prelude::*;

use super::*;

const NOW: &str = "2026-11-20T12:00:00Z";
const SECRET: [u8; 32] = [7; 32];

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn key() -> VerifyKey {
    VerifyKey::hs256(&SECRET).unwrap()
}

/// Signs any header and claims with the shared secret.
fn forge(header: &str, claims: &str) -> String {
    let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let signature = MintKey::hs256(&SECRET).unwrap().sign(signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

const HEADER: &str = r#"{"alg":"HS256","typ":"JWT"}"#;
const CLAIMS: &str = r#"{"path":"vod/a/","exp":1795176060}"#;

#[track_caller]
fn check(token: &str, expected: Result<&str, Refusal>) {
    let access = verify(token, &key(), None, at(NOW));
    assert_eq!(access.map(|access| access.scope.as_str().to_owned()), expected.map(str::to_owned));
}

/// A token of RFC 7515 with these signature and header; its claims have no path.
fn published(key: &VerifyKey, header: &str, signature: &str) {
    let claims = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt\
                  cGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    let token = format!("{header}.{claims}.{signature}");
    let text = String::from_utf8(authentic(&token, key).unwrap()).unwrap();
    assert!(text.contains("\"exp\":1300819380"), "{text}");
    assert_eq!(verify(&token, key, None, at(NOW)), Err(Refusal::Claim("path")));
    let other = format!("{header}.{}{}", &claims[..claims.len() - 1], "R");
    assert_eq!(authentic(&format!("{other}.{signature}"), key), None);
}

#[test]
fn the_tokens_of_rfc_7515_verify() {
    let secret =
        "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
    let secret = URL_SAFE_NO_PAD.decode(secret).unwrap();
    let header = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9";
    let signature = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    published(&VerifyKey::hs256(&secret).unwrap(), header, signature);
    let (x, y) = (
        "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    );
    let point = [x, y].map(|half| URL_SAFE_NO_PAD.decode(half).unwrap()).concat();
    let public = PublicKey::from_sec1_bytes(&[&[4], point.as_slice()].concat()).unwrap();
    let pem = public.to_public_key_pem(Default::default()).unwrap();
    let signature =
        "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
    published(&VerifyKey::es256(&pem).unwrap(), "eyJhbGciOiJFUzI1NiJ9", signature);
}

#[test]
fn what_is_made_is_verified_until_its_end_and_not_by_another_key() {
    let secret = p256::SecretKey::from_slice(&[9; 32]).unwrap();
    let private = secret.to_pkcs8_pem(Default::default()).unwrap();
    let private = MintKey::es256(&private).unwrap();
    let public = secret.public_key().to_public_key_pem(Default::default()).unwrap();
    let scope = Scope::parse("vod/a").unwrap();
    let end = at("2026-11-20T13:00:00Z");
    let claims = Claims { scope: &scope, end, start: None, subject: Some("x"), audience: None };
    let pairs =
        [(private, VerifyKey::es256(&public).unwrap()), (MintKey::hs256(&SECRET).unwrap(), key())];
    for (mint_key, verify_key) in &pairs {
        let token = mint(mint_key, &claims).unwrap();
        let good = Ok(Access { scope: scope.clone(), end });
        assert_eq!(verify(&token, verify_key, None, at(NOW)), good);
        let late = Err(Refusal::Expired { ago_s: 0 });
        assert_eq!(verify(&token, verify_key, None, end), late);
        let late = Err(Refusal::Expired { ago_s: 60 });
        assert_eq!(verify(&token, verify_key, None, at("2026-11-20T13:01:00Z")), late);
    }
    let token = mint(&pairs[0].0, &claims).unwrap();
    assert_eq!(verify(&token, &pairs[1].1, None, at(NOW)), Err(Refusal::Invalid));
    // The old trick: a public key's text as the secret of a shared one.
    let confused = MintKey::hs256(public.as_bytes()).unwrap();
    let token = mint(&confused, &claims).unwrap();
    assert_eq!(verify(&token, &pairs[0].1, None, at(NOW)), Err(Refusal::Invalid));
}

#[test]
fn a_header_that_is_not_exactly_the_keys_is_refused() {
    check(&forge(HEADER, CLAIMS), Ok("vod/a"));
    check(&forge(r#"{"alg":"HS256"}"#, CLAIMS), Ok("vod/a"));
    check(&forge(r#"{"alg":"HS256","typ":"jwt","kid":"1"}"#, CLAIMS), Ok("vod/a"));
    for header in [
        r#"{"alg":"none"}"#,
        r#"{"alg":"None","typ":"JWT"}"#,
        r#"{"alg":"HS512"}"#,
        r#"{"alg":"ES256"}"#,
        r#"{"alg":"hs256"}"#,
        r#"{"typ":"JWT"}"#,
        r#"{"alg":"HS256","typ":"JWE"}"#,
        r#"{"alg":"HS256","crit":["exp"]}"#,
        r#"{"alg":"HS256","crit":[]}"#,
        r#"{"alg":"HS256","alg":"none"}"#,
        r#"["HS256"]"#,
        "",
    ] {
        check(&forge(header, CLAIMS), Err(Refusal::Invalid));
    }
}

#[test]
fn a_text_that_is_no_token_is_refused() {
    let good = forge(HEADER, CLAIMS);
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let none = format!("{}.{}.", URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#), "e30");
    for bad in [
        "",
        ".",
        "..",
        "...",
        "a",
        &none,
        signed,
        &format!("{signed}."),
        &format!("{signed}.{}", &signature[..42]),
        &format!("{signed}.{signature}="),
        &format!("{signed}.{signature}A"),
        &format!(" {good}"),
        &format!("{good} "),
        &format!("{good}.{signature}"),
        &good.replace('.', ".."),
    ] {
        check(bad, Err(Refusal::Invalid));
    }
    let padding = format!(r#"{{"path":"vod/a/","exp":1795176060,"x":"{}"}}"#, "x".repeat(2300));
    check(&forge(HEADER, &padding), Err(Refusal::Invalid));
}

#[test]
fn every_claim_is_of_its_form_or_the_token_is_refused() {
    let claims = |text: &str| forge(HEADER, text);
    let refused = |text: &str, name| check(&claims(text), Err(Refusal::Claim(name)));
    refused(r#"{"path":"vod/a/"}"#, "exp");
    refused(r#"{"path":"vod/a/","exp":1e300}"#, "exp");
    refused(r#"{"path":"vod/a/","exp":-1e18}"#, "exp");
    refused(r#"{"path":"vod/a/","exp":1795176060,"nbf":1e300}"#, "nbf");
    refused(r#"{"exp":1795176060}"#, "path");
    for path in ["", "/", "/vod", "vod//a", "vod/../a", ".", "vod/a//", "a\\u0000b"] {
        refused(&format!(r#"{{"path":"{path}","exp":1795176060}}"#), "path");
    }
    refused(&format!(r#"{{"path":"{}","exp":1795176060}}"#, "a".repeat(1025)), "path");
    refused(r#"{"path":"vod/a/","exp":1795176060,"aud":"other"}"#, "aud");
    for text in [
        r#"{"path":"vod/a/","exp":"1795176060"}"#,
        r#"{"path":["vod/a/"],"exp":1795176060}"#,
        r#"{"path":"vod/a/","exp":1795176060,"exp":9795176060}"#,
        "[]",
        "{}}",
    ] {
        check(&claims(text), Err(Refusal::Claims));
    }
    check(&claims(r#"{"path":"vod/a","exp":1795176000.5,"sub":1,"iss":"x"}"#), Ok("vod/a"));
}

#[test]
fn a_token_begins_at_nbf_give_or_take_what_clocks_differ() {
    let from = |nbf: i64| forge(HEADER, &format!(r#"{{"path":"a","exp":1795180000,"nbf":{nbf}}}"#));
    let now = at(NOW).as_second();
    check(&from(now - 1000), Ok("a"));
    check(&from(now + NOT_BEFORE_SKEW_S), Ok("a"));
    check(&from(now + 61), Err(Refusal::NotYetValid { in_s: 61 }));
}

#[test]
fn a_token_for_one_gateway_opens_no_other() {
    let check = |claims: &str, audience, good: bool| {
        let access = verify(&forge(HEADER, claims), &key(), audience, at(NOW));
        assert_eq!(access.is_ok(), good, "{claims} {audience:?}");
    };
    check(CLAIMS, Some("ours"), false);
    for (aud, good) in [
        (r#""ours""#, true),
        (r#"["other","ours"]"#, true),
        (r#""other""#, false),
        ("[]", false),
        ("1", false),
    ] {
        let claims = format!(r#"{{"path":"a","exp":1795176060,"aud":{aud}}}"#);
        check(&claims, Some("ours"), good);
        check(&claims, None, false);
    }
}

#[test]
fn a_scope_opens_its_folder_and_nothing_whose_name_begins_alike() {
    let scope = Scope::parse("vod/a/").unwrap();
    for key in ["vod/a", "vod/a/b.ts", "vod/a/b/c.m3u8"] {
        assert!(scope.opens(key), "{key}");
    }
    for key in ["vod/ab", "vod/a.m3u8", "vod", "vod/", "x/vod/a/b", ""] {
        assert!(!scope.opens(key), "{key}");
    }
}

#[test]
fn a_key_that_is_none_is_refused_and_nothing_too_long_is_made() {
    assert_eq!(VerifyKey::hs256(&[1; 31]).err(), Some(KeyError::Secret));
    assert_eq!(MintKey::hs256(&[1; 4097]).err(), Some(KeyError::Secret));
    let secret = p256::SecretKey::from_slice(&[9; 32]).unwrap();
    let pem = secret.to_pkcs8_pem(Default::default()).unwrap();
    assert_eq!(VerifyKey::es256(&pem).err(), Some(KeyError::Public));
    for bad in ["", "x", &"-".repeat(5000)] {
        assert_eq!(VerifyKey::es256(bad).err(), Some(KeyError::Public));
        assert_eq!(MintKey::es256(bad).err(), Some(KeyError::Private));
    }
    let scope = Scope::parse("a").unwrap();
    let subject = "s".repeat(3000);
    let end = at(NOW);
    let claims =
        Claims { scope: &scope, end, start: None, subject: Some(&subject), audience: None };
    assert_eq!(mint(&MintKey::hs256(&SECRET).unwrap(), &claims), Err(KeyError::Claims));
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in ".{0,200}", claims in ".{0,60}") {
        prop_assert_eq!(verify(&text, &key(), None, at(NOW)), Err(Refusal::Invalid));
        prop_assert!(verify(&forge(HEADER, &claims), &key(), None, at(NOW)).is_err());
    }

    #[test]
    fn no_damage_to_a_good_token_opens_it(index in 0..200usize, byte in 0x21..0x7fu8) {
        let mut bytes = forge(HEADER, CLAIMS).into_bytes();
        let index = index % bytes.len();
        prop_assume!(bytes[index] != byte);
        bytes[index] = byte;
        let damaged = String::from_utf8(bytes).unwrap();
        prop_assert_eq!(verify(&damaged, &key(), None, at(NOW)), Err(Refusal::Invalid));
    }
}
