//! How long `reveal` takes to find nothing, which must not tell why: processor time, its FFmpegs' included, since that is what a busy machine
//! spoils least. Full runs alone: it takes minutes.

use veil_testkit::{is_full_run, run};

use crate::desk::{Desk, LIMIT};
use crate::hiding::{CAMERA, NOTHING, clip, desk};

/// A minute of what moves.
const MOVING: &str = "-f lavfi -i mandelbrot=s=640x360:r=12:start_scale=1.5 -t 60 -c:v libx264 -preset ultrafast -crf 14 -pix_fmt yuv420p";

/// Odd, so that there is one in the middle.
const ROUNDS: usize = 9;

/// Somebody else on the machine may spoil a measurement; a difference that is real spoils all.
const ATTEMPTS: usize = 4;

/// A message and a wrong passphrase; no message at all; the right place, and nobody here who can open what lies there.
type Reasons = [&'static str; 3];

const LOSSLESS: Reasons = [
    "with.mkv --passphrase-file other",
    "without.mkv --passphrase-file word",
    "theirs.mkv --passphrase-file word",
];

const ROBUST: Reasons = [
    "with.mp4 --passphrase-file other",
    "without.mp4 --passphrase-file word",
    "theirs.mp4 --passphrase-file word",
];

/// Seconds of processor time that finding nothing takes.
fn seconds(desk: &Desk, video: &str) -> f64 {
    let script = format!("veilcast reveal {video} -o no && exit 1; times");
    let finished = run(&mut desk.script(&script), LIMIT).unwrap().success().unwrap();
    assert!(finished.stderr.contains(NOTHING), "{video}: {}", finished.stderr);
    // The shell's own, and below it what it waited for: `0m1.25s 0m0.10s`.
    let times = finished.text();
    let fields = times.lines().last().unwrap().split_whitespace();
    let seconds = fields.map(|field| {
        let (minutes, seconds) = field.trim_end_matches('s').split_once('m').unwrap();
        minutes.parse::<f64>().unwrap() * 60.0 + seconds.parse::<f64>().unwrap()
    });
    seconds.sum()
}

/// The middle times of all reasons, measured in turns.
fn medians(desk: &Desk, reasons: Reasons) -> [f64; 3] {
    let mut times = [const { Vec::new() }; 3];
    for _ in 0..ROUNDS {
        for (times, line) in times.iter_mut().zip(reasons) {
            times.push(seconds(desk, line));
        }
    }
    times.map(|mut times| {
        times.sort_by(f64::total_cmp);
        times[ROUNDS / 2]
    })
}

#[test]
fn finding_nothing_takes_as_long_whatever_the_reason() {
    if !is_full_run() {
        return;
    }
    let desk = desk();
    clip(&desk, "long.mp4", &CAMERA.replace("d=2", "d=20"));
    desk.sh(
        "ffmpeg -v error -i long.mp4 -c:a copy -c:v libx264 -qp 0 -preset ultrafast without.mkv",
    );
    let hide = "hide --carrier long.mp4 --payload note.txt --passphrase-file word";
    desk.ok(&format!("{hide} -o with.mkv"));
    desk.ok(&format!("{hide} -o theirs.mkv -r alice.pub"));
    check(&desk, LOSSLESS);
}

#[test]
fn finding_nothing_in_slots_takes_as_long_whatever_the_reason() {
    if !is_full_run() {
        return;
    }
    let desk = desk();
    clip(&desk, "long.mp4", MOVING);
    desk.sh("ffmpeg -v error -i long.mp4 -c:v libx264 -crf 18 -preset veryfast without.mp4");
    let hide = "hide --mode robust --carrier long.mp4 --payload note.txt --passphrase-file word";
    desk.ok(&format!("{hide} -o with.mp4"));
    desk.ok(&format!("{hide} -o theirs.mp4 -r alice.pub"));
    check(&desk, ROBUST);
}

/// Measures again where somebody else on the machine may have spoilt it.
fn check(desk: &Desk, reasons: Reasons) {
    let mut seen = Vec::new();
    let is_even = |times: &[f64; 3]| {
        let least = times.iter().copied().fold(f64::MAX, f64::min);
        let most = times.iter().copied().fold(0.0, f64::max);
        least > 0.1 && most <= least * 1.05
    };
    while seen.len() < ATTEMPTS && !seen.last().is_some_and(is_even) {
        seen.push(medians(desk, reasons));
    }
    assert!(seen.last().is_some_and(is_even), "more than 5 % apart each time: {seen:?}");
}
