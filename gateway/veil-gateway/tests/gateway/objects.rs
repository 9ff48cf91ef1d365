//! Sealed objects in `local` mode: ranges, tags, signatures.

use jiff::Timestamp;
use veil_presign::{Credentials, Request, SigningKey, presign};

use crate::client::{Answer, send};
use crate::site::{
    ACCESS_KEY_ID, EMPTY, GRANT, INDEX, INIT, NOW, SECRET, SEGMENTS, Site, TITLE, object_bytes,
};

fn ranged(site: &Site, url: &str, headers: &[&str]) -> Answer {
    site.send(&format!("GET {url}"), headers)
}

#[test]
fn one_range_is_served_in_all_its_forms() {
    for site in [Site::new(), Site::in_memory()] {
        let url = site.url(INIT);
        let whole = object_bytes(INIT);
        let size = whole.len();
        let check = |range: &str, first: usize, last: usize| {
            let answer = ranged(&site, &url, &[&format!("Range: {range}")]);
            assert_eq!(answer.status, 206, "{range}");
            let expected = format!("bytes {first}-{last}/{size}");
            assert_eq!(answer.header("content-range"), Some(expected.as_str()));
            assert_eq!(
                answer.header("content-length"),
                Some((last - first + 1).to_string().as_str())
            );
            assert!(answer.body == whole[first..=last], "{range}");
        };
        check("bytes=0-0", 0, 0);
        check("bytes=0-99", 0, 99);
        check("bytes=65535-65536", 65_535, 65_536);
        check("bytes=99999-", 99_999, 99_999);
        check("bytes=56-", 56, 99_999);
        check("bytes=99990-200000", 99_990, 99_999);
        check("bytes=-1", 99_999, 99_999);
        check("bytes=-70000", 30_000, 99_999);
        check("bytes=-200000", 0, 99_999);
        check("bytes=0-18446744073709551615", 0, 99_999);
    }
}

#[test]
fn a_range_outside_the_object_is_416_with_its_size() {
    for site in [Site::new(), Site::in_memory()] {
        let url = site.url(INIT);
        for range in
            ["bytes=100000-", "bytes=100000-100001", "bytes=99999999999999999999-", "bytes=-0"]
        {
            let answer = ranged(&site, &url, &[&format!("Range: {range}")]);
            answer.is_problem(416, "range-unsatisfiable");
            assert_eq!(answer.header("content-range"), Some("bytes */100000"), "{range}");
        }
        for range in ["bytes=0-", "bytes=0-0", "bytes=-1"] {
            let answer = ranged(&site, &site.url(EMPTY), &[&format!("Range: {range}")]);
            answer.is_problem(416, "range-unsatisfiable");
            assert_eq!(answer.header("content-range"), Some("bytes */0"), "{range}");
        }
    }
}

#[test]
fn several_or_malformed_ranges_get_the_whole_object() {
    let site = Site::new();
    let url = site.url(INIT);
    for range in ["bytes=0-1,5-6", "bytes=5-1", "bytes=x", "chapters=1-2", ""] {
        let answer = ranged(&site, &url, &[&format!("Range: {range}")]);
        assert_eq!((answer.status, answer.header("content-range")), (200, None), "{range}");
        assert!(answer.body == object_bytes(INIT));
    }
}

#[test]
fn a_whole_object_has_its_length_tag_type_and_the_life_of_its_url() {
    let site = Site::new();
    let answer = site.get(&site.url(INIT));
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-length"), Some("100000"));
    assert_eq!(answer.header("accept-ranges"), Some("bytes"));
    assert_eq!(answer.header("content-type"), Some("application/octet-stream"));
    // Signed at 11:42:48, when this title's window began, for 16,200 s; asked for at 12:10:01.
    assert_eq!(answer.header("cache-control"), Some("private, max-age=14567, immutable"));
    let tag = answer.header("etag").unwrap();
    assert!(tag.starts_with('"') && tag.ends_with('"'), "{tag}");
    let empty = site.get(&site.url(EMPTY));
    assert_eq!((empty.status, empty.header("content-length")), (200, Some("0")));
}

#[test]
fn an_object_that_the_client_has_is_304_whatever_the_range() {
    for site in [Site::new(), Site::in_memory()] {
        let url = site.url(INIT);
        let tag = site.get(&url).header("etag").unwrap().to_owned();
        let condition = format!("If-None-Match: \"other\", W/{tag}");
        for headers in [
            vec![condition.as_str()],
            vec![condition.as_str(), "Range: bytes=0-1"],
            vec![condition.as_str(), "Range: bytes=100000-"],
            vec!["If-None-Match: *"],
        ] {
            let answer = ranged(&site, &url, &headers);
            assert_eq!((answer.status, answer.body.len()), (304, 0), "{headers:?}");
            assert_eq!(answer.header("etag"), Some(tag.as_str()));
        }
        let changed = ranged(&site, &url, &["If-None-Match: \"other\"", "Range: bytes=0-1"]);
        assert_eq!((changed.status, changed.body.len()), (206, 2));
        let outside = ranged(&site, &url, &["If-None-Match: \"other\"", "Range: bytes=100000-"]);
        outside.is_problem(416, "range-unsatisfiable");
    }
}

#[test]
fn a_range_of_another_state_of_the_object_gets_the_whole() {
    let site = Site::new();
    let url = site.url(INIT);
    let tag = site.get(&url).header("etag").unwrap().to_owned();
    let same = format!("If-Range: {tag}");
    assert_eq!(ranged(&site, &url, &[&same, "Range: bytes=0-1"]).status, 206);
    for stale in ["If-Range: \"other\"", "If-Range: Fri, 20 Nov 2026 12:00:00 GMT"] {
        for range in ["Range: bytes=0-1", "Range: bytes=100000-"] {
            let answer = ranged(&site, &url, &[stale, range]);
            assert_eq!((answer.status, answer.body.len()), (200, 100_000), "{stale}, {range}");
        }
    }
}

#[test]
fn a_head_tells_what_a_get_would_and_ignores_ranges() {
    let site = Site::new();
    let url = site.url(INIT);
    let answer = site.send(&format!("HEAD {url}"), &["Range: bytes=0-1"]);
    assert_eq!((answer.status, answer.body.len()), (200, 0));
    assert_eq!(answer.header("content-length"), Some("100000"));
    assert!(answer.header("etag").is_some());
    let tag = format!("If-None-Match: {}", answer.header("etag").unwrap());
    assert_eq!(site.send(&format!("HEAD {url}"), &[&tag]).status, 304);
    let absent = site.send(&format!("HEAD {}", url.replace("Signature=", "Signature=0")), &[]);
    assert_eq!((absent.status, absent.body.len()), (403, 0));
}

#[test]
fn a_url_that_was_changed_anywhere_is_403() {
    let site = Site::new();
    let url = site.url(SEGMENTS[0]);
    for (from, to) in [
        (SEGMENTS[0], SEGMENTS[1]),
        ("X-Amz-Expires=16200", "X-Amz-Expires=16201"),
        ("X-Amz-Expires=16200", "X-Amz-Expires=604801"),
        ("X-Amz-Date=20261120T114248Z", "X-Amz-Date=20261120T114249Z"),
        ("VEILCAST%2F", "OTHER%2F"),
        ("%2Flocal%2F", "%2Fauto%2F"),
        ("&X-Amz-Signature=", "&versionId=1&X-Amz-Signature="),
        ("X-Amz-SignedHeaders=host", "X-Amz-SignedHeaders=host%3Brange"),
    ] {
        let changed = url.replace(from, to);
        assert_ne!(changed, url);
        site.get(&changed).is_problem(403, "signature-invalid");
    }
    site.get(url.split_once('?').unwrap().0).is_problem(403, "signature-invalid");
    site.get(&format!("{url}0")).is_problem(403, "signature-invalid");
    site.get(&url[..url.len() - 1]).is_problem(403, "signature-invalid");
}

#[test]
fn a_url_ends_at_its_second_and_holds_for_its_host_alone() {
    let site = Site::new();
    let url = site.url(SEGMENTS[0]);
    let host = format!("Host: localhost:{}", site.address.port());
    let other = send(site.address, &format!("GET {url}"), &[&host], "");
    other.is_problem(403, "signature-invalid");
    site.set_now("2026-11-20T16:12:47Z");
    assert_eq!(site.get(&url).status, 200);
    site.set_now("2026-11-20T16:12:48Z");
    site.get(&url).is_problem(403, "url-expired");
    // A clock that stepped back further than clocks differ.
    site.set_now("2026-11-20T11:27:47Z");
    site.get(&url).is_problem(403, "signature-invalid");
}

/// A URL that the gateway would never make, with a signature that holds.
fn signed(site: &Site, path: &str) -> String {
    let credentials = Credentials::new(ACCESS_KEY_ID, SECRET.to_owned()).unwrap();
    let now: Timestamp = NOW.parse().unwrap();
    let key = SigningKey::derive(&credentials, now, "local").unwrap();
    presign(&key, &Request::get(&site.address.to_string(), path, 60), now).unwrap()
}

#[test]
fn a_good_signature_opens_sealed_objects_and_no_grant_or_playlist() {
    let site = Site::new();
    assert_eq!(site.get(&signed(&site, &format!("/o/t/{TITLE}/{INIT}"))).status, 200);
    let grant = signed(&site, &format!("/o/g/{GRANT}"));
    site.get(&grant).is_problem(404, "not-found");
    let playlist = signed(&site, &format!("/o/t/{TITLE}/{INDEX}"));
    site.get(&playlist).is_problem(400, "bad-request");
    let folder = signed(&site, &format!("/o/t/{TITLE}"));
    site.get(&folder).is_problem(404, "not-found");
}

#[test]
fn a_good_signature_opens_nothing_by_a_way_around() {
    let site = Site::new();
    for (path, status, kind) in [
        (format!("/o/t/{TITLE}/../../g/{GRANT}"), 404, "not-found"),
        (format!("/o/t/../g/{GRANT}"), 404, "not-found"),
        ("/o/t/../g".to_owned(), 400, "bad-request"),
        (format!("/o/t/{TITLE}/.."), 400, "bad-request"),
        (format!("/o//t/{TITLE}/{INIT}"), 404, "not-found"),
        (format!("/o/t//{INIT}"), 400, "bad-request"),
        (format!("/o/t/{TITLE}/{INIT}\0"), 400, "bad-request"),
        (format!("/o/t/{TITLE}/{INIT}/"), 404, "not-found"),
        ("/o/t/../../etc/passwd".to_owned(), 404, "not-found"),
    ] {
        site.get(&signed(&site, &path)).is_problem(status, kind);
    }
}
