//! Playlists of plain trees: untouched, or with presigned URLs that a verifier takes.

use std::time::Instant;

use jiff::Timestamp;
use veil_presign::{Claim, Credentials, Presented, SigningKey, VerifyError, verify};

use crate::client::PATIENCE;
use crate::site::{ACCESS_KEY_ID, SECRET};

use super::{INDEX, MEDIA, STORE_URL, now, site, token};

/// Verifies a URL as the store would, and returns when it ends.
pub(super) fn verified(url: &str, at: Timestamp) -> Result<Timestamp, VerifyError> {
    let rest = url.strip_prefix("https://store.example.org").unwrap();
    let (path, query) = rest.split_once('?').unwrap();
    let presented = Presented { method: "GET", host: "store.example.org", path, query };
    verify(&presented, at, |claim: &Claim<'_>| {
        assert_eq!((claim.access_key_id, claim.region), (ACCESS_KEY_ID, "eu-test-1"));
        let credentials = Credentials::new(ACCESS_KEY_ID, SECRET.to_owned()).unwrap();
        SigningKey::derive(&credentials, claim.signed_at, claim.region).ok()
    })
}

#[test]
fn in_local_mode_a_playlist_comes_as_it_lies_there() {
    let site = site();
    let token = token("vod", 600, None);
    for (name, text) in [("index.m3u8", INDEX), ("media.m3u8", MEDIA)] {
        let answer = site.get_with(&format!("/hls/vod/show/{name}"), &token);
        assert_eq!((answer.status, answer.text()), (200, text));
        assert_eq!(answer.header("content-type"), Some("application/vnd.apple.mpegurl"));
        assert_eq!(answer.header("cache-control"), Some("private, max-age=60"));
    }
}

/// The media playlist as a player gets it, and the URLs in it, `%` for each in the text.
fn signed(text: &str) -> (String, Vec<String>) {
    let mut rest = text;
    let (mut shape, mut urls) = (String::new(), Vec::new());
    while let Some(start) = rest.find(STORE_URL) {
        let end = start + rest[start..].find(['"', '\r', '\n']).unwrap_or(rest.len() - start);
        shape.push_str(&rest[..start]);
        shape.push('%');
        urls.push(rest[start..end].to_owned());
        rest = &rest[end..];
    }
    (shape + rest, urls)
}

#[test]
fn in_presigned_mode_every_object_has_a_url_that_the_store_takes_and_nothing_else_changed() {
    let site = site();
    let long = token("signed", 100_000, None);
    let answer = site.get_with("/hls/signed/show/media.m3u8", &long);
    assert_eq!(answer.status, 200, "{}", answer.text());
    let (shape, urls) = signed(answer.text());
    let expected = MEDIA
        .replace("\"keys/a.key\"", "\"%\"")
        .replace("\"init.mp4\"", "\"%\"")
        .replace("sub/a%20b.ts", "%")
        .replace("c.m4s?x=1", "%");
    assert_eq!(shape, expected);
    let names = ["keys/a.key", "init.mp4", "sub/a%20b.ts", "sub/a%20b.ts", "c.m4s"];
    assert_eq!(urls.len(), names.len());
    for (url, name) in urls.iter().zip(names) {
        assert!(url.starts_with(&format!("{STORE_URL}signed/show/{name}?X-Amz-")), "{url}");
        let end = verified(url, now()).unwrap();
        let left_s = end.as_second() - now().as_second();
        assert!((14_400..=16_200).contains(&left_s), "{left_s}");
    }
    // A byte range goes on in the same object only if it has the same URL.
    assert_eq!(urls[2], urls[3]);
    let index = site.get_with("/hls/signed/show/index.m3u8", &long);
    let (shape, urls) = signed(index.text());
    assert_eq!(shape, INDEX.replace("x.json", "%"));
    verified(&urls[0], now()).unwrap();
}

#[test]
fn a_url_that_was_tampered_with_used_otherwise_or_late_is_refused_by_the_verifier() {
    let site = site();
    let answer = site.get_with("/hls/signed/show/media.m3u8", &token("signed", 100_000, None));
    let url = signed(answer.text()).1.swap_remove(1);
    let end = verified(&url, now()).unwrap();
    assert_eq!(verified(&url, end), Err(VerifyError::Expired { ago_s: 0 }));
    for (from, to) in [("init.mp4", "c.m4s"), ("X-Amz-Expires=", "X-Amz-Expires=1")] {
        let tampered = url.replace(from, to);
        assert_eq!(verified(&tampered, now()), Err(VerifyError::WrongSignature), "{from}");
    }
    let beyond = url.replace("X-Amz-Expires=16200", "X-Amz-Expires=604801");
    assert_eq!(verified(&beyond, now()), Err(VerifyError::ExpiresTooLong));
}

#[test]
fn urls_end_with_the_token_that_asked_for_them() {
    let site = site();
    let answer = site.get_with("/hls/signed/show/media.m3u8", &token("signed", 90, None));
    assert_eq!(answer.header("cache-control"), Some("private, max-age=60"));
    for url in signed(answer.text()).1 {
        let end = verified(&url, now()).unwrap();
        assert_eq!(end.as_second() - now().as_second(), 90);
    }
    let answer = site.get_with("/hls/signed/show/media.m3u8", &token("signed", 5, None));
    assert_eq!(answer.header("cache-control"), Some("private, max-age=5"));
}

#[test]
fn one_window_gives_one_text_and_a_client_that_has_it_gets_no_more() {
    let site = site();
    let long = token("signed", 100_000, None);
    let path = "/hls/signed/show/media.m3u8";
    let first = site.get_with(path, &long);
    let tag = first.header("etag").unwrap();
    let again = |tag: &str| {
        let bearer = format!("Authorization: Bearer {long}");
        site.send(&format!("GET {path}"), &[&bearer, &format!("If-None-Match: {tag}")])
    };
    let same = again(tag);
    assert_eq!((same.status, same.header("etag"), same.body.len()), (304, Some(tag), 0));
    // Another token of long life asks for the same text.
    let other = site.get_with(path, &token("signed/show", 90_000, None));
    assert_eq!(other.body, first.body);
    let later = Timestamp::from_second(now().as_second() + 1800).unwrap();
    site.set_now(&later.to_string());
    let next = again(tag);
    assert_eq!(next.status, 200);
    assert_ne!(next.header("etag"), Some(tag));
    assert_ne!(next.body, first.body);
}

#[test]
fn a_live_playlist_is_read_anew_and_its_tag_follows_it() {
    let site = site();
    let token = token("vod", 600, None);
    let live = |from: u32| {
        let head = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:";
        format!("{head}{from}\n#EXTINF:2,\n{from}.ts\n#EXTINF:2,\n{}.ts\n", from + 1)
    };
    let read = |headers: &[&str]| {
        let bearer = format!("Authorization: Bearer {token}");
        let path = "GET /hls/vod/show/live.m3u8";
        site.send(path, &[&[bearer.as_str()], headers].concat())
    };
    site.write("vod/show/live.m3u8", live(1).as_bytes());
    let first = read(&[]);
    assert_eq!(first.text(), live(1));
    assert_eq!(first.header("cache-control"), Some("private, max-age=1"));
    let known = format!("If-None-Match: {}", first.header("etag").unwrap());
    assert_eq!(read(&[&known]).status, 304);
    site.write("vod/show/live.m3u8", live(2).as_bytes());
    // It is looked for anew after a second.
    let started = Instant::now();
    let mut answer = read(&[&known]);
    while answer.status == 304 && started.elapsed() < PATIENCE {
        answer = read(&[&known]);
    }
    assert_eq!(answer.text(), live(2));
}

#[test]
fn what_is_no_playlist_or_leads_out_of_its_folder_is_refused() {
    let site = site();
    let token = token("vod", 600, None);
    let mut count = 0;
    let mut refused = |text: &[u8]| {
        count += 1;
        site.write(&format!("vod/show/bad{count}.m3u8"), text);
        let answer = site.get_with(&format!("/hls/vod/show/bad{count}.m3u8"), &token);
        answer.is_problem(502, "playlist-invalid");
    };
    for text in [
        "",
        "text",
        "#EXTM3U\n../a.ts\n",
        "#EXTM3U\n/a.ts\n",
        "#EXTM3U\n%2e%2e/a.ts\n",
        "#EXTM3U\n//evil.example/a.ts\n",
        "#EXTM3U\n#EXT-X-MAP:URI=\"../../t/a\"\n",
        "#EXTM3U\n#EXT-X-MAP:URI=a\n",
        "#EXTM3U\n{$x}.ts\n",
        "#EXTM3U\na\rb.ts\n",
    ] {
        refused(text.as_bytes());
    }
    refused(b"#EXTM3U\n\xff\n");
    refused(format!("#EXTM3U\n{}\n", "#".repeat(4 << 20)).as_bytes());
    refused(format!("#EXTM3U\n#{}\n", "x".repeat(17_000)).as_bytes());
    let many: String = (0..50_001).map(|at| format!("{at}.ts\n")).collect();
    refused(format!("#EXTM3U\n{many}").as_bytes());
}

#[test]
fn playlists_of_no_segment_and_of_ten_thousand_are_signed() {
    let site = site();
    let long = token("signed", 100_000, None);
    site.write("signed/none.m3u8", b"#EXTM3U\n#EXT-X-ENDLIST");
    let none = site.get_with("/hls/signed/none.m3u8", &long);
    assert_eq!(none.text(), "#EXTM3U\n#EXT-X-ENDLIST");
    let lines: String = (0..10_000).map(|at| format!("#EXTINF:2,\n{at}.ts\n")).collect();
    site.write("signed/many.m3u8", format!("\u{feff}#EXTM3U\n{lines}").as_bytes());
    let many = site.get_with("/hls/signed/many.m3u8", &long);
    assert!(many.text().starts_with("\u{feff}#EXTM3U\n#EXTINF:2,\nhttps://"));
    let (shape, urls) = signed(many.text());
    assert_eq!((urls.len(), shape.matches("#EXTINF:2,\n%\n").count()), (10_000, 10_000));
    for at in [0, 1, 9_999] {
        assert!(urls[at].starts_with(&format!("{STORE_URL}signed/{at}.ts?")), "{}", urls[at]);
        verified(&urls[at], now()).unwrap();
    }
}
