//! Marked titles: whose variants a viewer is sent to.

use serde_json::json;

use crate::site::{GRANT, INIT, MEDIA, Site, TITLE, object_bytes};

/// Four slots, each in variant 1 and 2.
fn names() -> [[String; 2]; 4] {
    ["0", "1", "2", "3"].map(|slot| ["a", "b"].map(|variant| [slot, variant].concat().repeat(16)))
}

fn marked_text() -> String {
    let slot = |[first, second]: [String; 2]| {
        format!("#EXTINF:1.000000,\n#EXT-X-VEILCAST-VARIANT:{second}\n{first}\n")
    };
    format!(
        "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:1\n#EXT-X-MAP:URI=\"{INIT}\"\n{}#EXT-X-ENDLIST\n",
        names().map(slot).concat()
    )
}

fn site() -> Site {
    let site = Site::new();
    site.write(&format!("t/{TITLE}/{MEDIA}"), marked_text().as_bytes());
    for name in names().as_flattened() {
        site.write(&format!("t/{TITLE}/{name}"), &object_bytes(name));
    }
    site
}

fn target() -> String {
    format!("/v1/grants/{GRANT}/{MEDIA}")
}

/// The objects that a viewer with this pattern is sent to, as they are served, the initialisation segment left out.
fn watched(site: &Site, pattern: &str) -> Vec<String> {
    site.edit_record(|record| record["pattern"] = json!(pattern));
    let answer = site.get_with_bearer(&target());
    assert_eq!(answer.status, 200);
    let text = answer.text();
    assert!(!text.contains("EXT-X-VEILCAST"), "{text}");
    let urls: Vec<&str> = text.lines().filter(|line| line.starts_with('/')).collect();
    let name = |url: &&str| {
        let name = url.split(['/', '?']).nth(4).unwrap().to_owned();
        assert_eq!(site.get(url).body, object_bytes(&name));
        name
    };
    urls.iter().map(name).collect()
}

#[test]
fn each_viewer_is_sent_to_the_variants_of_the_grants_pattern() {
    let site = site();
    for (pattern, bits) in
        [("AA", [0; 4]), ("8A", [1; 4]), ("oA", [1, 0, 1, 0]), ("EA", [0, 0, 0, 1])]
    {
        let expected: Vec<String> =
            names().iter().zip(bits).map(|(slot, bit)| slot[bit].clone()).collect();
        assert_eq!(watched(&site, pattern), expected, "{pattern}");
    }
}

#[test]
fn viewers_of_one_pattern_share_a_text_and_others_have_another_tag() {
    let site = site();
    let tag = |pattern: &str| {
        site.edit_record(|record| record["pattern"] = json!(pattern));
        site.get_with_bearer(&target()).header("etag").unwrap().to_owned()
    };
    let tags = [tag("oA"), tag("EA"), tag("oA")];
    assert_eq!(tags[0], tags[2]);
    assert_ne!(tags[0], tags[1]);
}

#[test]
fn a_marked_playlist_is_for_who_has_a_pattern_of_its_length() {
    let site = site();
    for pattern in [json!(null), json!("AAA"), json!("CA"), json!("oAAA")] {
        site.edit_record(|record| record["pattern"] = pattern.clone());
        site.get_with_bearer(&target()).is_problem(502, "playlist-invalid");
    }
    site.edit_record(|record| record["pattern"] = json!("oA"));
    assert_eq!(site.get_with_bearer(&target()).status, 200);
}

#[test]
fn a_playlist_that_is_not_marked_is_the_same_for_who_has_a_pattern() {
    let site = Site::new();
    let before = site.get_with_bearer(&target());
    site.edit_record(|record| record["pattern"] = json!("oA"));
    assert_eq!(site.get_with_bearer(&target()).text(), before.text());
}
