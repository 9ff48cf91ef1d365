//! Published vectors and a second implementation, held against this one.
//!
//! Owns the vectors that matter most, inline, so that they run everywhere; the whole AWS suite runs
//! where `VEILCAST_SAMPLES` (or the folder beside the repository) has it. The suite signs for service
//! `service`, more headers than `host` and the hash of a body: these are parameters of its check.

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use proptest::prelude::*;
use rusty_s3::S3Action as _;
use sha2::{Digest as _, Sha256};

use crate::scope::{amz_date, push_hex, string_to_sign_prefix};
use crate::sign::{canonical_request, sorted_query};
use crate::{Batch, Credentials, Request, SigningKey, escape, presign};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::new();
    push_hex(bytes, &mut text);
    text
}

/// Signs by both paths and holds the result against the published signature.
fn check_signature(
    credentials: &Credentials,
    region: &str,
    now: &str,
    request: &Request<'_>,
    signature: &str,
) -> String {
    let key = SigningKey::derive(credentials, at(now), region).unwrap();
    let target = presign(&key, request, at(now)).unwrap();
    assert!(target.ends_with(&format!("&X-Amz-Signature={signature}")), "{target}");
    let (folder, name) = request.path.split_at(request.path.rfind('/').unwrap() + 1);
    let mut batch = Batch::new(&key, &Request { path: folder, ..*request }, at(now)).unwrap();
    let mut out = Vec::new();
    batch.push_target(name, &mut out);
    assert_eq!(String::from_utf8(out).unwrap(), target);
    target
}

#[test]
fn the_example_of_the_s3_reference_has_its_published_url() {
    let secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned();
    let credentials = Credentials::new("AKIAIOSFODNN7EXAMPLE", secret).unwrap();
    let target = check_signature(
        &credentials,
        "us-east-1",
        "2013-05-24T00:00:00Z",
        &Request::get("examplebucket.s3.amazonaws.com", "/test.txt", 86_400),
        "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404",
    );
    let url = "/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE\
        %2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400\
        &X-Amz-SignedHeaders=host&X-Amz-Signature=\
        aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404";
    assert_eq!(target, url);
}

#[test]
fn a_region_that_fills_one_block_of_the_string_to_sign_agrees_with_three_other_signers() {
    let id = "0123456789abcdef".repeat(2);
    let credentials = Credentials::new(id.clone(), id.repeat(2)).unwrap();
    let path = "/videos/v/7f3a9c2e-1b4d-4e8a-9f00-0123456789ab/720p/seg_00000.m4s";
    check_signature(
        &credentials,
        "auto",
        "2026-11-20T10:16:02Z",
        &Request::get(&format!("{id}.r2.cloudflarestorage.com"), path, 14_400),
        "b2ce40622926a15d5e2a2174e48d215ebcc9b3fb5cdd732c0dbf22a78eb687da",
    );
}

/// The parameters that the AWS suite varies and S3 fixes.
struct Case<'a> {
    method: &'a str,
    path: &'a str,
    query: &'a [(&'a str, &'a str)],
    headers: &'a [(&'a str, &'a str)],
    body: &'a [u8],
    token: Option<&'a str>,
    signature: &'a str,
}

const SUITE_NOW: &str = "2015-08-30T12:36:00Z";

fn suite_key(token: Option<&str>) -> SigningKey {
    let secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned();
    let mut credentials = Credentials::new("AKIDEXAMPLE", secret).unwrap();
    if let Some(token) = token {
        credentials = credentials.with_session_token(token.to_owned()).unwrap();
    }
    SigningKey::derive_for_service(&credentials, at(SUITE_NOW), "us-east-1", "service").unwrap()
}

/// Builds the canonical request of a suite case out of this crate's parts.
fn suite_canonical(key: &SigningKey, case: &Case<'_>) -> String {
    let names: Vec<&str> = case.headers.iter().map(|(name, _)| *name).collect();
    let signed_headers = names.join(";");
    let credential = format!("{}/{}", key.access_key_id, key.scope);
    let mut parameters = vec![
        ("X-Amz-Algorithm", "AWS4-HMAC-SHA256"),
        ("X-Amz-Credential", &credential),
        ("X-Amz-Date", "20150830T123600Z"),
        ("X-Amz-Expires", "3600"),
        ("X-Amz-SignedHeaders", &signed_headers),
    ];
    parameters.extend(case.token.map(|token| ("X-Amz-Security-Token", token)));
    parameters.extend_from_slice(case.query);
    let mut path = String::new();
    escape::path(&case.path.replace("//", "/"), &mut path);
    let headers: String =
        case.headers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
    let payload = hex(&Sha256::digest(case.body));
    let query = sorted_query(parameters);
    format!("{}\n{path}\n{query}\n{headers}\n{signed_headers}\n{payload}", case.method)
}

fn check_case(case: &Case<'_>) -> String {
    let key = suite_key(case.token);
    let canonical = suite_canonical(&key, case);
    assert_eq!(hex(&key.sign("20150830T123600Z", &canonical)), case.signature, "{canonical}");
    canonical
}

#[test]
fn cases_of_the_aws_suite_have_their_published_signatures() {
    let vanilla = Case {
        method: "GET",
        path: "/",
        query: &[],
        headers: &[("host", "example.amazonaws.com")],
        body: b"",
        token: None,
        signature: "e93c787ed7f371d5c6b165c1b38ede9550f4dce4144713e844b25b7192d3865d",
    };
    check_case(&Case { path: "//", ..vanilla });
    check_case(&Case {
        path: "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
        signature: "95968482db1b9e0fadef6efc1bd24689f77c77d9ef56919c96a28cc92e0d6005",
        ..vanilla
    });
    check_case(&Case {
        query: &[("Param2", "value2"), ("Param1", "value1")],
        signature: "86012e2c9ad4d77369f5d81c11f75158aae4f895a085212cc6d3f923d300bed5",
        ..vanilla
    });
    check_case(&Case {
        token: Some("6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267"),
        signature: "7ff2b50b376cb4d151970630573d6291dc128cc5c2a12ffb237f73cc53f67b6c",
        ..vanilla
    });
}

#[test]
fn the_product_writes_the_canonical_request_that_the_suite_writes() {
    let key = suite_key(None);
    let case = Case {
        method: "GET",
        path: "/a b",
        query: &[],
        headers: &[("host", "example.amazonaws.com")],
        body: b"",
        token: None,
        signature: "",
    };
    let suite = suite_canonical(&key, &case);
    let (_, rest) = suite.split_once('\n').unwrap();
    let query = rest.split('\n').nth(1).unwrap();
    let ours = canonical_request("GET", "/a%20b", query, "example.amazonaws.com");
    assert_eq!(ours.rsplit_once('\n').unwrap().0, suite.rsplit_once('\n').unwrap().0);
}

/// The folder of samples, when this machine has it.
fn samples() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/samples");
    let folder = std::env::var_os("VEILCAST_SAMPLES").map_or(beside, PathBuf::from);
    folder.join("sigv4/v4").is_dir().then_some(folder)
}

#[test]
fn every_case_of_the_aws_suite_on_this_machine_agrees_line_by_line() {
    let Some(folder) = samples() else { return };
    let mut count = 0;
    for case in std::fs::read_dir(folder.join("sigv4/v4")).unwrap() {
        check_suite_folder(&case.unwrap().path());
        count += 1;
    }
    assert_eq!(count, 12);
}

fn check_suite_folder(folder: &Path) {
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    let context: serde_json::Value = serde_json::from_str(&read("context.json")).unwrap();
    let canonical = read("query-canonical-request.txt");
    let lines: Vec<&str> = canonical.lines().collect();
    let headers: Vec<(&str, &str)> =
        lines[3..lines.len() - 3].iter().map(|line| line.split_once(':').unwrap()).collect();
    let request = read("request.txt");
    let (head, body) = request.split_once("\n\n").unwrap_or((&request, ""));
    let target = head.split(' ').nth(1).unwrap();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let path = escape::decode(path).unwrap();
    let query: Vec<(&str, &str)> = query.split('&').filter_map(|p| p.split_once('=')).collect();
    let signature = read("query-signature.txt");
    let body = if context["sign_body"] == true { body } else { "" };
    let built = check_case(&Case {
        method: lines[0],
        path: &path,
        query: &query,
        headers: &headers,
        body: body.as_bytes(),
        token: context["credentials"]["token"].as_str(),
        signature: signature.trim(),
    });
    assert_eq!(built, canonical, "{}", folder.display());
    let key = suite_key(None);
    let mut to_sign = string_to_sign_prefix(&amz_date(at(SUITE_NOW)).unwrap(), &key.scope);
    push_hex(&Sha256::digest(&canonical), &mut to_sign);
    assert_eq!(to_sign, read("query-string-to-sign.txt"), "{}", folder.display());
}

fn signature_of(text: &str) -> &str {
    let from = text.find("X-Amz-Signature=").unwrap() + "X-Amz-Signature=".len();
    &text[from..from + 64]
}

proptest! {
    #[test]
    fn rusty_s3_gives_the_same_signature(
        key in "[a-zA-Z0-9 +~é/%&=._-]{0,60}[a-z]",
        region in "[a-z]{1,8}(-[a-z0-9]{1,5}){0,3}",
        port in proptest::option::of(1024..65_535u16),
        token in proptest::option::of("[a-zA-Z0-9+/=]{1,200}"),
        expires_s in 1..=604_800u32,
        second in 1_700_000_000..2_000_000_000i64,
    ) {
        // The oracle goes through a URL library, which drops empty and dot segments: not S3's rule.
        let plain = |s: &str| !s.is_empty() && s != "." && s != "..";
        prop_assume!(key.split('/').all(plain));
        let host = port.map_or("s3.example.org".to_owned(), |p| format!("s3.example.org:{p}"));
        let now = Timestamp::from_second(second).unwrap();

        let endpoint = format!("https://{host}").parse().unwrap();
        let style = rusty_s3::UrlStyle::Path;
        let bucket = rusty_s3::Bucket::new(endpoint, style, "videos", region.clone()).unwrap();
        let theirs = match &token {
            Some(token) => rusty_s3::Credentials::new_with_token("id", "secret", token.clone()),
            None => rusty_s3::Credentials::new("id", "secret"),
        };
        let url = rusty_s3::actions::GetObject::new(&bucket, Some(&theirs), &key)
            .sign_with_time(Duration::from_secs(expires_s.into()), &now);

        let mut ours = Credentials::new("id", "secret".to_owned()).unwrap();
        if let Some(token) = token {
            ours = ours.with_session_token(token).unwrap();
        }
        let signing_key = SigningKey::derive(&ours, now, &region).unwrap();
        let path = format!("/videos/{key}");
        let target = presign(&signing_key, &Request::get(&host, &path, expires_s), now).unwrap();
        prop_assert_eq!(signature_of(&target), signature_of(url.as_str()));
    }
}
