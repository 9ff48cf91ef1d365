//! Published URLs and other people's implementations, held against this one from outside.
//!
//! rusty-s3 and aws-sigv4 by property tests; boto3 and the CloudFront signers of AWS's libraries in their own runtimes.

#![allow(
    clippy::unwrap_used,
    reason = "clippy takes the helpers of an integration test for production code"
)]

#[path = "oracles/aws.rs"]
mod aws;
#[path = "oracles/boto.rs"]
mod boto;
#[path = "oracles/cloudfront.rs"]
mod cloudfront;

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use proptest::prelude::*;
use rusty_s3::S3Action as _;
use veil_presign::{Batch, Credentials, Lanes, Names, Request, SigningKey, presign};

/// One of the programs in `tests/oracles`.
fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracles").join(name)
}

/// Signs one by one and in a batch, every way that this processor has, and returns the target.
fn sign(credentials: &Credentials, region: &str, now: Timestamp, request: &Request<'_>) -> String {
    let key = SigningKey::derive(credentials, now, region).unwrap();
    let target = presign(&key, request, now).unwrap();
    let (folder, name) = request.path.split_at(request.path.rfind('/').unwrap() + 1);
    let batch = Batch::new(&key, &Request { path: folder, ..*request }, now).unwrap();
    // Enough of them that no way falls back to another.
    let names = Names::new([name; 5]);
    for lanes in Lanes::NAMES.into_iter().filter_map(Lanes::named) {
        for signature in batch.sign(lanes, &names) {
            let mut out = Vec::new();
            batch.targets().push(names.get(0), &signature, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), target, "{}", lanes.name());
        }
    }
    target
}

/// The example of the AWS S3 API Reference, "Authenticating Requests: Using Query Parameters".
#[test]
fn the_example_of_the_s3_reference_has_its_published_url() {
    let secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned();
    let credentials = Credentials::new("AKIAIOSFODNN7EXAMPLE", secret).unwrap();
    let now = "2013-05-24T00:00:00Z".parse().unwrap();
    let request = Request::get("examplebucket.s3.amazonaws.com", "/test.txt", 86_400);
    assert_eq!(
        sign(&credentials, "us-east-1", now, &request),
        "/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE\
         %2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z\
         &X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature=\
         aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
    );
}

/// An R2 URL, worked out before this code was written. Its region makes the string to sign's
/// beginning exactly one block long.
#[test]
fn a_string_to_sign_whose_beginning_fills_one_block_is_signed_right() {
    let id = "0123456789abcdef".repeat(2);
    let credentials = Credentials::new(id.clone(), id.repeat(2)).unwrap();
    let now = "2026-11-20T10:16:02Z".parse().unwrap();
    let host = format!("{id}.r2.cloudflarestorage.com");
    let path = "/videos/v/7f3a9c2e-1b4d-4e8a-9f00-0123456789ab/720p/seg_00000.m4s";
    let target = sign(&credentials, "auto", now, &Request::get(&host, path, 14_400));
    let signature = "b2ce40622926a15d5e2a2174e48d215ebcc9b3fb5cdd732c0dbf22a78eb687da";
    assert!(target.ends_with(&format!("&X-Amz-Signature={signature}")), "{target}");
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
        let path = format!("/videos/{key}");
        let target = sign(&ours, &region, now, &Request::get(&host, &path, expires_s));
        prop_assert_eq!(signature_of(&target), signature_of(url.as_str()));
    }
}
