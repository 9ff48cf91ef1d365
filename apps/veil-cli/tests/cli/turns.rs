//! Runs that share a machine: `hide` and `reveal` of several people at once.

use std::fs;
use std::time::Instant;

use rustix::process::Signal;
use veil_testkit::{Spawned, descendants};

use crate::desk::{Desk, LIMIT};
use crate::hiding::{CAMERA, clip, desk};

/// A desk, and a run on it that has begun and now stands still.
fn held() -> (Desk, Spawned) {
    let desk = desk();
    clip(&desk, "long.mp4", &CAMERA.replace("d=2", "d=8"));
    let mut first = hide(&desk, "long.mp4", "first.mkv");
    let deadline = Instant::now() + LIMIT;
    while !works(&first) {
        assert!(first.try_wait().unwrap().is_none(), "it ended: {}", first.stderr());
        assert!(Instant::now() < deadline, "{}", first.stderr());
    }
    first.signal(Signal::STOP).unwrap();
    (desk, first)
}

fn hide(desk: &Desk, video: &str, out: &str) -> Spawned {
    desk.start(&format!(
        "exec \"$VEILCAST\" hide --carrier {video} --payload note.txt -o {out} --key where.key \
         --threads 1 --core-budget 1"
    ))
}

/// Waits until a run says on standard error what is expected.
fn says(running: &mut Spawned, what: &str) {
    let deadline = Instant::now() + LIMIT;
    while !running.stderr().contains(what) {
        assert!(Instant::now() < deadline, "{what:?} is not in {:?}", running.stderr());
        assert!(running.try_wait().unwrap().is_none(), "it ended: {}", running.stderr());
    }
}

/// Whether frames pass through a run now.
fn works(running: &Spawned) -> bool {
    descendants(running.id()).iter().any(|process| {
        let line = fs::read(format!("/proc/{}/cmdline", process.pid)).unwrap_or_default();
        line.split(|byte| *byte == 0).any(|word| word == b"nut")
    })
}

#[test]
fn four_runs_at_once_take_turns() {
    let desk = desk();
    let outs = ["1.mkv", "2.mkv", "3.mkv", "4.mkv"];
    let mut runs = outs.map(|out| hide(&desk, "a.mp4", out));
    let (deadline, mut most) = (Instant::now() + LIMIT, 0);
    while runs.iter_mut().any(|run| run.try_wait().unwrap().is_none()) {
        // One may end and the next begin between two looks, so each is looked at twice.
        let working: Vec<bool> = runs.iter().map(works).collect();
        let still = runs.iter().zip(working).filter(|(run, worked)| *worked && works(run)).count();
        most = most.max(still);
        assert!(most <= 1, "{most} at once");
        assert!(Instant::now() < deadline);
    }
    assert_eq!(most, 1);
    for (out, mut run) in outs.into_iter().zip(runs) {
        assert!(run.wait(LIMIT).unwrap().success(), "{}", run.stderr());
        desk.ok(&format!("reveal {out} --key where.key -o found-{out}"));
        assert_eq!(desk.read(&format!("found-{out}/note.txt")), b"the third reel");
    }
}

#[test]
fn a_killed_run_frees_its_place_and_one_that_is_stopped_leaves_the_line() {
    let (desk, mut first) = held();
    let mut second = hide(&desk, "a.mp4", "second.mkv");
    says(&mut second, "waiting: 1 run before this one\n");
    let mut third = hide(&desk, "a.mp4", "third.mkv");
    says(&mut third, "waiting: 2 runs before this one\n");
    let line = "hide --carrier a.mp4 --payload note.txt -o no.mkv --key where.key --no-wait";
    desk.fails(line, "3 runs before this one", "--no-wait");

    second.signal(Signal::INT).unwrap();
    assert!(!second.wait(LIMIT).unwrap().success());
    says(&mut third, "waiting: 1 run before this one\n");
    first.kill().unwrap();
    assert!(third.wait(LIMIT).unwrap().success(), "{}", third.stderr());
    desk.ok("reveal third.mkv --key where.key -o found --no-wait");
    assert!(!desk.path("first.mkv").exists());
    // A killed one can't remove what it wrote beside its place; a stopped one did.
    let names = desk.names();
    let mut left = names.iter().filter(|name| name.contains(".veilcast-"));
    assert!(left.all(|name| name.starts_with(".first.mkv")), "{names:?}");
    assert!(!names.contains(&"no.mkv".to_owned()) && !names.contains(&"second.mkv".to_owned()));
}

#[test]
fn revealing_waits_too_and_what_can_never_be_is_refused_without_waiting() {
    let (desk, first) = held();
    let mut revealing =
        desk.start("exec \"$VEILCAST\" reveal a.mp4 --key where.key -o found --core-budget 1");
    says(&mut revealing, "waiting: 1 run before this one\n");
    revealing.signal(Signal::INT).unwrap();
    assert_eq!(revealing.wait(LIMIT).unwrap().code(), Some(1));
    assert!(revealing.stderr().contains("error: revealing was stopped"));
    assert!(!desk.path("found").exists());
    let line = "reveal a.mp4 --key where.key -o found --memory-budget 20M";
    desk.fails(line, "all runs together may have 20 MB", "--memory-budget");
    // What can't be done is refused at once, and not after a wait.
    let mut random = vec![0; 8000];
    getrandom::fill(&mut random).unwrap();
    desk.write("big", &random);
    let line = "hide --carrier a.mp4 --payload big -o no.mkv --key where.key --core-budget 1";
    desk.fails(line, "the payload needs more than the", "--max-rate");
    drop(first);
}
