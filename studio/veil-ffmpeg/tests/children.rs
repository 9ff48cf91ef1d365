//! Children end when they should, whatever happens to those who started them.

use std::io::Read as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use veil_ffmpeg::sandbox::{Confinement, Jail};
use veil_ffmpeg::{Error, Invocation, LadderRequest, Packaging, Plan, Tools, probe};

use crate::support::{PLAIN, clip, launcher, tools};

/// How soon a child has to be gone.
const SOON: Duration = Duration::from_secs(1);

fn jail() -> Confinement {
    Confinement::Full(Jail {
        read: Vec::new(),
        write: None,
        address_space_bytes: 16 << 30,
        cpu_seconds: None,
        landlock_optional: false,
    })
}

fn is_alive(pid: u32) -> bool {
    Path::new(&format!("/proc/{pid}")).exists()
}

async fn gone_soon(pid: u32) {
    let started = Instant::now();
    while is_alive(pid) {
        assert!(started.elapsed() < SOON, "process {pid} is still there");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

const ENDLESS: [&str; 8] = ["-v", "error", "-f", "lavfi", "-i", "testsrc2=s=320x240", "-f", "null"];

#[tokio::test]
async fn a_dropped_child_is_stopped_and_reaped_within_a_second() {
    let invocation = Invocation::new("/usr/bin/ffmpeg", jail()).args(ENDLESS).args(["-"]);
    let child = invocation.start(&launcher()).await.unwrap();
    let pid = child.pid().unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(is_alive(pid));
    drop(child);
    gone_soon(pid).await;
}

#[tokio::test]
async fn a_child_that_ignores_the_request_is_killed() {
    let script = "trap '' TERM; echo ready; while :; do :; done";
    let invocation = Invocation::new("/bin/sh", jail()).args(["-c", script]).stdout_piped();
    let mut child = invocation.start(&launcher()).await.unwrap();
    let mut ready = [0; 6];
    let mut stdout = child.take_stdout().unwrap();
    tokio::io::AsyncReadExt::read_exact(&mut stdout, &mut ready).await.unwrap();
    let pid = child.pid().unwrap();
    let exit = tokio::time::timeout(SOON, child.stop()).await.unwrap().unwrap();
    assert!(!exit.status.success());
    assert!(!is_alive(pid), "stopped, but not reaped");
}

#[tokio::test]
async fn standard_error_ends_in_what_is_told() {
    let script = "echo one >&2; echo two >&2; exit 3";
    let mut child =
        Invocation::new("/bin/sh", jail()).args(["-c", script]).start(&launcher()).await.unwrap();
    let exit = child.wait().await.unwrap();
    assert_eq!(exit.status.code(), Some(3));
    assert_eq!(exit.stderr, "one\ntwo");
    assert!(child.wait().await.is_err(), "it has answered already");
}

#[test]
fn ffmpeg_dies_when_its_parent_is_killed_without_warning() {
    // This very test program, as a parent: it starts FFmpeg, tells its number and waits.
    let mut parent = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "children::the_parent_that_will_be_killed", "--nocapture"])
        .env("VEIL_TEST_PARENT", "1")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut told = String::new();
    let mut stdout = parent.stdout.take().unwrap();
    let pid = loop {
        let mut byte = [0];
        stdout.read_exact(&mut byte).unwrap();
        told.push(char::from(byte[0]));
        if let Some((pid, _)) =
            told.split_once("ffmpeg=").and_then(|(_, rest)| rest.split_once('.'))
        {
            break pid.parse::<u32>().unwrap();
        }
    };
    assert!(is_alive(pid));
    parent.kill().unwrap();
    parent.wait().unwrap();
    let started = Instant::now();
    // Its new parent may take a moment to reap it: a zombie runs no more.
    let runs = || {
        std::fs::read_to_string(format!("/proc/{pid}/cmdline")).is_ok_and(|line| !line.is_empty())
    };
    while runs() {
        assert!(started.elapsed() < SOON, "FFmpeg has outlived its parent");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Not a test by itself: the parent of the test above.
#[tokio::test]
async fn the_parent_that_will_be_killed() {
    if std::env::var_os("VEIL_TEST_PARENT").is_none() {
        return;
    }
    let invocation = Invocation::new("/usr/bin/ffmpeg", jail()).args(ENDLESS).args(["-"]);
    let mut child = invocation.start(&launcher()).await.unwrap();
    let pid = child.pid().unwrap();
    let name = || std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    while name() != "ffmpeg\n" {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    #[expect(clippy::print_stdout, reason = "that is how its parent hears of it")]
    {
        println!("ffmpeg={pid}.");
    }
    child.wait().await.unwrap();
}

/// Hangs, as FFmpeg does only on files that nobody may ship.
const HANGS: &str = "while :; do :; done";

/// Writes to its first output without an end.
const POURS: &str = "for arg; do case $arg in pipe:1) ;; pipe:*) eval \"exec 9>&${arg#pipe:}\"; break;; \
    esac; done; while :; do echo yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy >&9; done";

/// The tools with a script in the place of FFmpeg.
fn stand_in(folder: &Path, real: &Tools, script: &str) -> Tools {
    let path = folder.join("ffmpeg");
    // Not `/bin/sh`, which cannot write to a descriptor above 9.
    std::fs::write(&path, format!("#!/bin/bash\n{script}\n")).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&path, mode).unwrap();
    Tools { ffmpeg: path, ..real.clone() }
}

async fn packaging(folder: &Path, limit: Duration, script: &str) -> Packaging {
    let tools = tools().await;
    let path = clip(folder, "plain.mp4", PLAIN);
    let source = probe(&launcher(), &tools, &path).await.unwrap();
    let plan = Plan::new(&source, &LadderRequest::Auto, &tools, 2).unwrap();
    let used = stand_in(folder, &tools, script);
    Packaging::start_with(&launcher(), &used, &source, &plan, limit).await.unwrap()
}

#[tokio::test]
async fn a_run_that_stands_still_is_stopped_with_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let limit = Duration::from_millis(800);
    let mut run = packaging(folder.path(), limit, HANGS).await;
    for mut output in run.take_outputs() {
        tokio::spawn(async move { tokio::io::copy(&mut output, &mut tokio::io::sink()).await });
    }
    let error = run.finish().await.unwrap_err();
    assert!(matches!(error, Error::Stalled { .. }), "{error}");
    assert!(error.hint().is_some());
}

#[tokio::test]
async fn a_slow_reader_is_not_taken_for_a_run_that_stands_still() {
    let folder = tempfile::tempdir().unwrap();
    let limit = Duration::from_millis(600);
    let mut run = packaging(folder.path(), limit, POURS).await;
    let mut outputs = run.take_outputs();
    let mut finish = Box::pin(run.finish());
    let early = tokio::time::timeout(limit * 3, &mut finish).await;
    assert!(early.is_err(), "the reader's pause was held against it: {early:?}");
    // It was there all the time, waiting for its reader.
    let mut buffer = vec![0; 64];
    tokio::io::AsyncReadExt::read_exact(&mut outputs[0], &mut buffer).await.unwrap();
    assert!(buffer.starts_with(b"yyyy"));
}

#[tokio::test]
async fn a_run_that_is_dropped_ends_its_outputs_within_a_second() {
    let folder = tempfile::tempdir().unwrap();
    let mut run = packaging(folder.path(), Duration::from_secs(60), HANGS).await;
    let outputs = run.take_outputs();
    drop(run);
    let started = Instant::now();
    for mut output in outputs {
        tokio::io::copy(&mut output, &mut tokio::io::sink()).await.unwrap();
    }
    assert!(started.elapsed() < SOON);
}
