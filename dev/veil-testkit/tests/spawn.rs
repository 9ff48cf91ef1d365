//! Child processes through the public interface, with real programs.

use std::io::ErrorKind;
use std::process::Command;
use std::time::{Duration, Instant};

use veil_testkit::{Spawned, descendants, process, run, wait_gone};

const SOON: Duration = Duration::from_secs(10);

fn shell(script: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", script]);
    command
}

#[test]
fn a_ready_line_is_found_behind_other_lines() {
    let script =
        r#"echo starting; echo '{"event":"other"}'; echo '{"event":"ready","url":"u"}'; sleep 60"#;
    let mut child = Spawned::start(&mut shell(script)).unwrap();
    assert_eq!(child.ready("ready", SOON).unwrap()["url"], "u");
}

#[test]
fn a_child_that_ends_before_it_is_ready_shows_its_standard_error() {
    let mut child = Spawned::start(&mut shell("echo no such bucket >&2; exit 1")).unwrap();
    assert_eq!(child.wait(SOON).unwrap().code(), Some(1));
    let error = child.ready("ready", SOON).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
    assert_eq!(error.to_string(), "sh ended its standard output\nno such bucket\n");
}

#[test]
fn a_silent_child_is_an_error_after_the_limit() {
    let mut child = Spawned::start(&mut shell("sleep 60")).unwrap();
    let error = child.ready("ready", Duration::from_millis(50)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
}

#[test]
fn dropping_a_child_kills_what_it_started_in_whatever_group() {
    let mut child = Spawned::start(&mut shell("sleep 60 & setsid sleep 60 & echo; wait")).unwrap();
    child.next_line(SOON).unwrap();
    let me = process(child.id()).unwrap();
    let mut all = wait_for_two_sleepers(child.id());
    all.push(me);
    drop(child);
    assert_eq!(wait_gone(&all, SOON), []);
}

/// The shell forks and then each fork becomes `sleep`: look until both have.
fn wait_for_two_sleepers(parent: u32) -> Vec<veil_testkit::Process> {
    let end = Instant::now() + SOON;
    loop {
        let below = descendants(parent);
        if below.iter().filter(|one| one.name == "sleep").count() == 2 {
            return below;
        }
        assert!(Instant::now() < end, "{below:?}");
        std::thread::yield_now();
    }
}

#[test]
fn killing_a_child_alone_leaves_what_it_started() {
    let mut child = Spawned::start(&mut shell("sleep 60 & echo $!; wait")).unwrap();
    let sleeper = process(child.next_line(SOON).unwrap().parse().unwrap()).unwrap();
    child.kill().unwrap();
    assert!(sleeper.is_running());
    drop(child);
    assert_eq!(wait_gone(&[sleeper], SOON), [], "the group is killed even when its leader is dead");
}

#[test]
fn a_child_that_ends_on_request_is_waited_for() {
    let mut child =
        Spawned::start(&mut shell("trap 'exit 7' TERM; echo; while :; do sleep 0.01; done"))
            .unwrap();
    child.next_line(SOON).unwrap();
    assert_eq!(child.terminate(SOON).unwrap().code(), Some(7));
    assert_eq!(child.terminate(SOON).unwrap().code(), Some(7), "a second request finds it ended");
}

#[test]
fn a_finished_program_gives_both_outputs_and_its_status() {
    let done = run(&mut shell("echo out; echo err >&2; exit 3"), SOON).unwrap();
    assert_eq!((done.text().as_str(), done.stderr.as_str()), ("out\n", "err\n"));
    assert_eq!(done.status.code(), Some(3));
    assert!(done.success().unwrap_err().to_string().contains("err"));
}

#[test]
fn more_output_than_a_pipe_holds_does_not_block() {
    let done = run(&mut shell("head -c 3000000 /dev/zero; head -c 3000000 /dev/zero >&2"), SOON);
    assert_eq!(done.unwrap().stdout.len(), 3_000_000);
}

#[test]
fn too_much_output_is_refused() {
    let error = run(&mut shell("head -c 70000000 /dev/zero"), SOON).unwrap_err();
    assert!(error.to_string().contains("more than 64 MiB"), "{error}");
}

#[test]
fn a_program_that_does_not_end_is_killed_with_its_group() {
    let error = run(&mut shell("echo $$ >&2; sleep 60 & wait"), Duration::from_millis(200));
    let text = error.unwrap_err().to_string();
    let pid = text.lines().last().unwrap().parse().unwrap();
    assert!(text.contains("sh, or what it started, still ran after 200ms"), "{text}");
    assert_eq!(process(pid), None);
    assert_eq!(descendants(pid), []);
}

#[test]
fn a_program_that_leaves_another_holding_its_output_is_an_error() {
    let error = run(&mut shell("sleep 60 & echo $! >&2"), Duration::from_millis(500));
    let text = error.unwrap_err().to_string();
    let sleeper = text.lines().last().unwrap().parse().unwrap();
    assert_eq!(wait_gone(&process(sleeper).into_iter().collect::<Vec<_>>(), SOON), []);
}

#[test]
fn a_missing_program_is_named() {
    let error = run(&mut Command::new("no-such-program"), SOON).unwrap_err();
    assert!(error.to_string().starts_with("starting no-such-program: "), "{error}");
}
