//! The table of errors, row by row.

use std::fs;

use serde_json::json;

use crate::client::send;
use crate::site::{ABSENT, GRANT, INDEX, INIT, MEDIA, SEGMENTS, Site, TITLE, bearer};

#[test]
fn a_grant_without_its_bearer_is_401_and_says_so_for_every_route_below_it() {
    let site = Site::new();
    for route in [String::new(), format!("/{MEDIA}")] {
        let start = format!("GET /v1/grants/{GRANT}{route}");
        let missing = site.send(&start, &[]);
        missing.is_problem(401, "bearer-missing");
        assert_eq!(missing.header("www-authenticate"), Some("Bearer"));
        for odd in ["Authorization: Basic dTpw", "Authorization: Bearer", "Authorization: "] {
            site.send(&start, &[odd]).is_problem(401, "bearer-missing");
        }
        let wrong = bearer().replace('t', "u");
        let long = format!("{}AAAA", bearer());
        for odd in [wrong.as_str(), long.as_str(), "Bearer x", "Bearer \u{e9}"] {
            site.send(&start, &[&format!("Authorization: {odd}")]).is_problem(401, "bearer-wrong");
        }
    }
    let start = format!("POST /v1/grants/{GRANT}/sign");
    site.send(&start, &["Content-Length: 0"]).is_problem(401, "bearer-missing");
}

#[test]
fn malformed_ids_names_and_bodies_are_400() {
    let site = Site::new();
    let title = TITLE;
    for target in [
        "/v1/grants/x".to_owned(),
        format!("/v1/grants/{}", GRANT.replace('2', "A")),
        format!("/v1/grants/{GRANT}/{INIT}"),
        format!("/v1/grants/{GRANT}/x.m3u8"),
        format!("/o/t/{title}/x?X-Amz-Algorithm=AWS4-HMAC-SHA256"),
        format!("/o/t/x/{INIT}"),
        format!("/o/t/{title}/{INDEX}"),
        "/v1/grants/%ff".to_owned(),
        "/o/t/%ff/%ff".to_owned(),
    ] {
        site.get_with_bearer(&target).is_problem(400, "bad-request");
    }
    let many = json!({ "names": vec![INIT; 65] }).to_string();
    let playlist = json!({ "names": [INDEX] }).to_string();
    for body in ["", "{}", "[]", "{\"names\": []}", "{\"names\": [\"../x\"]}", &many, &playlist] {
        site.post_sign(body).is_problem(400, "bad-request");
    }
}

#[test]
fn unknown_grants_objects_and_paths_are_404_of_their_own_kind() {
    let site = Site::new();
    let unknown = format!("/v1/grants/{ABSENT}");
    site.get_with_bearer(&unknown).is_problem(404, "grant-unknown");
    site.get_with_bearer(&format!("{unknown}/{MEDIA}")).is_problem(404, "grant-unknown");
    let playlist = format!("/v1/grants/{GRANT}/{ABSENT}.m3u8");
    site.get_with_bearer(&playlist).is_problem(404, "object-unknown");
    site.get(&site.url(ABSENT)).is_problem(404, "object-unknown");
    for path in
        ["/nothing", "/v1", "/v1/grants", "/o/", "/assets/x.js", "/favicon.ico", "/w", "/w/a/b"]
    {
        site.get(path).is_problem(404, "not-found");
    }
}

#[test]
fn an_expired_or_revoked_grant_is_410_for_its_bearer_and_401_for_others() {
    let site = Site::new();
    let start = format!("GET /v1/grants/{GRANT}");
    let mine = format!("Authorization: {}", bearer());
    let others = format!("Authorization: {}", bearer().replace('t', "u"));
    site.set_now("2026-11-27T11:59:59Z");
    assert_eq!(site.send(&start, &[&mine]).status, 200);
    site.set_now("2026-11-27T12:00:00Z");
    site.send(&start, &[&mine]).is_problem(410, "grant-expired");
    site.send(&start, &[&others]).is_problem(401, "bearer-wrong");
    site.edit_record(|record| {
        record["state"] = json!("revoked");
        for member in ["recipient", "expires", "index", "preload", "envelope"] {
            record.as_object_mut().unwrap().remove(member);
        }
    });
    site.send(&start, &[&mine]).is_problem(410, "grant-revoked");
    site.send(&start, &[&others]).is_problem(401, "bearer-wrong");
    let playlist = site.send(&format!("{start}/{MEDIA}"), &[&mine]);
    playlist.is_problem(410, "grant-revoked");
    site.post_sign("{\"names\": []}").is_problem(410, "grant-revoked");
}

#[test]
fn a_record_that_is_none_is_502() {
    let site = Site::new();
    let get = || site.get_with_bearer(&format!("/v1/grants/{GRANT}"));
    for text in [String::new(), "{}".to_owned(), " ".repeat((16 << 10) + 1)] {
        site.write(&format!("g/{GRANT}"), text.as_bytes());
        get().is_problem(502, "record-invalid");
    }
    site.edit_record(|record| record["id"] = json!(ABSENT));
    get().is_problem(502, "record-invalid");
    site.edit_record(|record| record["v"] = json!(2));
    get().is_problem(502, "record-invalid");
}

#[test]
fn a_playlist_that_is_none_or_leaves_its_title_is_502() {
    let site = Site::new();
    let check = |text: &str| {
        site.write(&format!("t/{TITLE}/{MEDIA}"), text.as_bytes());
        let target = format!("/v1/grants/{GRANT}/{MEDIA}");
        site.get_with_bearer(&target).is_problem(502, "playlist-invalid");
    };
    check("");
    check("no playlist");
    check(&format!("#EXTM3U\n#{}", "x".repeat(4 << 20)));
    for uri in [
        "../g/22222222222222222222222222222222",
        "%2e%2e/a",
        "/etc/passwd",
        "https://evil.example/a",
        "//evil.example/a",
        "data:text/plain,a",
        "a/66666666666666666666666666666666",
        "66666666666666666666666666666666?a",
        "66666666666666666666666666666666.ts",
        "6666666666666666666666666666666",
        "x.m3u8",
        "\u{0}",
    ] {
        check(&format!("#EXTM3U\n{uri}\n"));
        check(&format!("#EXTM3U\n#EXT-X-MAP:URI=\"{uri}\"\n"));
    }
}

#[test]
fn heads_and_bodies_over_their_limits_are_too_large() {
    let site = Site::new();
    site.get(&format!("/{}", "a".repeat(4096))).is_problem(414, "too-large");
    let big = format!("X-Big: {}", "b".repeat(16 << 10));
    site.send("GET /", &[&big]).is_problem(431, "too-large");
    site.send("GET /", &["X-Many: 1"; 70]).is_problem(431, "too-large");
    site.post_sign(&" ".repeat(4097)).is_problem(413, "too-large");
    let headers = [
        format!("Host: {}", site.address),
        format!("Authorization: {}", bearer()),
        "Transfer-Encoding: chunked".to_owned(),
    ];
    let headers: Vec<&str> = headers.iter().map(String::as_str).collect();
    let body = format!("{:x}\r\n{}\r\n0\r\n\r\n", 5000, " ".repeat(5000));
    let start = format!("POST /v1/grants/{GRANT}/sign");
    send(site.address, &start, &headers, &body).is_problem(413, "too-large");
}

#[test]
fn a_foreign_host_is_421_everywhere_but_for_the_probe() {
    let site = Site::new();
    let port = site.address.port();
    for host in ["evil.example", "127.0.0.1", &format!("evil.example:{port}"), ""] {
        for start in ["GET /", "GET /w/x", "GET /nothing", "POST /v1/grants/x/sign"] {
            let answer = send(site.address, start, &[&format!("Host: {host}")], "");
            answer.is_problem(421, "host-unknown");
        }
        let probe = send(site.address, "GET /healthz", &[&format!("Host: {host}")], "");
        assert_eq!(probe.status, 200);
    }
    for host in ["videos.example.org", "Videos.example.org:443", &format!("localhost:{port}")] {
        assert_eq!(send(site.address, "GET /", &[&format!("Host: {host}")], "").status, 200);
    }
}

#[test]
fn an_unclear_host_is_400() {
    let site = Site::new();
    let host = format!("Host: {}", site.address);
    send(site.address, "GET /", &[], "").is_problem(400, "bad-request");
    send(site.address, "GET /", &[&host, "Host: evil.example"], "").is_problem(400, "bad-request");
    let other = send(site.address, "GET http://evil.example/", &[&host], "");
    other.is_problem(400, "bad-request");
    let same = format!("GET http://{}/", site.address);
    assert_eq!(send(site.address, &same, &[&host], "").status, 200);
}

#[test]
fn a_bucket_that_is_away_is_503_with_retry_after_until_it_is_back() {
    let site = Site::new();
    let url = site.url(SEGMENTS[0]);
    site.gateway.purge();
    let away = site.path("").with_extension("away");
    fs::rename(site.path(""), &away).unwrap();
    let target = format!("/v1/grants/{GRANT}");
    for answer in [site.get_with_bearer(&target), site.get(&url)] {
        answer.is_problem(503, "store-unavailable");
        assert_eq!(answer.header("retry-after"), Some("5"));
    }
    fs::rename(&away, site.path("")).unwrap();
    assert_eq!(site.get_with_bearer(&target).status, 200);
    assert_eq!(site.get(&url).status, 200);
}

#[test]
fn a_method_that_a_path_does_not_take_is_405_and_names_those_it_does() {
    let site = Site::new();
    for (start, allowed) in [
        ("POST /w/x", "GET,HEAD"),
        ("DELETE /healthz", "GET,HEAD"),
        ("OPTIONS /v1/grants/x", "GET,HEAD"),
        ("GET /v1/grants/x/sign", "POST"),
        ("PUT /o/t/x/y", "GET,HEAD"),
    ] {
        let answer = site.send(start, &["Content-Length: 0"]);
        answer.is_problem(405, "method-not-allowed");
        assert_eq!(answer.header("allow"), Some(allowed), "{start}");
    }
}
