//! Imports that succeed, and what they leave.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::process::Command;

use veil_testkit::{ClipSpec, clip, run};

use crate::house::{House, LIMIT, short_clip};

#[test]
fn an_import_lists_its_title_and_leaves_the_source_untouched() {
    let house = House::new();
    let source = house.scratch("rushes.mp4");
    fs::copy(short_clip(), &source).unwrap();
    let (bytes, changed) = (fs::read(&source).unwrap(), fs::metadata(&source).unwrap().mtime());
    let imported = house.ok(["import".as_ref(), source.as_os_str()]);
    assert_eq!(imported["title"], "rushes");
    let titles = house.titles();
    assert_eq!(titles.len(), 1);
    assert_eq!(titles[0]["id"], imported["id"]);
    assert_eq!((&titles[0]["width"], &titles[0]["height"]), (&320.into(), &180.into()));
    let duration_us = titles[0]["duration_us"].as_i64().unwrap();
    assert!((1_950_000..2_150_000).contains(&duration_us), "{duration_us}");
    assert_eq!(fs::read(&source).unwrap(), bytes);
    assert_eq!(fs::metadata(&source).unwrap().mtime(), changed);
}

#[test]
fn the_answer_counts_what_lies_in_the_bucket() {
    let house = House::new();
    let imported = house.ok(["import".as_ref(), short_clip().as_os_str()]);
    let files = house.objects();
    let bytes: u64 = files.iter().map(|path| fs::metadata(path).unwrap().len()).sum();
    assert_eq!(imported["objects"], files.len());
    assert_eq!(imported["bytes"], bytes);
}

/// The lines of a playlist that are URIs, each with its byte range.
fn ranges(playlist: &str) -> Vec<(&str, u64, u64)> {
    let mut ranges = Vec::new();
    let mut range = None;
    let read = |text: &str| {
        let (length, offset) = text.split_once('@').unwrap();
        (offset.parse::<u64>().unwrap(), length.parse::<u64>().unwrap())
    };
    for line in playlist.lines() {
        if let Some(map) = line.strip_prefix("#EXT-X-MAP:URI=\"") {
            let (uri, rest) = map.split_once("\",BYTERANGE=\"").unwrap();
            let (offset, length) = read(rest.trim_end_matches('"'));
            ranges.push((uri, offset, length));
        } else if let Some(text) = line.strip_prefix("#EXT-X-BYTERANGE:") {
            range = Some(read(text));
        } else if let (false, Some((offset, length))) = (line.starts_with('#'), range.take()) {
            ranges.push((line, offset, length));
        }
    }
    ranges
}

#[test]
fn a_single_file_import_makes_one_object_a_rendition_and_playlists_that_cover_it() {
    let house = House::new();
    let imported =
        house.ok(["import".as_ref(), "--single-file".as_ref(), short_clip().as_os_str()]);
    let files = house.objects();
    let bytes: u64 = files.iter().map(|path| fs::metadata(path).unwrap().len()).sum();
    assert_eq!((&imported["objects"], &imported["bytes"]), (&files.len().into(), &bytes.into()));
    let mut renditions = 0;
    for file in files.iter().filter(|file| file.extension().is_some_and(|it| it == "m3u8")) {
        let text = fs::read_to_string(file).unwrap();
        let ranges = ranges(&text);
        let Some(&(name, ..)) = ranges.first() else { continue };
        let mut end = 0;
        for (uri, offset, length) in &ranges {
            assert_eq!((*uri, *offset), (name, end), "{text}");
            end += length;
        }
        assert!(ranges.len() > 1, "an initialisation segment and media segments: {text}");
        assert_eq!(fs::metadata(file.with_file_name(name)).unwrap().len(), end);
        renditions += 1;
    }
    assert_eq!(renditions, 2, "a picture and a sound");
    // Three playlists, two renditions, description, poster and a sheet of the storyboard.
    assert_eq!(files.len(), 8, "{files:?}");
}

#[test]
fn list_doctor_and_inspect_know_a_title_in_single_files() {
    let house = House::with_title("In segments");
    let clip = short_clip();
    let line = ["import", "--single-file", "--title", "In files", clip.to_str().unwrap()];
    house.ok(line);
    for title in house.titles() {
        assert_eq!(title["single_file"], title["title"] == "In files", "{title}");
    }
    let listed = run(
        Command::new(env!("CARGO_BIN_EXE_veilcast")).arg("--data").arg(house.data()).arg("list"),
        LIMIT,
    );
    assert_eq!(listed.unwrap().text().matches("  single files  ").count(), 1);
    let checks = house.ok(["doctor"])["checks"].as_array().unwrap().clone();
    let catalogue = checks.iter().find(|check| check["name"] == "catalogue").unwrap();
    assert_eq!(catalogue["detail"], "2 titles (1 in single files), 0 imports begun");
    let largest = house.objects().into_iter().max_by_key(|file| fs::metadata(file).unwrap().len());
    let error = house.fails(["inspect".as_ref(), largest.unwrap().as_os_str()]);
    assert!(
        error.contains("is a part of a title") && error.contains("hint: `veilcast list`"),
        "{error}"
    );
}

#[test]
fn a_taken_name_is_refused_before_anything_is_encoded() {
    let house = House::with_title("Dailies");
    let before = house.objects().len();
    let error = house.fails([
        "import".as_ref(),
        short_clip().as_os_str(),
        "--title".as_ref(),
        "Dailies".as_ref(),
    ]);
    assert!(error.contains("there is a title named \"Dailies\" already"), "{error}");
    assert!(error.contains("hint: give another --title"), "{error}");
    assert_eq!(house.objects().len(), before);
}

#[test]
fn odd_file_names_are_names_and_not_options() {
    let house = House::new();
    for name in ["-i.mp4", "a:b.mp4", "concat:x|y.mp4", "ünï 日本.mp4", "new\nline.mp4"] {
        let source = house.scratch(name);
        fs::copy(short_clip(), &source).unwrap();
        let mut command = house.command(["import", "--", name]);
        let finished = run(command.current_dir(source.parent().unwrap()), LIMIT).unwrap();
        finished.success().unwrap();
    }
    let names: Vec<String> =
        house.titles().iter().map(|title| title["title"].as_str().unwrap().into()).collect();
    for name in ["-i", "a:b", "concat:x|y", "ünï 日本", "newline"] {
        assert!(names.iter().any(|listed| listed == name), "{name} in {names:?}");
    }
}

#[test]
fn a_silent_title_and_an_explicit_ladder_import() {
    let house = House::new();
    let silent = ClipSpec { width: 1280, height: 720, seconds: 1, ..ClipSpec::default() };
    let silent = clip(ClipSpec { audio: false, ..silent });
    let args = ["--ladder".as_ref(), "480".as_ref()];
    let args = ["import".as_ref(), silent.as_os_str()].into_iter().chain(args);
    let imported = house.ok(args);
    assert_eq!((&imported["width"], &imported["height"]), (&854.into(), &480.into()));
}

#[test]
fn names_that_nobody_could_type_are_refused() {
    let house = House::new();
    for name in ["", " padded ", "tab\there", &"x".repeat(201)] {
        let clip = short_clip();
        let title = format!("--title={name}");
        let error = house.fails(["import".as_ref(), clip.as_os_str(), title.as_ref()]);
        assert!(error.contains("cannot be a title's name"), "{error}");
    }
    assert!(house.titles().is_empty());
}
