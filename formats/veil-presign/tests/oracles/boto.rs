//! boto3, which most buckets' users sign with: whole URLs for keys, regions, endpoints and tokens that are odd.

use serde_json::{Value, json};
use veil_presign::{Credentials, Endpoint, Request, folder_path};
use veil_testkit::oracle;

use crate::{script, sign};

const KEYS: [&str; 14] = [
    "seg_00000.m4s",
    "a b+c",
    "é/ü/\u{1f3ac}.ts",
    "100%",
    "%20",
    "a//b",
    "a/./b",
    "a/../b",
    "~-._",
    "!*'()",
    "a&b=c?d#e",
    "\"quoted\"",
    "back\\slash",
    "[x]{y}|z^`<>@:;,$",
];

/// Date, region, endpoint, session token, life.
const SETTINGS: [(&str, &str, &str, Option<&str>, u32); 4] = [
    ("20261120T101602Z", "auto", "https://0123456789abcdef.r2.cloudflarestorage.com", None, 14_400),
    ("20261120T235959Z", "us-east-1", "https://s3.us-east-1.amazonaws.com", Some("to/k+en=="), 1),
    ("20261121T000000Z", "garage", "http://127.0.0.1:3900", None, 604_800),
    ("20280229T120000Z", "eu-central-2", "https://[2001:db8::1]:8443", Some("x"), 3600),
];

#[test]
fn boto3_gives_the_same_url() {
    let mut cases = Vec::new();
    let mut ours = Vec::new();
    for (date, region, url, token, expires_s) in SETTINGS {
        for key in KEYS {
            cases.push(json!({
                "id": "AKIATEST", "secret": "se/cr+et", "token": token, "date": date,
                "region": region, "endpoint": url, "bucket": "videos", "key": key,
                "expires_s": expires_s,
            }));
            let endpoint = Endpoint::parse(url).unwrap();
            let mut credentials = Credentials::new("AKIATEST", "se/cr+et".to_owned()).unwrap();
            if let Some(token) = token {
                credentials = credentials.with_session_token(token.to_owned()).unwrap();
            }
            let path = format!("{}{key}", folder_path("videos", "").unwrap());
            let now = veil_presign::parse_amz_date(date).unwrap();
            let request = Request::get(endpoint.host(), &path, expires_s);
            let target = sign(&credentials, region, now, &request);
            ours.push(format!("{}://{}{target}", endpoint.scheme(), endpoint.host()));
        }
    }
    let theirs = oracle(&script("boto.py"), &json!({ "ask": "s3", "cases": cases }));
    let theirs: Vec<&str> = theirs.as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert_eq!(theirs.len(), ours.len());
    for (ours, theirs) in ours.iter().zip(theirs) {
        assert_eq!(parts(ours), parts(theirs));
    }
}

/// A URL before its query, and the query's parameters in whatever order.
fn parts(url: &str) -> (&str, Vec<&str>) {
    let (before, query) = url.split_once('?').unwrap();
    let mut parameters: Vec<&str> = query.split('&').collect();
    parameters.sort_unstable();
    (before, parameters)
}
