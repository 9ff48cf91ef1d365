//! How long `reveal` takes to find nothing, which must not tell why: processor time, its FFmpegs' included, since that is what a busy machine
//! spoils least. Full runs alone: it takes minutes.

use veil_testkit::{is_full_run, run};

use crate::desk::{Desk, LIMIT};
use crate::hiding::{CAMERA, NOTHING, clip, desk};

/// Odd, so that there is one in the middle.
const ROUNDS: usize = 9;

/// Somebody else on the machine may spoil a measurement; a difference that is real spoils all.
const ATTEMPTS: usize = 4;

const REASONS: [&str; 3] = [
    // A message, and a wrong passphrase.
    "with.mkv --passphrase-file other",
    // No message at all.
    "without.mkv --passphrase-file word",
    // The right place, and nobody here who can open what lies there.
    "theirs.mkv --passphrase-file word",
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
fn medians(desk: &Desk) -> [f64; REASONS.len()] {
    let mut times = [const { Vec::new() }; REASONS.len()];
    for _ in 0..ROUNDS {
        for (times, line) in times.iter_mut().zip(REASONS) {
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
    let mut seen = Vec::new();
    for _ in 0..ATTEMPTS {
        let times = medians(&desk);
        let least = times.iter().copied().fold(f64::MAX, f64::min);
        let most = times.iter().copied().fold(0.0, f64::max);
        if least > 0.1 && most <= least * 1.05 {
            return;
        }
        seen.push(times);
    }
    panic!("more than 5 % apart each time: {seen:?}");
}
