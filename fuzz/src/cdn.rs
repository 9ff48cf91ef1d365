//! URLs that a content delivery network checks: whatever folder and name there are, it reads from a URL what was meant.
//!
//! Each is read here as its network reads it, by its documentation and without our code.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::Timestamp;
use veil_presign::cdn::{CloudFrontKey, FolderUrls, SecureLink, TimedHmac};
use veil_presign::{Endpoint, Names};

const HOST: &str = "https://cdn.example.org";
const SECRET: &str = "a secret";
const END_S: i64 = 1_795_176_000;

/// Takes a folder and a name, a line each, and reads the URL of every form again.
pub fn run(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let Some((folder, name)) = text.split_once('\n') else { return };
    let endpoint = Endpoint::parse(HOST).unwrap();
    let end = Timestamp::from_second(END_S).unwrap();
    let names = Names::new([name]);
    let name = names.get(0);
    let Ok(public) = FolderUrls::public(&endpoint, folder) else {
        assert!(!folder.starts_with('/') || !folder.ends_with('/'));
        return;
    };
    let public = pushed(|out| public.push(name, out));
    let path = public.strip_prefix(HOST).unwrap();
    assert_eq!(decoded(path), format!("{folder}{}", decoded(name)));

    let key = CloudFrontKey::from_pem("K1", crate::tokens::PKCS8).unwrap();
    let token = key.allow(&endpoint, folder, end).unwrap();
    check_cloudfront(&pushed(|out| token.urls().push(name, out)), &public, name);
    let cookies = token.cookies();
    assert!(
        cookies.iter().all(|(_, value)| value
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-_~".contains(&b)))
    );

    let link = SecureLink::new(SECRET.to_owned()).unwrap();
    let link = link.urls(&endpoint, folder, end).unwrap();
    check_secure_link(&pushed(|out| link.push(name, out)), path);

    let timed = TimedHmac::new(SECRET.to_owned()).unwrap();
    let timed = timed.urls(&endpoint, folder, end).unwrap();
    check_timed_hmac(&pushed(|out| timed.push(name, out)), path);
}

/// Folders as the gateway has them, and some that are odd.
#[must_use]
pub fn seeds() -> Vec<Vec<u8>> {
    let title = format!("/films/t/{}/\n{}", "0a".repeat(16), "b1".repeat(16));
    let odd = "/a b/\"}],\\/*?#%2F/é/\nseg 1?x=y&z#/..";
    vec![title.into(), odd.into(), b"/\nn".to_vec()]
}

fn pushed(push: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut out = Vec::new();
    push(&mut out);
    let url = String::from_utf8(out).unwrap();
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~/:%?=&".contains(&b);
    assert!(url.bytes().all(is_plain), "{url}");
    url
}

/// The policy is JSON of one resource, the URL's own folder, and one end.
fn check_cloudfront(url: &str, public: &str, name: &str) {
    let (before, query) = url.split_once('?').unwrap();
    assert_eq!(before, public);
    let policy = query.strip_prefix("Policy=").unwrap().split('&').next().unwrap();
    let policy: String = policy
        .chars()
        .map(|c| match c {
            '-' => '+',
            '_' => '=',
            '~' => '/',
            other => other,
        })
        .collect();
    let policy: serde_json::Value =
        serde_json::from_slice(&STANDARD.decode(policy).unwrap()).unwrap();
    let folder = public.strip_suffix(name).unwrap();
    let condition = serde_json::json!({ "DateLessThan": { "AWS:EpochTime": END_S } });
    let statement = serde_json::json!({ "Resource": format!("{folder}*"), "Condition": condition });
    assert_eq!(policy, serde_json::json!({ "Statement": [statement] }));
}

/// Token and end stand in segments of their own before the path.
fn check_secure_link(url: &str, path: &str) {
    let rest = url.strip_prefix(HOST).and_then(|rest| rest.strip_prefix("/s/")).unwrap();
    let (token, rest) = rest.split_once('/').unwrap();
    assert_eq!((token.len(), URL_SAFE_NO_PAD.decode(token).unwrap().len()), (22, 16));
    assert_eq!(rest, format!("{END_S}{path}"));
}

/// The MAC is that of the path as it stands in the URL, and of the time.
fn check_timed_hmac(url: &str, path: &str) {
    let (before, query) = url.strip_prefix(HOST).unwrap().split_once('?').unwrap();
    assert_eq!(before, path);
    let (time, mac) = query.strip_prefix("verify=").unwrap().split_once('-').unwrap();
    assert_eq!(time, END_S.to_string());
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
    let mac = STANDARD.decode(decoded(mac)).unwrap();
    hmac::verify(&key, format!("{path}{time}").as_bytes(), &mac).unwrap();
}

fn decoded(text: &str) -> String {
    String::from_utf8(crate::delivery::decoded(text)).unwrap()
}
