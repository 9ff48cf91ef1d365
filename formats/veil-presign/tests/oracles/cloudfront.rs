//! CloudFront's tokens by AWS's own libraries: the same policy, the same signature, the same names.

use serde_json::{Value, json};
use veil_presign::Endpoint;
use veil_presign::cdn::CloudFrontKey;
use veil_testkit::oracle;

use crate::script;

const ID: &str = "K2JCJMDEHXQW5F";
const DOMAIN: &str = "https://d111111abcdef8.cloudfront.net";
const END_S: i64 = 1_795_185_000;
const FOLDERS: [&str; 5] = ["/", "/t/0011/", "/a b/é/", "/*/?/", "/\"x\"/"];

/// The private key of RFC 6979 §A.2.5, which the whole world knows, in both forms that OpenSSL writes.
const PEMS: [&str; 2] = [
    "-----BEGIN PRIVATE KEY-----\n\
     MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgya+p2EW6dRZrXCFX\n\
     Z7HWk05Qw9s26JsSe4piKxIPZyGhRANCAARg/tS6JVqdMclh63TGNW1owEm4kjth\n\
     +mzmaWIuYPKftnkD/hAIuLyZpBrp6VYovGTy8bIMLX6fUXejwpTURiKZ\n\
     -----END PRIVATE KEY-----\n",
    "-----BEGIN EC PRIVATE KEY-----\n\
     MHcCAQEEIMmvqdhFunUWa1whV2ex1pNOUMPbNuibEnuKYisSD2choAoGCCqGSM49\n\
     AwEHoUQDQgAEYP7UuiVanTHJYet0xjVtaMBJuJI7Yfps5mliLmDyn7Z5A/4QCLi8\n\
     maQa6elWKLxk8vGyDC1+n1F3o8KU1EYimQ==\n\
     -----END EC PRIVATE KEY-----\n",
];

struct Ours {
    pem: &'static str,
    resource: String,
    url: String,
    cookies: Vec<(&'static str, String)>,
}

fn ours() -> Vec<Ours> {
    let endpoint = Endpoint::parse(DOMAIN).unwrap();
    let end = jiff::Timestamp::from_second(END_S).unwrap();
    let one = |pem: &'static str, folder: &str| {
        let token =
            CloudFrontKey::from_pem(ID, pem).unwrap().allow(&endpoint, folder, end).unwrap();
        let mut out = Vec::new();
        token.urls().push("n.m4s", &mut out);
        let url = String::from_utf8(out).unwrap();
        let resource = format!("{}*", url.split("n.m4s").next().unwrap());
        let cookies = token.cookies().map(|(name, value)| (name, value.to_owned())).to_vec();
        Ours { pem, resource, url, cookies }
    };
    PEMS.iter().flat_map(|pem| FOLDERS.map(|folder| one(pem, folder))).collect()
}

fn parameter<'a>(url: &'a str, name: &str) -> &'a str {
    let query = url.split_once('?').unwrap().1;
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.find(|(known, _)| *known == name).unwrap().1
}

/// botocore builds the policy, `cryptography` signs it with the nonce of RFC 6979.
#[test]
fn botocore_gives_the_same_url() {
    let ours = ours();
    let cases: Vec<Value> = ours
        .iter()
        .map(|one| {
            let url = one.url.split('?').next();
            json!({ "id": ID, "pem": one.pem, "resource": one.resource, "url": url, "end_s": END_S })
        })
        .collect();
    let theirs = oracle(&script("boto.py"), &json!({ "ask": "cloudfront", "cases": cases }));
    for (one, theirs) in ours.iter().zip(theirs.as_array().unwrap()) {
        let theirs = theirs.as_str().unwrap();
        assert_eq!(one.url, format!("{theirs}&Hash-Algorithm=SHA256"));
    }
}

/// Node signs with a random nonce, so its signatures differ; ours must verify there, and all else be equal.
#[test]
fn the_sdk_for_javascript_agrees_and_node_verifies_the_signature() {
    let ours = ours();
    let verified: Vec<Value> = ours
        .iter()
        .map(|one| {
            let (policy, signature) =
                (parameter(&one.url, "Policy"), parameter(&one.url, "Signature"));
            json!({ "policy": policy, "signature": signature, "pem": one.pem })
        })
        .collect();
    let answer = oracle(&script("cloudfront.mjs"), &json!({ "ask": "verify", "cases": verified }));
    assert_eq!(answer, json!(vec![true; ours.len()]));

    let signed: Vec<Value> = ours
        .iter()
        .map(|one| {
            let condition = json!({ "DateLessThan": { "AWS:EpochTime": END_S } });
            let statement = json!({ "Resource": one.resource, "Condition": condition });
            let policy = format!(
                "{{\"Statement\":[{{\"Resource\":{},\"Condition\":{condition}}}]}}",
                statement["Resource"]
            );
            let url = one.url.split('?').next();
            json!({ "id": ID, "pem": one.pem, "url": url, "policy": policy })
        })
        .collect();
    let theirs = oracle(&script("cloudfront.mjs"), &json!({ "ask": "sign", "cases": signed }));
    for (one, theirs) in ours.iter().zip(theirs.as_array().unwrap()) {
        let url = theirs["url"].as_str().unwrap();
        for name in ["Policy", "Key-Pair-Id", "Hash-Algorithm"] {
            assert_eq!(parameter(&one.url, name), parameter(url, name));
        }
        let cookies = theirs["cookies"].as_object().unwrap();
        assert_eq!(cookies.len(), one.cookies.len());
        for (name, value) in &one.cookies {
            if *name != "CloudFront-Signature" {
                assert_eq!(cookies[*name], json!(value));
            }
        }
        assert_eq!(one.cookies[1].1, parameter(&one.url, "Signature"));
    }
}
