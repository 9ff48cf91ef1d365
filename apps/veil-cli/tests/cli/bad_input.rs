//! Input that can't be imported: each a true reason, a hint where there is one, and nothing left.

use std::fs;
use std::path::{Path, PathBuf};

use crate::house::{House, short_clip};

fn check(house: &House, source: &Path, expected: &str) {
    let error = house.fails(["import".as_ref(), "--".as_ref(), source.as_os_str()]);
    assert!(error.contains(expected), "{} gave: {error}", source.display());
    assert!(house.titles().is_empty());
    assert_eq!(house.objects(), Vec::<PathBuf>::new());
}

fn check_bytes(name: &str, bytes: impl AsRef<[u8]>, expected: &str) {
    let house = House::new();
    let source = house.scratch(name);
    fs::write(&source, bytes).unwrap();
    check(&house, &source, expected);
}

#[test]
fn what_is_not_there_or_no_file_is_refused() {
    let house = House::new();
    check(&house, &house.scratch("missing.mp4"), "the file cannot be read");
    fs::create_dir(house.scratch("folder")).unwrap();
    check(&house, &house.scratch("folder"), "not a regular file");
}

#[test]
fn what_is_no_video_is_refused() {
    check_bytes("empty.mp4", "", "the file is empty");
    check_bytes("letter.mp4", "Dear Sir or Madam,\n".repeat(100), "not a video");
    check_bytes("noise.mp4", [0x5a; 5000], "not a video");
}

#[test]
fn a_truncated_video_is_refused() {
    let whole = fs::read(short_clip()).unwrap();
    // The index of this MP4 stands at its end.
    check_bytes("cut.mp4", &whole[..whole.len() / 2], "damaged or incomplete");
}

#[test]
fn playlists_that_point_elsewhere_are_refused() {
    let hls = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n/etc/passwd\n#EXT-X-ENDLIST\n";
    check_bytes("list.m3u8", hls, "playlist");
    check_bytes("film.mp4", hls, "playlist");
    check_bytes("remote.m3u8", hls.replace("/etc/passwd", "http://127.0.0.1:1/x"), "playlist");
    check_bytes(
        "list.ffconcat",
        "ffconcat version 1.0\nfile /etc/passwd\n",
        "points at other files",
    );
}

#[test]
fn a_ladder_that_makes_no_sense_is_refused() {
    let house = House::new();
    for ladder in ["", "tall", "480,,720", "99999", "481"] {
        let clip = short_clip();
        let ladder = format!("--ladder={ladder}");
        let error = house.fails(["import".as_ref(), clip.as_os_str(), ladder.as_ref()]);
        assert!(error.contains("the ladder is not possible"), "{error}");
        assert!(error.contains("hint: write `auto`"), "{error}");
    }
}

#[test]
fn titles_and_grants_that_are_not_there_are_named() {
    let house = House::new();
    for args in [&["share", "Nothing"], &["remove", "Nothing"]] {
        let error = house.fails(args);
        assert!(error.contains("there is no title \"Nothing\""), "{error}");
        assert!(error.contains("hint: `veilcast list`"), "{error}");
    }
    let error = house.fails(["revoke", "0123"]);
    assert!(error.contains("there is no grant \"0123\""), "{error}");
}

#[test]
fn a_wrong_usage_ends_with_2() {
    let house = House::new();
    assert_eq!(house.run(["import"]).status.code(), Some(2));
    assert_eq!(house.run(["paint", "it"]).status.code(), Some(2));
    assert_eq!(house.run(["share", "x", "--link", "--to", "y"]).status.code(), Some(2));
}
