//! Playlists from other projects' test suites through the template.
//!
//! They lie in `VEILCAST_SAMPLES` or beside the repository and are not part of it. Where they are
//! absent, the shapes that they brought up are still tested in `src/template/tests.rs`.

#![allow(
    clippy::unwrap_used,
    reason = "clippy takes the helpers of an integration test for production code"
)]

#[path = "oracles/reader.rs"]
mod reader;

use std::path::{Path, PathBuf};

use veil_hls::template::{Limits, Reference, Target, Template};

fn samples() -> Option<PathBuf> {
    Some(veil_testkit::samples()?.join("hls")).filter(|folder| folder.is_dir())
}

fn playlists(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for family in ["m3u8-parser", "m3u8-rs"] {
        let entries = std::fs::read_dir(folder.join(family)).unwrap();
        found.extend(entries.map(|entry| entry.unwrap().path()));
    }
    found.retain(|path| path.extension().is_some_and(|extension| extension == "m3u8"));
    found
}

#[test]
fn every_sample_playlist_survives_or_is_refused_for_its_way_out() {
    let Some(folder) = samples() else { return };
    let mut refused = Vec::new();
    let playlists = playlists(&folder);
    for path in &playlists {
        let bytes = std::fs::read(path).unwrap();
        let template = match Template::parse(&bytes, Limits::default()) {
            Ok(template) => template,
            Err(error) => {
                refused.push(format!("{}: {error}", path.file_name().unwrap().display()));
                continue;
            }
        };
        let uris = |references: Vec<Reference<'_>>| -> Vec<String> {
            references.iter().map(|reference| reference.uri.to_owned()).collect()
        };
        let (playlists, objects) =
            (uris(template.playlists().collect()), uris(template.objects().collect()));
        let mut same = Vec::new();
        let as_it_was = |target, out: &mut Vec<u8>| {
            let uri = match target {
                Target::Playlist(at) => &playlists[at],
                Target::Object(at) => &objects[at],
            };
            out.extend_from_slice(uri.as_bytes());
        };
        assert_eq!(template.emit(&[], &mut same, as_it_was), Ok(()));
        assert!(same == bytes, "{}", path.display());
    }
    assert!(playlists.len() > 20, "{} playlists", playlists.len());
    let escape = "the URI leaves the playlist's folder";
    assert_eq!(refused, [format!("llhls.m3u8: line 55 of the playlist: {escape}")]);
}
