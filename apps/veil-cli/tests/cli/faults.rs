//! What happens when the machine fails in the middle: nothing half-published, nothing left behind.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use veil_testkit::{Spawned, descendants, run, wait_gone};

use crate::house::{House, LIMIT, long_clip, short_clip};

/// Starts an import of a long clip and returns when objects of it lie in the bucket.
pub(crate) fn caught_in_the_middle(house: &House) -> Spawned {
    caught(house, &[], |files| files.len() >= 5)
}

/// The same for an import whose renditions are one object each: it returns when these are being written.
fn caught_writing_files(house: &House) -> Spawned {
    caught(house, &["--single-file"], |files| {
        let half_written = |path: &&PathBuf| path.as_os_str().as_encoded_bytes().contains(&b'#');
        let mut under_way = files.iter().filter(half_written);
        under_way.any(|path| fs::metadata(path).is_ok_and(|meta| meta.len() > 0))
    })
}

fn caught(house: &House, flags: &[&str], in_the_middle: fn(&[PathBuf]) -> bool) -> Spawned {
    let clip = long_clip();
    let words = ["import".as_ref(), clip.as_os_str(), "--title".as_ref(), "Film".as_ref()];
    let mut import = house.start(words.into_iter().chain(flags.iter().map(OsStr::new)));
    let deadline = Instant::now() + LIMIT;
    while !in_the_middle(&house.objects()) {
        assert!(import.try_wait().unwrap().is_none(), "the import ended: {}", import.stderr());
        assert!(Instant::now() < deadline, "no objects: {}", import.stderr());
        sleep(Duration::from_millis(20));
    }
    import
}

#[test]
fn a_killed_import_leaves_nothing_visible_and_is_swept() {
    check_killed(caught_in_the_middle);
}

#[test]
fn a_killed_single_file_import_leaves_nothing_visible_and_is_swept() {
    check_killed(caught_writing_files);
}

fn check_killed(caught: fn(&House) -> Spawned) {
    let house = House::new();
    let mut import = caught(&house);
    let children = descendants(import.id());
    assert!(!children.is_empty(), "FFmpeg runs");
    import.kill().unwrap();
    assert_eq!(
        wait_gone(&children, Duration::from_secs(5)).len(),
        0,
        "FFmpeg died with its parent"
    );
    assert!(house.titles().is_empty());
    let error = house.fails(["share", "Film"]);
    assert!(error.contains("there is no title \"Film\""), "{error}");
    assert!(!house.objects().is_empty(), "there is something to sweep");
    let clip = short_clip();
    house.ok(["import".as_ref(), clip.as_os_str(), "--title".as_ref(), "Film".as_ref()]);
    let counted = house.titles()[0]["objects"].as_u64().unwrap();
    assert_eq!(house.objects().len() as u64, counted, "only the new title's objects are left");
}

#[test]
fn a_stopped_import_cleans_up_and_says_so() {
    check_stopped(caught_in_the_middle);
}

#[test]
fn a_stopped_single_file_import_cleans_up_and_says_so() {
    check_stopped(caught_writing_files);
}

fn check_stopped(caught: fn(&House) -> Spawned) {
    let house = House::new();
    let mut import = caught(&house);
    let children = descendants(import.id());
    let status = import.terminate(Duration::from_secs(20)).unwrap();
    assert_eq!(status.code(), Some(1));
    assert!(import.stderr().contains("the import was stopped; nothing was kept"));
    assert_eq!(wait_gone(&children, Duration::from_secs(5)).len(), 0);
    assert_eq!(house.objects(), Vec::<PathBuf>::new());
    assert!(house.ok(["list"])["importing"].as_array().unwrap().is_empty());
}

#[test]
fn a_running_import_is_not_swept_by_another_command() {
    let house = House::new();
    let mut import = caught_in_the_middle(&house);
    let clip = short_clip();
    house.ok(["import".as_ref(), clip.as_os_str(), "--title".as_ref(), "Other".as_ref()]);
    assert_eq!(house.ok(["list"])["importing"][0], "Film");
    assert!(import.wait(LIMIT).unwrap().success(), "{}", import.stderr());
    assert_eq!(house.titles().len(), 2);
}

#[test]
fn a_bucket_that_cannot_be_written_is_named() {
    let house = House::new();
    house.ok(["list"]);
    fs::write(house.bucket().join("t"), "a file where a folder should be").unwrap();
    let clip = short_clip();
    let error = house.fails(["import".as_ref(), clip.as_os_str()]);
    assert!(error.contains("the bucket cannot be written"), "{error}");
    assert!(house.titles().is_empty());
}

#[test]
fn a_full_disk_is_told_and_leaves_nothing_visible() {
    check_full_disk(&[]);
}

#[test]
fn a_full_disk_is_told_by_a_single_file_import() {
    check_full_disk(&["--single-file"]);
}

/// With a bucket on a file system of 300 kB, in a mount namespace of its own.
fn check_full_disk(flags: &[&str]) {
    let house = House::new();
    house.ok(["list"]);
    let script = "mount -t tmpfs -o size=300k tmpfs \"$1\" || exit 99; shift; \"$@\"; code=$?; \
                  find \"$VEILCAST_DATA/bucket\" -type f | wc -l >&2; exit $code";
    let mut command = Command::new("unshare");
    command.env("VEILCAST_DATA", house.data());
    command.args(["--user", "--map-root-user", "--mount", "sh", "-c", script, "sh"]);
    command.arg(house.bucket()).arg(env!("CARGO_BIN_EXE_veilcast"));
    let finished = run(command.arg("import").args(flags).arg(long_clip()), LIMIT).unwrap();
    assert_eq!(finished.status.code(), Some(1), "{}", finished.stderr);
    assert!(finished.stderr.contains("the bucket cannot be written"), "{}", finished.stderr);
    assert!(finished.stderr.contains("hint: free some space"), "{}", finished.stderr);
    assert!(finished.stderr.trim_end().ends_with('0'), "files are left: {}", finished.stderr);
    assert!(house.titles().is_empty());
}

#[test]
fn a_missing_or_old_ffmpeg_is_named_with_the_way_out() {
    let house = House::new();
    let folder = house.scratch("tools");
    fs::create_dir(&folder).unwrap();
    let import = || {
        let clip = short_clip();
        let mut command = house.command(["import".as_ref(), clip.as_os_str()]);
        run(command.env("VEILCAST_FFMPEG", &folder), LIMIT).unwrap()
    };
    let missing = import();
    assert_eq!(missing.status.code(), Some(1));
    assert!(missing.stderr.contains("ffmpeg is missing"), "{}", missing.stderr);
    assert!(missing.stderr.contains("apt-get install ffmpeg"), "{}", missing.stderr);
    for tool in ["ffmpeg", "ffprobe"] {
        let old = format!("#!/bin/sh\necho '{tool} version 4.4.2 Copyright (c)'\n");
        fs::write(folder.join(tool), old).unwrap();
        let executable = fs::Permissions::from_mode(0o755);
        fs::set_permissions(folder.join(tool), executable).unwrap();
    }
    let old = import();
    assert_eq!(old.status.code(), Some(1));
    assert!(old.stderr.contains("ffmpeg is too old: version 4.4.2"), "{}", old.stderr);
    assert!(old.stderr.contains("hint: install FFmpeg 5.1"), "{}", old.stderr);
}

#[test]
fn a_secret_file_that_others_can_read_is_refused() {
    let house = House::with_title("Screener");
    let identity = house.data().join("identity.txt");
    let open = fs::Permissions::from_mode(0o644);
    fs::set_permissions(&identity, open).unwrap();
    let error = house.fails(["share", "Screener"]);
    assert!(error.contains("is open to other users (mode 644)"), "{error}");
    assert!(error.contains("hint: chmod 600"), "{error}");
}

#[test]
fn everything_secret_is_closed_to_other_users() {
    let house = House::with_title("Screener");
    let mode =
        |name: &str| fs::metadata(house.data().join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(""), 0o700);
    assert_eq!(mode("identity.txt"), 0o600);
}

#[test]
fn many_first_starts_at_once_make_one_catalogue() {
    let house = House::new();
    let mut starts: Vec<Spawned> = (0..8).map(|_| house.start(["list"])).collect();
    for start in &mut starts {
        assert!(start.wait(LIMIT).unwrap().success(), "{}", start.stderr());
    }
}

#[test]
fn two_imports_at_once_both_succeed() {
    let house = House::new();
    let clip = short_clip();
    let start = |title: &str| {
        house.start(["import".as_ref(), clip.as_os_str(), "--title".as_ref(), title.as_ref()])
    };
    let (mut one, mut other) = (start("One"), start("Other"));
    assert!(one.wait(LIMIT).unwrap().success(), "{}", one.stderr());
    assert!(other.wait(LIMIT).unwrap().success(), "{}", other.stderr());
    assert_eq!(house.titles().len(), 2);
}
