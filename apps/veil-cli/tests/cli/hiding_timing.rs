//! How long `reveal` takes to find nothing, which must not tell why. Full runs alone: it wants a quiet machine.

use std::time::{Duration, Instant};

use veil_testkit::is_full_run;

use crate::desk::Desk;
use crate::hiding::{CAMERA, NOTHING, clip, desk};

/// Odd, so that there is one in the middle.
const ROUNDS: usize = 15;

/// Somebody else on the machine may spoil a measurement; a difference that is real spoils all.
const ATTEMPTS: usize = 4;

const REASONS: [&str; 3] = [
    // A message, and a wrong passphrase.
    "reveal with.mkv --passphrase-file other -o no",
    // No message at all.
    "reveal without.mkv --passphrase-file word -o no",
    // The right place, and nobody here who can open what lies there.
    "reveal theirs.mkv --passphrase-file word -o no",
];

/// The middle times of all reasons, measured in turns.
fn medians(desk: &Desk) -> [Duration; REASONS.len()] {
    let mut times = [const { Vec::new() }; REASONS.len()];
    for _ in 0..ROUNDS {
        for (times, line) in times.iter_mut().zip(REASONS) {
            let begun = Instant::now();
            desk.fails(line, NOTHING, "");
            times.push(begun.elapsed());
        }
    }
    times.map(|mut times| {
        times.sort();
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
        let (least, most) = (times.iter().min().unwrap(), times.iter().max().unwrap());
        if most.as_secs_f64() <= least.as_secs_f64() * 1.05 {
            return;
        }
        seen.push(times);
    }
    panic!("more than 5 % apart each time: {seen:?}");
}
