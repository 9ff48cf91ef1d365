//! Objects of plain trees: passed through with ranges, or a way to the store.

use super::{STORE_URL, site, token};

const OBJECT: &str = "show/sub/a%20b.ts";

#[test]
fn an_object_comes_through_the_gateway_with_ranges_tags_and_its_type() {
    let site = site();
    let bearer = format!("Authorization: Bearer {}", token("vod", 600, None));
    let get = |headers: &[&str]| {
        site.send(&format!("GET /hls/vod/{OBJECT}"), &[&[bearer.as_str()], headers].concat())
    };
    let whole = get(&[]);
    assert_eq!((whole.status, whole.body.len()), (200, 1000));
    assert_eq!(whole.header("content-type"), Some("video/mp2t"));
    assert_eq!(whole.header("accept-ranges"), Some("bytes"));
    assert_eq!(whole.header("cache-control"), Some("private, max-age=600"));
    assert_eq!(whole.header("cross-origin-resource-policy"), Some("same-site"));
    let part = get(&["Range: bytes=10-19"]);
    assert_eq!((part.status, part.body.len()), (206, 10));
    assert_eq!(part.header("content-range"), Some("bytes 10-19/1000"));
    get(&["Range: bytes=1000-"]).is_problem(416, "range-unsatisfiable");
    let tag = whole.header("etag").unwrap();
    assert_eq!(get(&[&format!("If-None-Match: {tag}")]).status, 304);
    let head = site.send(&format!("HEAD /hls/vod/{OBJECT}"), &[&bearer]);
    assert_eq!(
        (head.status, head.header("content-length"), head.body.len()),
        (200, Some("1000"), 0)
    );
}

#[test]
fn only_extensions_of_media_and_those_configured_are_served() {
    let site = site();
    let here = token("embed", 60, Some("here"));
    let answer = site.get_with("/hls/embed/show/x.bin", &here);
    assert_eq!(answer.header("content-type"), Some("application/octet-stream"));
    assert_eq!(answer.text(), "bin");
    site.get_with("/hls/embed/show/notes.html", &here).is_problem(404, "object-unknown");
    site.get("/hls/open/show/x.bin").is_problem(404, "object-unknown");
    site.get("/hls/open/show").is_problem(404, "object-unknown");
    site.get("/hls/open/show/absent.ts").is_problem(404, "object-unknown");
}

#[test]
fn in_presigned_mode_an_object_is_a_redirect_to_the_store() {
    let site = site();
    let long = token("signed", 100_000, None);
    let answer = site.get_with(&format!("/hls/signed/{OBJECT}"), &long);
    assert_eq!((answer.status, answer.body.len()), (302, 0));
    let location = answer.header("location").unwrap();
    let start = format!("{STORE_URL}signed/show/sub/a%20b.ts?X-Amz-Algorithm=AWS4-HMAC-SHA256&");
    assert!(location.starts_with(&start), "{location}");
    assert_eq!(answer.header("cache-control"), Some("private, max-age=60"));
    site.get(&format!("/hls/signed/{OBJECT}")).is_problem(401, "token-missing");
    // The store knows what it has; the gateway doesn't ask.
    assert_eq!(site.get_with("/hls/signed/show/absent.ts", &long).status, 302);
    let html = site.get_with("/hls/signed/show/notes.html", &long);
    html.is_problem(404, "object-unknown");
}
