//! `hide` and `reveal` on every sample: from no byte to all that fits. Everyday runs take the short ones, full runs all of them.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use veil_testkit::{is_full_run, run, samples};

use crate::desk::{Desk, LIMIT};
use crate::hiding::desk;

/// Samples that are no carriers, and why.
const REFUSED: [(&str, &str); 3] = [
    ("sample_audio_only_15s.mp4", "it has no picture"),
    ("sample_malformed_free_box.mp4", "its index (`moov`) is missing or broken"),
    ("subtitles-unicode.srt", "not a video"),
];

/// Samples that look like carriers, and why nothing gets into them.
const STOPPED: [(&str, &str); 2] = [
    ("sample.avi", "too many frames of the video are flat"),
    // Its sound can't be copied, and nothing is left out.
    ("sample_missing_stsd.mp4", "sample rate not set"),
];

/// Samples whose sound, subtitles or turn Matroska doesn't take, and what does.
const NOT_MATROSKA: [(&str, &str); 2] =
    [("nasa_13013.mp4", "mov"), ("rotate-buck-bunny.mp4", "mov")];

/// Everyday runs take samples of so many luma samples at most: some seconds each.
const EVERYDAY: u64 = 30_000_000;

fn all() -> Vec<PathBuf> {
    let Some(folder) = samples().map(|folder| folder.join("media")) else { return Vec::new() };
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn name(path: &Path) -> &str {
    path.file_name().unwrap().to_str().unwrap()
}

/// Hides bytes that nothing makes shorter, and reveals them; says why they can't be hidden.
fn round_trip(desk: &Desk, video: &str, end: &str, bytes: u64) -> Result<(), String> {
    let content = random(bytes);
    desk.write("content", &content);
    let out = format!("out.{end}");
    let line = format!(
        "hide --carrier {video} --payload content -o {out} --passphrase-file word --max-rate 0.4"
    );
    let hidden = run(&mut desk.command(line.split_whitespace()), LIMIT * 4).unwrap();
    if !hidden.status.success() {
        assert_eq!(hidden.status.code(), Some(1), "{video}, {bytes} bytes: {}", hidden.stderr);
        assert!(!desk.path(&out).exists(), "{video}, {bytes} bytes");
        return Err(hidden.stderr);
    }
    let line = format!("reveal {out} --passphrase-file word -o found");
    let revealed = run(&mut desk.command(line.split_whitespace()), LIMIT * 4).unwrap();
    assert!(revealed.status.success(), "{video}, {bytes} bytes: {}", revealed.stderr);
    assert!(desk.read("found/content") == content, "{video}, {bytes} bytes");
    fs::remove_dir_all(desk.path("found")).unwrap();
    fs::remove_file(desk.path(&out)).unwrap();
    Ok(())
}

/// From nothing to all that fits, and more than that.
fn check(desk: &Desk, video: &str, end: &str, most: u64) {
    let sizes: &[u64] = if is_full_run() { &[0, 12, most / 3] } else { &[0] };
    for bytes in sizes {
        round_trip(desk, video, end, *bytes).unwrap();
    }
    // Frames that are flat carry nothing, and how many there are is known only when all were seen.
    let mut bytes = most;
    while let Err(why) = round_trip(desk, video, end, bytes) {
        assert!(why.contains("frames of the video are flat"), "{video}, {bytes} bytes: {why}");
        bytes = bytes * 3 / 4;
        assert!(bytes > most / 3, "{video}: {why}");
    }
    let over = format!(
        "hide --carrier {video} --payload content -o over.{end} --passphrase-file word --max-rate 0.4"
    );
    desk.write("content", &random(most + most / 50 + 2000));
    desk.fails(&over, "the payload needs more than the", "--max-rate");
}

#[test]
fn every_sample_with_a_picture_carries_from_nothing_to_all_that_fits() {
    let desk = desk();
    let mut carried = 0;
    for path in all() {
        let video = path.to_str().unwrap();
        let line = format!("--json capacity {video}");
        let told = desk.run(&line);
        if let Some((_, why)) = REFUSED.iter().find(|(refused, _)| *refused == name(&path)) {
            assert!(
                !told.status.success() && told.stderr.contains(why),
                "{video}: {}",
                told.stderr
            );
            continue;
        }
        assert!(told.status.success(), "{video}: {}", told.stderr);
        let told: Value = serde_json::from_slice(&told.stdout).unwrap();
        let number = |name: &str| told[name].as_u64().unwrap();
        let samples = number("width") * number("height") * number("frames");
        if samples > EVERYDAY && !is_full_run() {
            continue;
        }
        let other = NOT_MATROSKA.iter().find(|(other, _)| *other == name(&path));
        let end = other.map_or("mkv", |(_, end)| end);
        if let Some((_, why)) = STOPPED.iter().find(|(stopped, _)| *stopped == name(&path)) {
            let said = round_trip(&desk, video, end, 12).unwrap_err();
            assert!(said.contains(why), "{video}: {said}");
            continue;
        }
        check(&desk, video, end, told["rooms"][2]["payload_bytes"].as_u64().unwrap());
        carried += 1;
    }
    assert!(carried >= 3 || all().is_empty(), "{carried} samples carried");
}

fn random(bytes: u64) -> Vec<u8> {
    let mut content = vec![0; usize::try_from(bytes).unwrap()];
    getrandom::fill(&mut content).unwrap();
    content
}
