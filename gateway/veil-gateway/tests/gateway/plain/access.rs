//! Who may read: bearers, cookies, and everybody else.

use crate::client::send;
use crate::site::{GRANT, INDEX as SEALED_INDEX, SEGMENTS, TITLE};

use super::{now, site, token};

const MEDIA: &str = "/hls/vod/show/media.m3u8";

#[test]
fn a_token_opens_its_folder_and_no_other() {
    let site = site();
    let good = token("vod/show/", 60, None);
    assert_eq!(site.get_with(MEDIA, &good).status, 200);
    assert_eq!(site.get_with(MEDIA, &token("vod", 60, None)).status, 200);
    assert_eq!(site.get_with(MEDIA, &token("vod/show/media.m3u8", 60, None)).status, 200);
    site.get_with("/hls/vod/show2/media.m3u8", &good).is_problem(403, "token-scope");
    site.get_with(MEDIA, &token("vod/sho", 60, None)).is_problem(403, "token-scope");
    site.get_with(MEDIA, &token("open/show", 60, None)).is_problem(403, "token-scope");
    // What is not there is told to who may read there alone.
    site.get_with("/hls/vod/show/absent.m3u8", &good).is_problem(404, "object-unknown");
    site.get_with("/hls/vod/show2/absent.m3u8", &good).is_problem(403, "token-scope");
}

#[test]
fn without_a_token_that_holds_nothing_is_read_or_told() {
    let site = site();
    for path in [MEDIA, "/hls/vod/absent.ts", "/hls/vod/notes.html"] {
        let answer = site.get(path);
        answer.is_problem(401, "token-missing");
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
    }
    let invalid = |token: &str| {
        let answer = site.get_with(MEDIA, token);
        answer.is_problem(401, "token-invalid");
        assert_eq!(answer.header("www-authenticate"), Some("Bearer error=\"invalid_token\""));
        assert!(!answer.text().contains(token) || token.len() < 4);
    };
    let good = token("vod/", 60, None);
    for bad in ["x", "a.b.c", &good[..good.len() - 1], &format!("{good}A")] {
        invalid(bad);
    }
    invalid(&token("vod/", 60, Some("elsewhere")));
    site.get_with(MEDIA, &token("vod/", 0, None)).is_problem(401, "token-expired");
    site.get_with(MEDIA, &token("vod/", -1, None)).is_problem(401, "token-expired");
    let basic = site.send(&format!("GET {MEDIA}"), &["Authorization: Basic YTpi"]);
    basic.is_problem(401, "token-missing");
    let twice = format!("Authorization: Bearer {good}");
    let twice = site.send(&format!("GET {MEDIA}"), &[&twice, &twice]);
    twice.is_problem(401, "token-missing");
}

#[test]
fn a_token_that_ends_while_a_film_plays_opens_no_more() {
    let site = site();
    let token = token("vod/", 60, None);
    assert_eq!(site.get_with(MEDIA, &token).status, 200);
    let end = jiff::Timestamp::from_second(now().as_second() + 60).unwrap();
    site.set_now(&end.to_string());
    site.get_with(MEDIA, &token).is_problem(401, "token-expired");
}

#[test]
fn nothing_outside_the_prefixes_has_a_path() {
    let site = site();
    let token = token("vod/", 60, None);
    for path in [
        "/hls/".to_owned(),
        "/hls/vod".to_owned(),
        "/hls/other/media.m3u8".to_owned(),
        format!("/hls/t/{TITLE}/{SEALED_INDEX}"),
        format!("/hls/t/{TITLE}/{}", SEGMENTS[0]),
        format!("/hls/g/{GRANT}"),
        format!("/hls/vod/../t/{TITLE}/{SEALED_INDEX}"),
        format!("/hls/vod/%2e%2e/t/{TITLE}/{SEALED_INDEX}"),
        format!("/hls/vod/..%2ft/{TITLE}/{SEALED_INDEX}"),
        "/hls//vod/show/media.m3u8".to_owned(),
        "/hls/vod//show/media.m3u8".to_owned(),
        "/hls/vod%2fshow/media.m3u8".to_owned(),
        "/hls/vod/show%5cmedia.m3u8".to_owned(),
    ] {
        let answer = site.get_with(&path, &token);
        assert_eq!(answer.status, 404, "{path}: {}", answer.head);
    }
}

/// The cookie of a session, and its attributes.
fn cookie_of(answer: &crate::client::Answer) -> (String, Vec<String>) {
    let text = answer.header("set-cookie").unwrap();
    let mut parts = text.split("; ").map(str::to_owned);
    (parts.next().unwrap(), parts.collect())
}

#[test]
fn a_bearer_becomes_a_cookie_that_opens_the_same_until_the_same_end() {
    let site = site();
    let token = token("vod/show/", 60, None);
    let bearer = format!("Authorization: Bearer {token}");
    let answer = site.send("POST /hls/vod/session", &[&bearer, "Content-Length: 0"]);
    assert_eq!(answer.status, 204, "{}", answer.head);
    let (cookie, attributes) = cookie_of(&answer);
    assert_eq!(cookie, format!("__Secure-veilcast-hls={token}"));
    let expected = ["Path=/hls/vod/show", "Max-Age=60", "Secure", "HttpOnly", "SameSite=Lax"];
    assert_eq!(attributes, expected);
    let get = |path: &str, cookie: &str| site.send(&format!("GET {path}"), &[cookie]);
    let ours = format!("Cookie: a=b; {cookie}; c=d");
    assert_eq!(get(MEDIA, &ours).status, 200);
    assert_eq!(get("/hls/vod/show/sub/a%20b.ts", &ours).status, 200);
    get("/hls/vod/show2/media.m3u8", &ours).is_problem(403, "token-scope");
    // Cookies of two folders: whichever opens.
    let old = super::token("vod/other", 60, None);
    let both = format!("Cookie: __Secure-veilcast-hls={old}; {cookie}");
    assert_eq!(get(MEDIA, &both).status, 200);
    let many = format!("Cookie: {}{cookie}", format!("__Secure-veilcast-hls={old}; ").repeat(4));
    get(MEDIA, &many).is_problem(403, "token-scope");
    get(MEDIA, "Cookie: __Secure-veilcast-hls=x").is_problem(401, "token-invalid");
    get(MEDIA, &format!("Cookie: veilcast-hls={token}")).is_problem(401, "token-missing");
    // A bearer that is wrong is not made good by a cookie.
    let wrong = site.send(&format!("GET {MEDIA}"), &["Authorization: Bearer x", &ours]);
    wrong.is_problem(401, "token-invalid");

    let answer = site.send("DELETE /hls/vod/session", &[&ours]);
    assert_eq!(answer.status, 204);
    let (cookie, attributes) = cookie_of(&answer);
    assert_eq!(cookie, "__Secure-veilcast-hls=");
    assert_eq!(attributes[..2], ["Path=/hls/vod/show", "Max-Age=0"]);
    let nothing = site.send("DELETE /hls/vod/session", &[]);
    assert_eq!((nothing.status, nothing.header("set-cookie")), (204, None));
}

#[test]
fn a_session_reaches_no_further_than_its_tree_and_is_for_who_has_a_bearer() {
    let site = site();
    let open = |path: &str, token: &str| {
        let bearer = format!("Authorization: Bearer {token}");
        site.send(&format!("POST {path}"), &[&bearer, "Content-Length: 0"])
    };
    let path = |answer: &crate::client::Answer| cookie_of(answer).1[0].clone();
    let all = token("embed", 60, Some("here"));
    let answer = open("/hls/embed/session", &all);
    let (_, attributes) = cookie_of(&answer);
    let expected = ["Path=/hls/embed", "Max-Age=60", "Secure", "HttpOnly", "SameSite=None"];
    assert_eq!(attributes[..5], expected);
    assert_eq!(attributes[5], "Partitioned");
    assert_eq!(path(&open("/hls/vod/session", &token("vod/a b/c", 60, None))), "Path=/hls/vod");
    open("/hls/vod/session", &token("open/show", 60, None)).is_problem(403, "token-scope");
    open("/hls/vod/session", "x").is_problem(401, "token-invalid");
    open("/hls/open/session", &all).is_problem(404, "not-found");
    open("/hls/vod/show", &token("vod", 60, None)).is_problem(404, "not-found");
    let cookie = format!("Cookie: __Secure-veilcast-hls={}", token("vod", 60, None));
    let answer = site.send("POST /hls/vod/session", &[&cookie, "Content-Length: 0"]);
    answer.is_problem(401, "token-missing");
    let put = site.send("PUT /hls/vod/session", &["Content-Length: 0"]);
    put.is_problem(405, "method-not-allowed");
}

#[test]
fn what_is_for_everybody_asks_for_nothing_and_an_audience_is_held() {
    let site = site();
    let answer = site.get("/hls/open/show/media.m3u8");
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("cache-control"), Some("public, max-age=60"));
    assert_eq!(answer.header("cross-origin-resource-policy"), Some("cross-origin"));
    let embed = "/hls/embed/show/media.m3u8";
    assert_eq!(site.get_with(embed, &token("embed", 60, Some("here"))).status, 200);
    site.get_with(embed, &token("embed", 60, Some("there"))).is_problem(401, "token-invalid");
    site.get_with(embed, &token("embed", 60, None)).is_problem(401, "token-invalid");
}

#[test]
fn a_host_that_is_not_ours_gets_nothing() {
    let site = site();
    let bearer = format!("Authorization: Bearer {}", token("vod", 60, None));
    let start = format!("GET {MEDIA}");
    let answer = send(site.address, &start, &["Host: evil.example", &bearer], "");
    answer.is_problem(421, "host-unknown");
}
