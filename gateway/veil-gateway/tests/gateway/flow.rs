//! What a player does: grant, playlists, objects.

use serde_json::json;

use crate::site::{
    ABSENT, GRANT, INDEX, INIT, MANIFEST, MEDIA, SEGMENTS, Site, TITLE, bearer, index_text,
    media_text, object_bytes, record,
};

/// A stock client.
fn fetch(site: &Site, target: &str, bearer: Option<&str>) -> (u16, Vec<u8>) {
    let agent: ureq::Agent =
        ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let mut request = agent.get(format!("http://{}{target}", site.address));
    if let Some(bearer) = bearer {
        request = request.header("Authorization", bearer);
    }
    let mut answer = request.call().unwrap();
    (answer.status().as_u16(), answer.body_mut().read_to_vec().unwrap())
}

/// The targets that stand between the lines of `source` in `rewritten`; the rest must be equal.
fn targets<'a>(source: &str, rewritten: &'a str, names: &[&str]) -> Vec<&'a str> {
    let mut found = Vec::new();
    let (mut source, mut left) = (source, rewritten);
    for name in names {
        let at = source.find(name).unwrap();
        assert_eq!(left[..at], source[..at]);
        left = &left[at..];
        let end = left.find(['"', '\r', '\n']).unwrap();
        found.push(&left[..end]);
        left = &left[end..];
        source = &source[at + name.len()..];
    }
    assert_eq!(left, source);
    found
}

fn watch(site: &Site) {
    let bearer = bearer();
    let (status, grant) = fetch(site, &format!("/v1/grants/{GRANT}"), Some(&bearer));
    assert_eq!(status, 200);
    let grant: serde_json::Value = serde_json::from_slice(&grant).unwrap();
    let mut expected = record();
    expected.as_object_mut().unwrap().remove("bearer_sha256");
    assert_eq!(grant["grant"], expected);
    assert_eq!(grant["now"], "2026-11-20T12:10:01Z");
    assert_eq!(grant["index_url"], format!("/v1/grants/{GRANT}/{INDEX}"));
    let manifest = grant["urls"][MANIFEST].as_str().unwrap();
    assert_eq!(fetch(site, manifest, None), (200, object_bytes(MANIFEST)));

    let (status, index) = fetch(site, grant["index_url"].as_str().unwrap(), Some(&bearer));
    assert_eq!(status, 200);
    let index = String::from_utf8(index).unwrap();
    let playlists = targets(&index_text(), &index, &[MEDIA, MEDIA]);
    assert_eq!(playlists, [MEDIA; 2], "relative, so that one text serves every grant");

    let (status, media) = fetch(site, &format!("/v1/grants/{GRANT}/{MEDIA}"), Some(&bearer));
    assert_eq!(status, 200);
    let media = String::from_utf8(media).unwrap();
    let names = [INIT, SEGMENTS[0], SEGMENTS[1]];
    for (target, name) in targets(&media_text(), &media, &names).into_iter().zip(names) {
        assert!(target.starts_with(&format!("/o/t/{TITLE}/{name}?X-Amz-")), "{target}");
        assert!(target.contains("&X-Amz-Date=20261120T114248Z&X-Amz-Expires=16200&"), "{target}");
        assert_eq!(fetch(site, target, None), (200, object_bytes(name)), "{target}");
    }
}

#[test]
fn a_link_leads_from_the_grant_over_its_playlists_to_every_object() {
    watch(&Site::new());
}

#[test]
fn a_store_without_files_serves_the_same() {
    watch(&Site::in_memory());
}

#[test]
fn names_that_are_signed_together_open_their_objects_and_need_not_exist() {
    let site = Site::new();
    let body = json!({ "names": [INIT, SEGMENTS[0], ABSENT, INIT], "other": 1 });
    let answer = site.post_sign(&body.to_string());
    assert_eq!(answer.status, 200);
    let answer = answer.json();
    let urls = answer["urls"].as_object().unwrap();
    assert_eq!(urls.len(), 3);
    assert_eq!(site.get(urls[INIT].as_str().unwrap()).body, object_bytes(INIT));
    site.get(urls[ABSENT].as_str().unwrap()).is_problem(404, "object-unknown");
}

#[test]
fn answers_of_one_viewer_are_kept_by_nobody_else() {
    let site = Site::new();
    let grant = site.get_with_bearer(&format!("/v1/grants/{GRANT}"));
    assert_eq!(grant.header("cache-control"), Some("private, no-store"));
    let index = site.get_with_bearer(&format!("/v1/grants/{GRANT}/{INDEX}"));
    assert_eq!(index.header("cache-control"), Some("private, no-cache"));
    let media = site.get_with_bearer(&format!("/v1/grants/{GRANT}/{MEDIA}"));
    assert!(media.header("cache-control").unwrap().starts_with("private, max-age="));
    for playlist in [&index, &media] {
        assert_eq!(playlist.header("content-type"), Some("application/vnd.apple.mpegurl"));
        assert_eq!(playlist.header("vary"), Some("accept-encoding, authorization"));
    }
    for answer in [grant, index, media] {
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.ends_with("sandbox"), "{policy}");
    }
}

#[test]
fn a_url_lives_no_longer_than_its_grant() {
    let site = Site::new();
    site.edit_record(|record| record["expires"] = json!("2026-11-20T12:10:02Z"));
    let url = site.url(INIT);
    assert_eq!(site.get(&url).header("cache-control"), Some("private, max-age=1, immutable"));
    site.set_now("2026-11-20T12:10:02Z");
    site.get(&url).is_problem(403, "url-expired");
}

#[test]
fn probes_and_visitors_of_the_root_get_a_word_and_no_list() {
    let site = Site::new();
    let health = site.get("/healthz");
    assert_eq!((health.status, health.text()), (200, "ok"));
    let root = site.get("/");
    assert_eq!(root.status, 200);
    assert_eq!(root.header("content-type"), Some("text/plain; charset=utf-8"));
    for secret in [TITLE, GRANT] {
        assert!(!root.text().contains(secret));
    }
}
