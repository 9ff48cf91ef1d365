//! Memory of `hide` and `reveal`, which must not grow with the video, and what is promised of it. Full runs alone: ten minutes of video
//! take their time.

use std::fs;
use std::time::{Duration, Instant};

use veil_testkit::is_full_run;

use crate::desk::{Desk, LIMIT};
use crate::hiding::{CAMERA, clip, desk};

/// What allocators and the system do differently from run to run.
const NOISE_BYTES: u64 = 3 << 20;

/// Most memory of our process at 1440p.
const MOST_BYTES: u64 = 105_000_000;

/// The high-water mark of a run, which must succeed.
fn peak_bytes(desk: &Desk, line: &str) -> u64 {
    let mut running = desk.start(&format!("exec \"$VEILCAST\" {line}"));
    let (end, mut peak) = (Instant::now() + LIMIT * 10, 0);
    while running.try_wait().unwrap().is_none() {
        assert!(Instant::now() < end, "{line}");
        let status = fs::read_to_string(format!("/proc/{}/status", running.id()));
        let status = status.unwrap_or_default();
        let mark = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = mark.and_then(|mark| mark.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        peak = peak.max(kib.unwrap_or(0) * 1024);
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(running.wait(LIMIT).unwrap().success(), "{line}: {}", running.stderr());
    peak
}

#[test]
fn ten_minutes_take_the_memory_of_one() {
    if is_full_run() {
        check("hide --threads 2", "mkv");
    }
}

#[test]
fn ten_minutes_of_slots_take_the_memory_of_one() {
    if is_full_run() {
        check("hide --mode robust", "mp4");
    }
}

/// Hides in one minute and in ten, and reveals.
fn check(hide: &str, end: &str) {
    let desk = desk();
    clip(&desk, "four.mp4", &CAMERA.replace("320x180", "256x144").replace("d=2", "d=4"));
    let mut peaks = Vec::new();
    for minutes in [1, 10] {
        let again = minutes * 15 - 1;
        desk.sh(&format!("ffmpeg -v error -stream_loop {again} -i four.mp4 -c copy {minutes}.mkv"));
        let out = format!("out-{minutes}.{end}");
        let hide =
            format!("{hide} --carrier {minutes}.mkv --payload note.txt -o {out} --key where.key");
        let reveal = format!("reveal {out} --key where.key -o found-{minutes}");
        peaks.push([peak_bytes(&desk, &hide), peak_bytes(&desk, &reveal)]);
        assert_eq!(desk.read(&format!("found-{minutes}/note.txt")), b"the third reel");
    }
    for (one, ten) in peaks[0].into_iter().zip(peaks[1]) {
        assert!(one > 5 << 20 && ten <= one + NOISE_BYTES, "{peaks:?}");
    }
}

#[test]
fn large_frames_stay_within_what_is_promised() {
    if !is_full_run() {
        return;
    }
    let desk = desk();
    clip(
        &desk,
        "large.mp4",
        "-f lavfi -i testsrc2=s=2560x1440:r=25:d=8,noise=alls=20:allf=t -c:v libx264 -preset ultrafast -crf 20 -pix_fmt yuv420p",
    );
    for (hide, end) in [("hide --threads 2", "mkv"), ("hide --mode robust", "mp4")] {
        let line =
            format!("{hide} --carrier large.mp4 --payload note.txt -o out.{end} --key where.key");
        let hiding = peak_bytes(&desk, &line);
        let revealing = peak_bytes(&desk, &format!("reveal out.{end} --key where.key -o found"));
        assert!(hiding.max(revealing) <= MOST_BYTES, "{hide}: {hiding}, {revealing}");
        fs::remove_dir_all(desk.path("found")).unwrap();
    }
}
