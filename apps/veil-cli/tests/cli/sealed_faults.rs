//! What happens to sealed files when the machine fails in the middle: the old file, or nothing.

use std::fs::{self, File};
use std::io::Write as _;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use veil_testkit::{Finished, Spawned, run};

use crate::desk::{Desk, LIMIT, check_failure, content};

/// A command that has written some of its output and waits for more input; dropping the pipe lets it go on.
fn caught_in_the_middle(desk: &Desk, line: &str, input: &[u8]) -> (Spawned, File) {
    desk.sh("test -p pipe || mkfifo pipe");
    let mut running = desk.start(&format!("exec \"$VEILCAST\" {line} < pipe"));
    let mut pipe = File::options().write(true).open(desk.path("pipe")).unwrap();
    pipe.write_all(input).unwrap();
    let deadline = Instant::now() + LIMIT;
    while !left(desk).iter().any(|name| fs::metadata(desk.path(name)).unwrap().len() > 1 << 20) {
        assert!(running.try_wait().unwrap().is_none(), "it ended: {}", running.stderr());
        assert!(Instant::now() < deadline, "nothing is written: {}", running.stderr());
        sleep(Duration::from_millis(10));
    }
    (running, pipe)
}

/// Hidden files on the desk.
fn left(desk: &Desk) -> Vec<String> {
    desk.names().into_iter().filter(|name| name.starts_with('.')).collect()
}

/// Stops `line` in the middle by `stop`, with and without an output that is there, and returns what is left each time.
fn stopped(line: &str, input: &[u8], stop: impl Fn(&mut Spawned)) -> Vec<Vec<String>> {
    let check = |old: Option<&[u8]>| {
        let desk = Desk::of(&["alice"]);
        old.iter().for_each(|old| desk.write("out", old));
        let (mut running, _pipe) = caught_in_the_middle(&desk, line, input);
        stop(&mut running);
        assert_eq!(desk.path("out").exists(), old.is_some(), "{line}");
        assert!(old.is_none_or(|old| desk.read("out") == old), "{line}");
        left(&desk)
    };
    vec![check(None), check(Some(b"old"))]
}

const SEAL: &str = "seal -r alice.pub --force -o out";
const OPEN: &str = "open -i alice.key --force -o out";

/// More than a batch of what `seal` and `open` take from a pipe.
fn inputs() -> [(&'static str, Vec<u8>); 2] {
    let desk = Desk::of(&["alice"]);
    desk.sealed("x", &["alice"], None, &content(6 << 20));
    [(SEAL, content(6 << 20)), (OPEN, desk.read("x")[..5 << 20].to_vec())]
}

#[test]
fn a_killed_command_leaves_the_old_file_or_none() {
    for (line, input) in inputs() {
        for left in stopped(line, &input, |running| assert!(!running.kill().unwrap().success())) {
            let [name] = left.as_slice() else { panic!("{left:?}") };
            assert!(name.starts_with(".out.veilcast-"), "{name} says what it is");
        }
    }
}

#[test]
fn a_stopped_command_cleans_up_and_dies_of_the_signal() {
    use std::os::unix::process::ExitStatusExt as _;
    for (line, input) in inputs() {
        let stop = |running: &mut Spawned| {
            let status = running.terminate(LIMIT).unwrap();
            assert_eq!(status.signal(), Some(15), "{status}");
        };
        for left in stopped(line, &input, stop) {
            assert_eq!(left, Vec::<String>::new(), "{line}");
        }
    }
}

#[test]
fn a_signal_that_is_ignored_on_purpose_stays_ignored() {
    let desk = Desk::of(&["alice"]);
    desk.sh("mkfifo pipe");
    let line = format!("exec \"$VEILCAST\" {SEAL} < pipe");
    let mut running = desk.start(&format!("trap '' HUP; {line}"));
    let mut pipe = File::options().write(true).open(desk.path("pipe")).unwrap();
    pipe.write_all(&content(3 << 20)).unwrap();
    running.signal(rustix::process::Signal::HUP).unwrap();
    drop(pipe);
    assert!(running.wait(LIMIT).unwrap().success(), "{}", running.stderr());
    assert!(desk.ok("open -i alice.key out") == content(3 << 20));
}

#[test]
fn nobody_else_can_read_what_a_killed_open_leaves() {
    let [_, (line, input)] = inputs();
    let desk = Desk::of(&["alice"]);
    let (mut running, _pipe) = caught_in_the_middle(&desk, line, &input);
    running.kill().unwrap();
    assert_eq!(desk.mode(&left(&desk)[0]), 0o600);
}

/// Runs a command with a file system mounted with `options` at `small`, in which `in.veil` is a copy of `x.veil`; what is in there then comes on
/// standard output, and whether the copy is what it was.
fn on_small_disk(desk: &Desk, options: &str, line: &str) -> Finished {
    let script = "mount -t tmpfs tmpfs small || exit 99; echo old > small/out; \
                  test ! -e x.veil || cp x.veil small/in.veil; mount -o remount,$0 small; \
                  \"$@\"; code=$?; ls -A small; cat small/out; \
                  test ! -e x.veil || cmp -s x.veil small/in.veil && echo same; exit $code";
    fs::create_dir_all(desk.path("small")).unwrap();
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user", "--mount", "sh", "-c", script, options]);
    command.arg(env!("CARGO_BIN_EXE_veilcast")).args(line.split_whitespace());
    run(command.current_dir(desk.path(".")), LIMIT).unwrap()
}

#[test]
fn a_full_disk_leaves_the_old_file() {
    let desk = Desk::of(&["alice"]);
    desk.write("in", &content(2 << 20));
    desk.sealed("big.veil", &["alice"], None, &content(2 << 20));
    for line in [
        "seal -r alice.pub --force -o small/out in",
        "open -i alice.key --force -o small/out big.veil",
        "open -i alice.key --range 0- --force -o small/out big.veil",
    ] {
        let finished = on_small_disk(&desk, "size=1m", line);
        check_failure(&finished, line, "cannot write small/out: No space left", "free some space");
        assert_eq!(finished.text(), "out\nold\nsame\n", "{line}");
    }
}

#[test]
fn a_full_disk_leaves_a_file_that_is_changed_as_it_was() {
    let desk = Desk::of(&["alice", "bob", "carol", "dave"]);
    desk.sealed("x.veil", &["alice", "bob", "carol"], None, &content(600_000));
    for line in [
        "recipients add small/in.veil -i alice.key -r dave.pub",
        "rekey small/in.veil -i alice.key --drop-others",
    ] {
        let finished = on_small_disk(&desk, "size=1m", line);
        check_failure(
            &finished,
            line,
            "cannot write small/in.veil: No space left",
            "free some space",
        );
        assert_eq!(finished.text(), "in.veil\nout\nold\nsame\n", "{line}");
    }
    // In place needs no space.
    let add = "recipients remove small/in.veil -i alice.key bob.pub";
    let finished = on_small_disk(&desk, "size=632k", add);
    assert!(finished.status.success(), "{}", finished.stderr);
}

#[test]
fn a_disk_that_cannot_be_written_is_named() {
    let desk = Desk::of(&["alice", "bob"]);
    desk.sealed("x.veil", &["alice"], None, b"rushes");
    for (line, hint) in [
        ("recipients add small/in.veil -i alice.key -r bob.pub", "work on a copy"),
        ("rekey small/in.veil -i alice.key", "work on a copy"),
        ("open -i alice.key --force -o small/out small/in.veil", ""),
        ("identity new -o small/new.key", ""),
    ] {
        let finished = on_small_disk(&desk, "ro", line);
        check_failure(&finished, line, ": Read-only file system", hint);
    }
}

#[test]
fn a_killed_rekey_leaves_the_file_as_it_was() {
    let desk = Desk::of(&["alice"]);
    desk.sealed("x.veil", &["alice"], None, &content(64 << 20));
    let before = desk.read("x.veil");
    let mut running = desk.start("exec \"$VEILCAST\" rekey x.veil -i alice.key");
    let deadline = Instant::now() + LIMIT;
    while left(&desk).is_empty() {
        assert!(running.try_wait().unwrap().is_none(), "it ended: {}", running.stderr());
        assert!(Instant::now() < deadline, "nothing is written: {}", running.stderr());
    }
    running.kill().unwrap();
    assert!(desk.read("x.veil") == before);
    assert_eq!(left(&desk).len(), 1);
    desk.ok("recipients list -i alice.key x.veil");
}
