//! Memory of `hide` and `reveal`, which must not grow with the video. Full runs alone: ten minutes of video take their time.

use std::fs;
use std::time::{Duration, Instant};

use veil_testkit::is_full_run;

use crate::desk::{Desk, LIMIT};
use crate::hiding::{CAMERA, clip, desk};

/// What allocators and the system do differently from run to run.
const NOISE_BYTES: u64 = 3 << 20;

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
    if !is_full_run() {
        return;
    }
    let desk = desk();
    clip(&desk, "four.mp4", &CAMERA.replace("320x180", "256x144").replace("d=2", "d=4"));
    let mut peaks = Vec::new();
    for minutes in [1, 10] {
        let again = minutes * 15 - 1;
        desk.sh(&format!("ffmpeg -v error -stream_loop {again} -i four.mp4 -c copy {minutes}.mkv"));
        let out = format!("out-{minutes}.mkv");
        let hide = format!(
            "hide --carrier {minutes}.mkv --payload note.txt -o {out} --key where.key --threads 2"
        );
        let reveal = format!("reveal {out} --key where.key -o found-{minutes}");
        peaks.push([peak_bytes(&desk, &hide), peak_bytes(&desk, &reveal)]);
        assert_eq!(desk.read(&format!("found-{minutes}/note.txt")), b"the third reel");
    }
    for (one, ten) in peaks[0].into_iter().zip(peaks[1]) {
        assert!(one > 5 << 20 && ten <= one + NOISE_BYTES, "{peaks:?}");
    }
}
