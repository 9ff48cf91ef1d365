//! What is kept, and that nobody is the worse for it.

use std::fs;
use std::io::Read as _;
use std::sync::Arc;

use jiff::SignedDuration;
use serde_json::json;
use veil_gateway::CacheSettings;

use crate::client::{Answer, send};
use crate::site::{
    ABSENT, ADMIN, GRANT, INDEX, MEDIA, SEGMENTS, Site, TITLE, bearer, media_text, record,
};

fn target(name: &str) -> String {
    format!("/v1/grants/{GRANT}/{name}")
}

/// `GET` of a playlist with the bearer and other headers.
#[track_caller]
fn ask(site: &Site, target: &str, more: &[&str]) -> Answer {
    let bearer = format!("Authorization: {}", bearer());
    site.send(&format!("GET {target}"), &[&[bearer.as_str()], more].concat())
}

fn revoke(site: &Site) {
    let mut revoked = record();
    revoked["state"] = json!("revoked");
    site.write_unseen(&format!("g/{GRANT}"), revoked.to_string().as_bytes());
}

#[test]
fn the_second_request_is_answered_from_memory_with_the_same_bytes() {
    let site = Site::new();
    let first = ask(&site, &target(MEDIA), &[]);
    let signed = first.text().to_owned();
    assert!(signed.contains("X-Amz-Signature="));
    // What lies in the bucket now is not looked at yet.
    site.write_unseen(&format!("t/{TITLE}/{MEDIA}"), b"no playlist");
    fs::remove_file(site.path(&format!("g/{GRANT}"))).unwrap();
    let second = ask(&site, &target(MEDIA), &[]);
    assert_eq!((second.status, second.text()), (200, signed.as_str()));
    assert_eq!(second.header("etag"), first.header("etag"));
}

#[test]
fn a_playlist_that_is_known_is_304_under_the_same_tag_and_encoding() {
    let site = Site::new();
    for name in [INDEX, MEDIA] {
        let plain = ask(&site, &target(name), &[]);
        let tag = plain.header("etag").unwrap().to_owned();
        assert!(tag.len() == 34 && tag.starts_with('"'), "{tag}");
        let known = ask(&site, &target(name), &[&format!("If-None-Match: \"x\", {tag}")]);
        assert_eq!((known.status, known.body.len()), (304, 0));
        for header in ["etag", "cache-control", "vary"] {
            assert_eq!(known.header(header), plain.header(header), "{header}");
        }
        // Another encoding, form, bearer: another answer.
        let gzip =
            ask(&site, &target(name), &["Accept-Encoding: gzip", &format!("If-None-Match: {tag}")]);
        assert_eq!((gzip.status, gzip.header("content-encoding")), (200, Some("gzip")));
        let stranger =
            site.send(&format!("GET {}", target(name)), &[&format!("If-None-Match: {tag}")]);
        stranger.is_problem(401, "bearer-missing");
    }
    let tag = ask(&site, &target(MEDIA), &[]).header("etag").unwrap().to_owned();
    let tag = format!("If-None-Match: {tag}");
    let compact = ask(&site, &format!("{}?form=compact", target(MEDIA)), &[&tag]);
    assert_eq!(compact.status, 200);
    // The next window has other URLs, under another tag.
    site.pass(SignedDuration::from_mins(30));
    assert_eq!(ask(&site, &target(MEDIA), &[&tag]).status, 200);
}

#[test]
fn each_encoding_has_its_bytes_and_gives_the_same_playlist_back() {
    let site = Site::new();
    let plain = ask(&site, &target(MEDIA), &[]).body;
    let decode = |encoding: &str, body: &[u8]| {
        let mut text = Vec::new();
        match encoding {
            "zstd" => text = zstd::decode_all(body).unwrap(),
            "br" => drop(brotli::Decompressor::new(body, 4096).read_to_end(&mut text).unwrap()),
            _ => drop(flate2::read::GzDecoder::new(body).read_to_end(&mut text).unwrap()),
        }
        text
    };
    for (accepted, encoding) in
        [("gzip, deflate, br, zstd", "zstd"), ("gzip, br", "br"), ("br;q=0.5, gzip;q=0.8", "gzip")]
    {
        for _ in 0..2 {
            let answer = ask(&site, &target(MEDIA), &[&format!("Accept-Encoding: {accepted}")]);
            assert_eq!(answer.header("content-encoding"), Some(encoding));
            let length = answer.header("content-length").unwrap().parse();
            assert_eq!(length, Ok(answer.body.len()));
            assert_eq!(decode(encoding, &answer.body), plain, "{encoding}");
        }
    }
    let refused = ask(&site, &target(MEDIA), &["Accept-Encoding: zstd;q=0, *;q=0"]);
    assert_eq!((refused.header("content-encoding"), &refused.body), (None, &plain));
}

#[test]
fn two_gateways_over_one_bucket_give_the_same_bytes_under_the_same_tags() {
    let one = Site::new();
    let other = one.beside();
    one.pass(SignedDuration::from_mins(2));
    let host = "Host: videos.example.org";
    let bearer = format!("Authorization: {}", bearer());
    for name in [INDEX, MEDIA] {
        for encoding in ["identity", "gzip", "br", "zstd"] {
            for query in ["", "?form=compact"] {
                let encoding = format!("Accept-Encoding: {encoding}");
                let start = format!("GET {}{query}", target(name));
                let ask = |site: &Site| send(site.address, &start, &[host, &bearer, &encoding], "");
                let (a, b) = (ask(&one), ask(&other));
                assert_eq!(a.header("etag"), b.header("etag"));
                assert!(a.status == 200 && a.body == b.body, "{start} {encoding}");
            }
        }
    }
}

#[test]
fn the_compact_form_has_variables_that_give_the_same_urls() {
    let site = Site::new();
    let whole = ask(&site, &target(MEDIA), &[]).text().to_owned();
    let compact = ask(&site, &format!("{}?other=1&form=compact", target(MEDIA)), &[]);
    let mut text = String::new();
    let mut variables = Vec::new();
    for line in compact.text().split_inclusive("\r\n") {
        match line.strip_prefix("#EXT-X-DEFINE:NAME=\"") {
            Some(definition) => {
                let (name, value) = definition.split_once("\",VALUE=\"").unwrap();
                variables
                    .push((name.to_owned(), value.trim_end().trim_end_matches('"').to_owned()));
            }
            None => text.push_str(line),
        }
    }
    assert_eq!(variables.len(), 2);
    for (name, value) in variables {
        text = text.replace(&format!("{{${name}}}"), &value);
    }
    assert_eq!(text.replace("VERSION:8", "VERSION:7"), whole);
    // A playlist of playlists has nothing to define.
    let index = ask(&site, &format!("{}?form=compact", target(INDEX)), &[]);
    assert_eq!(index.body, ask(&site, &target(INDEX), &[]).body);
    for odd in ["form=", "form=other", "form=compact&form=compact"] {
        ask(&site, &format!("{}?{odd}", target(MEDIA)), &[]).is_problem(400, "bad-request");
    }
}

#[test]
fn a_revocation_is_known_at_once_where_it_was_told() {
    let site = Site::new();
    assert_eq!(ask(&site, &target(MEDIA), &[]).status, 200);
    revoke(&site);
    assert_eq!(ask(&site, &target(MEDIA), &[]).status, 200, "it was read a moment ago");
    let forget = format!("POST /v1/grants/{GRANT}/forget");
    let token = format!("Authorization: Bearer {ADMIN}");
    site.send(&forget, &["Content-Length: 0"]).is_problem(401, "admin-missing");
    let mine = format!("Authorization: {}", bearer());
    site.send(&forget, &["Content-Length: 0", &mine]).is_problem(403, "admin-wrong");
    site.send("POST /v1/grants/x/forget", &["Content-Length: 0", &token])
        .is_problem(400, "bad-request");
    assert_eq!(ask(&site, &target(MEDIA), &[]).status, 200);
    let told = site.send(&forget, &["Content-Length: 0", &token]);
    assert_eq!((told.status, told.body.len()), (204, 0));
    ask(&site, &target(MEDIA), &[]).is_problem(410, "grant-revoked");
    ask(&site, &format!("/v1/grants/{GRANT}"), &[]).is_problem(410, "grant-revoked");
    site.post_sign("{\"names\": []}").is_problem(410, "grant-revoked");
}

#[test]
fn a_gateway_that_may_not_keep_grants_asks_each_time() {
    let settings = CacheSettings { grant_fresh_s: 0, ..CacheSettings::default() };
    let site = Site::equipped(|gateway| gateway.with_caches(&settings));
    assert_eq!(ask(&site, &target(MEDIA), &[]).status, 200);
    revoke(&site);
    ask(&site, &target(MEDIA), &[]).is_problem(410, "grant-revoked");
}

#[test]
fn a_grant_ends_on_time_however_lately_it_was_read() {
    let site = Site::new();
    site.edit_record(|record| record["expires"] = json!("2026-11-20T12:10:02Z"));
    assert_eq!(ask(&site, &target(MEDIA), &[]).header("cache-control"), Some("private, max-age=0"));
    site.set_now("2026-11-20T12:10:02Z");
    ask(&site, &target(MEDIA), &[]).is_problem(410, "grant-expired");
    // A clock that is set back finds the grant in force, and signs for that time.
    site.set_now("2026-11-20T12:10:01Z");
    assert_eq!(ask(&site, &target(MEDIA), &[]).status, 200);
}

#[test]
fn while_the_bucket_is_away_what_is_known_is_served_and_the_rest_is_503() {
    let site = Site::new();
    let known = ask(&site, &target(MEDIA), &[]).body;
    let grant = format!("/v1/grants/{GRANT}");
    assert_eq!(ask(&site, &grant, &[]).status, 200);
    let url = site.url(SEGMENTS[0]);
    let away = site.path("").with_extension("away");
    fs::rename(site.path(""), &away).unwrap();
    assert_eq!(ask(&site, &target(MEDIA), &[]).body, known);
    assert_eq!(ask(&site, &target(MEDIA), &["Accept-Encoding: zstd"]).status, 200);
    assert_eq!(ask(&site, &grant, &[]).status, 200);
    for unknown in [
        ask(&site, &target(INDEX), &[]),
        ask(&site, &format!("/v1/grants/{ABSENT}"), &[]),
        site.get(&url),
    ] {
        unknown.is_problem(503, "store-unavailable");
        assert_eq!(unknown.header("retry-after"), Some("5"));
    }
    fs::rename(&away, site.path("")).unwrap();
    assert_eq!(ask(&site, &target(INDEX), &[]).status, 200);
    assert_eq!(site.get(&url).status, 200);
}

#[test]
fn a_manifest_says_for_how_long_it_may_be_kept_and_its_urls_hold_longer() {
    let site = Site::new();
    for (segment_s, life_s, needed_s) in
        [(2, 16_200, 4 + 1800), (10_000, 20_000 + 1800 + 1800, 21_800)]
    {
        let text = media_text().replace("2.000000", &format!("{segment_s}.000000"));
        site.write(&format!("t/{TITLE}/{MEDIA}"), text.as_bytes());
        let answer = ask(&site, &target(MEDIA), &[]);
        let expires = format!("X-Amz-Date=20261120T114248Z&X-Amz-Expires={life_s}&");
        assert!(answer.text().contains(&expires), "{}", answer.text());
        // 12:10:01 is 1,633 s into the window.
        let max_age = format!("private, max-age={}", life_s - 1633 - needed_s);
        assert_eq!(answer.header("cache-control"), Some(max_age.as_str()));
    }
}

#[test]
fn a_crowd_that_comes_at_once_is_answered_by_one_signing() {
    let site = Arc::new(Site::new());
    let crowd: Vec<_> = (0..64)
        .map(|_| {
            let site = Arc::clone(&site);
            std::thread::spawn(move || ask(&site, &target(MEDIA), &["Accept-Encoding: gzip"]).body)
        })
        .collect();
    let bodies: Vec<_> = crowd.into_iter().map(|one| one.join().unwrap()).collect();
    assert!(bodies.iter().all(|body| *body == bodies[0]));
    let token = format!("Authorization: Bearer {ADMIN}");
    let figures = site.send("GET /performance/metrics", &[&token]).json();
    let reads = figures["store"]["reads"]["found"].as_u64().unwrap();
    assert_eq!(reads, 2, "one record and one playlist: {figures}");
    let cache = |name: &str| {
        let caches = figures["caches"].as_array().unwrap();
        caches.iter().find(|cache| cache["name"] == name).unwrap().clone()
    };
    assert_eq!(cache("manifests")["entries"], 1);
    for name in ["manifests", "templates", "grants", "urls", "absent"] {
        assert!(cache(name)["limit_bytes"].as_u64().unwrap() >= 1 << 20, "{name}");
    }
}
