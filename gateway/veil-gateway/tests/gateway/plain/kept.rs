//! Signed playlists of plain trees that are kept: one is made for many, in each encoding, and within the same room.

use std::sync::Arc;

use serde_json::Value;

use crate::compression::decoded;
use crate::site::{ADMIN, Site};

use super::{INDEX, site, token};

const PATH: &str = "/hls/signed/show/media.m3u8";

/// Objects that it names.
const OBJECT_COUNT: usize = 4;

fn figures(site: &Site) -> Value {
    let admin = format!("Authorization: Bearer {ADMIN}");
    site.send("GET /performance/metrics", &[&admin]).json()
}

fn cache(figures: &Value, name: &str) -> Value {
    let caches = figures["caches"].as_array().unwrap();
    caches.iter().find(|cache| cache["name"] == name).unwrap().clone()
}

#[test]
fn a_playlist_comes_as_its_client_likes_it_and_each_body_has_its_tag() {
    let site = site();
    let bearer = format!("Authorization: Bearer {}", token("signed", 100_000, None));
    let ask = |encoding: &str| {
        let accept = format!("Accept-Encoding: {encoding}");
        site.send(&format!("GET {PATH}"), &[&bearer, &accept])
    };
    let plain = ask("identity");
    assert_eq!(plain.header("content-encoding"), None);
    let mut tags = vec![plain.header("etag").unwrap().to_owned()];
    for encoding in ["zstd", "br", "gzip"] {
        let answer = ask(encoding);
        assert_eq!(answer.header("content-encoding"), Some(encoding));
        assert_eq!(answer.header("vary"), Some("accept-encoding, authorization, cookie"));
        assert_eq!(decoded(&answer), plain.body);
        assert!(answer.body.len() < plain.body.len());
        tags.push(answer.header("etag").unwrap().to_owned());
    }
    tags.dedup();
    assert_eq!(tags.len(), 4, "{tags:?}");
    // In local mode too, where nothing is signed.
    let vod = token("vod", 600, None);
    let local = format!("Authorization: Bearer {vod}");
    let index = site.send("GET /hls/vod/show/index.m3u8", &[&local, "Accept-Encoding: gzip"]);
    assert_eq!(decoded(&index), INDEX.as_bytes());
}

#[test]
fn a_crowd_is_answered_by_one_signature_of_each_object_and_later_ones_by_none() {
    let site = Arc::new(site());
    let long = token("signed", 100_000, None);
    let crowd: Vec<_> = (0..16)
        .map(|_| {
            let (site, long) = (Arc::clone(&site), long.clone());
            std::thread::spawn(move || site.get_with(PATH, &long).body)
        })
        .collect();
    let bodies: Vec<_> = crowd.into_iter().map(|one| one.join().unwrap()).collect();
    assert!(bodies.iter().all(|body| *body == bodies[0]));
    let signed = figures(&site);
    assert_eq!(signed["signatures"], OBJECT_COUNT, "{signed}");
    assert_eq!(cache(&signed, "manifests")["entries"], 1);
    assert_eq!(cache(&signed, "templates")["entries"], 1);
    assert_eq!(site.get_with(PATH, &long).body, bodies[0]);
    assert_eq!(figures(&site)["signatures"], OBJECT_COUNT);
    // A single object's URL is kept as well.
    for _ in 0..3 {
        let answer = site.get_with("/hls/signed/show/sub/a%20b.ts", &long);
        assert_eq!(answer.status, 302, "{}", answer.text());
    }
    assert_eq!(figures(&site)["signatures"], OBJECT_COUNT + 1);
    assert_eq!(cache(&figures(&site), "urls")["entries"], 1);
}
