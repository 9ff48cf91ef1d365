//! URLs for players: the store takes them as they are, and nothing that was made of them.

use jiff::{SignedDuration, Timestamp};
use ureq::Agent;
use veil_presign::{Credentials, Request, SigningKey, presign};

use super::{Stored, credentials};

const MEDIA: &str = "#EXTM3U\n#EXT-X-MAP:URI=\"init.mp4\"\n#EXTINF:2,\nsub/a%20b+c.ts\n#EXTINF:2,\n\
    %C3%A9'(1).ts\n#EXT-X-ENDLIST\n";

fn agent() -> Agent {
    Agent::config_builder().http_status_as_error(false).max_redirects(0).build().into()
}

/// Asks the store as a player would.
pub(super) fn status(method: &str, url: &str) -> u16 {
    let agent = agent();
    let answer = match method {
        "GET" => agent.get(url).call(),
        "HEAD" => agent.head(url).call(),
        "PUT" => agent.put(url).send_empty(),
        _ => agent.delete(url).call(),
    };
    answer.unwrap().status().as_u16()
}

pub(super) fn body(url: &str, range: Option<&str>) -> Vec<u8> {
    let agent = agent();
    let mut request = agent.get(url);
    if let Some(range) = range {
        request = request.header("range", range);
    }
    request.call().unwrap().body_mut().read_to_vec().unwrap()
}

fn signed() -> (Stored, Vec<String>) {
    let stored = Stored::start();
    stored.write("signed/show/media.m3u8", MEDIA.as_bytes());
    stored.write("signed/show/init.mp4", b"init");
    stored.write("signed/show/sub/a b+c.ts", b"0123456789");
    stored.write("signed/show/é'(1).ts", b"odd");
    let answer = stored.get("/hls/signed/show/media.m3u8");
    assert_eq!(answer.status, 200, "{}", answer.text());
    let mut urls: Vec<String> =
        answer.text().lines().filter(|line| line.starts_with("http")).map(str::to_owned).collect();
    let map = answer.text().split('"').nth(1).unwrap().to_owned();
    urls.insert(0, map);
    (stored, urls)
}

#[test]
fn the_store_takes_every_url_of_a_signed_playlist() {
    let (stored, urls) = signed();
    let bodies: Vec<Vec<u8>> = urls.iter().map(|url| body(url, None)).collect();
    assert_eq!(bodies, [b"init".to_vec(), b"0123456789".to_vec(), b"odd".to_vec()]);
    assert_eq!(body(&urls[1], Some("bytes=2-4")), b"234");
    let redirect = stored.get("/hls/signed/show/init.mp4");
    assert_eq!(body(redirect.header("location").unwrap(), None), b"init");
    let passed = "passed/show/init.mp4";
    stored.write(passed, b"through");
    assert_eq!(stored.get(&format!("/hls/{passed}")).text(), "through");
}

#[test]
fn the_store_refuses_what_was_made_of_a_url() {
    let (stored, urls) = signed();
    let url = &urls[0];
    assert_eq!(status("GET", url), 200);
    for method in ["HEAD", "PUT", "DELETE"] {
        assert_eq!(status(method, url), 403, "{method}");
    }
    let flipped = |at: usize| {
        let digit = if url.as_bytes()[at] == b'0' { "1" } else { "0" };
        format!("{}{digit}{}", &url[..at], &url[at + 1..])
    };
    let (query, end) = (url.find('?').unwrap(), url.len() - 1);
    for tampered in [
        flipped(end),
        flipped(end - 63),
        url.replace("init.mp4", "sub/a%20b%2Bc.ts"),
        url.replace("X-Amz-Expires=", "X-Amz-Expires=1"),
        format!("{url}&versionId=1"),
        url.replace(stored.store.access_key_id(), "AKIANOBODY0000000000"),
    ] {
        assert_eq!(status("GET", &tampered), 403, "{tampered}");
    }
    assert_eq!(status("GET", &url[..query]), 403, "no signature at all");
}

#[test]
fn the_store_refuses_a_url_whose_time_has_passed_and_one_by_a_wrong_secret() {
    let (stored, _) = signed();
    let at = |ago_s: i64| Timestamp::now() - SignedDuration::from_secs(ago_s);
    let url = |credentials: &Credentials, ago_s: i64, expires_s: u32| {
        let key = SigningKey::derive(credentials, at(ago_s), stored.store.region()).unwrap();
        let host = stored.store.endpoint().replace("http://", "");
        let path = "/videos/site/signed/show/init.mp4";
        let target = presign(&key, &Request::get(&host, path, expires_s), at(ago_s)).unwrap();
        format!("http://{host}{target}")
    };
    let ours = credentials(&stored.store);
    assert_eq!(status("GET", &url(&ours, 100, 160)), 200);
    assert_eq!(status("GET", &url(&ours, 100, 60)), 403);
    let wrong = Credentials::new(stored.store.access_key_id(), "wrong".to_owned()).unwrap();
    assert_eq!(status("GET", &url(&wrong, 0, 60)), 403);
}
