//! What a confined child can and cannot do, tried with real programs.

use std::path::Path;
use std::time::Duration;

use veil_ffmpeg::sandbox::{Confinement, Jail, landlock_abi};
use veil_ffmpeg::{Error, Exit, Invocation};

use crate::support::launcher;

fn jail(read: &[&Path]) -> Confinement {
    Confinement::Full(Jail {
        read: read.iter().map(|path| path.to_path_buf()).collect(),
        write: None,
        address_space_bytes: 16 << 30,
        cpu_seconds: Some(60),
        landlock_optional: false,
    })
}

async fn run(confinement: Confinement, program: &str, args: &[&str]) -> Exit {
    let invocation = Invocation::new(program, confinement).args(args);
    invocation.start(&launcher()).await.unwrap().wait().await.unwrap()
}

/// The child fails, and says why.
#[track_caller]
fn denied(exit: &Exit, reason: &str) {
    assert!(!exit.status.success(), "it was allowed");
    assert!(exit.stderr.contains(reason), "{}", exit.stderr);
}

#[tokio::test]
async fn a_confined_child_reads_its_source_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let (mine, other) = (folder.path().join("mine"), folder.path().join("other"));
    std::fs::write(&mine, "x").unwrap();
    std::fs::write(&other, "x").unwrap();
    let cat = |path: &Path| {
        let path = path.to_str().unwrap().to_owned();
        let confinement = jail(&[&mine]);
        async move { run(confinement, "/usr/bin/cat", &[&path]).await }
    };
    assert!(cat(&mine).await.status.success());
    denied(&cat(&other).await, "Permission denied");
    denied(&cat(Path::new("/etc/passwd")).await, "Permission denied");
    denied(&cat(Path::new("/proc/self/environ")).await, "Permission denied");
    denied(&run(jail(&[]), "/usr/bin/ls", &["/home"]).await, "Permission denied");
}

#[tokio::test]
async fn a_confined_child_writes_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new.mp4");
    let made = ["-v", "error", "-f", "lavfi", "-i", "color=d=0.1", "-y", path.to_str().unwrap()];
    denied(&run(jail(&[folder.path()]), "/usr/bin/ffmpeg", &made).await, "Permission denied");
    assert!(!path.exists());
    assert!(run(jail(&[]), "/bin/sh", &["-c", "echo x > /dev/null"]).await.status.success());
}

#[tokio::test]
async fn a_confined_child_writes_the_file_that_it_may_and_no_more_of_it_than_it_may() {
    let folder = tempfile::tempdir().unwrap();
    let (mine, other) = (folder.path().join("mine"), folder.path().join("other"));
    for path in [&mine, &other] {
        std::fs::write(path, "old").unwrap();
    }
    let write = async |path: &Path, text: &str| {
        let Confinement::Full(mut jail) = jail(&[]) else { panic!() };
        jail.write = Some((mine.clone(), 4));
        let script = format!("printf {text} > {}", path.display());
        run(Confinement::Full(jail), "/bin/sh", &["-c", &script]).await
    };
    assert!(write(&mine, "new").await.status.success());
    assert_eq!(std::fs::read(&mine).unwrap(), b"new");
    assert!(!write(&mine, "longer").await.status.success());
    denied(&write(&other, "new").await, "Permission denied");
    denied(&write(&folder.path().join("third"), "new").await, "Permission denied");
    assert_eq!(std::fs::read(&other).unwrap(), b"old");
}

#[tokio::test]
async fn a_confined_child_has_no_network() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/x", listener.local_addr().unwrap());
    let exit =
        run(jail(&[]), "/usr/bin/ffmpeg", &["-v", "error", "-i", &url, "-f", "null", "-"]).await;
    denied(&exit, "Function not implemented");
    listener.set_nonblocking(true).unwrap();
    assert!(listener.accept().is_err(), "somebody connected");
}

#[tokio::test]
async fn a_confined_child_starts_and_signals_no_other_process() {
    denied(&run(jail(&[]), "/bin/sh", &["-c", "true | true; exit 1"]).await, "fork");
    let pid = std::process::id().to_string();
    let exit = run(jail(&[]), "/bin/sh", &["-c", &format!("kill -0 {pid}")]).await;
    denied(&exit, "kill");
}

#[tokio::test]
async fn a_confined_child_has_no_privileges_and_no_environment() {
    // `/proc` is closed to it, so that its parent looks.
    let script = "while :; do :; done";
    let invocation = Invocation::new("/bin/sh", jail(&[])).args(["-c", script]);
    let child = invocation.start(&launcher()).await.unwrap();
    let folder = format!("/proc/{}", child.pid().unwrap());
    let read = |file: &str| std::fs::read_to_string(format!("{folder}/{file}")).unwrap_or_default();
    while !read("cmdline").starts_with("/bin/sh") {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let status = read("status");
    let field = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().nth(1).unwrap().to_owned()
    };
    assert_eq!(field("NoNewPrivs:"), "1");
    assert_eq!(field("Seccomp:"), "2");
    let kept = u64::from_str_radix(&field("CapEff:"), 16).unwrap();
    assert_eq!(kept & !(1 << 2), 0, "more than reading: {kept:x}");
    assert_eq!(read("environ"), "");
    let limits = read("limits");
    let file_size = limits.lines().find(|line| line.starts_with("Max file size")).unwrap();
    assert!(file_size.contains(" 0 "), "{file_size}");
    child.stop().await.unwrap();
}

#[tokio::test]
async fn an_unconfined_child_of_ours_keeps_its_rights() {
    let exit = run(Confinement::DeathSignalOnly, "/bin/sh", &["-c", "cat /etc/passwd | cat"]).await;
    assert!(exit.status.success(), "{}", exit.stderr);
}

#[tokio::test]
async fn a_program_that_cannot_be_locked_in_or_found_is_an_error_of_the_sandbox() {
    let invocation = Invocation::new("/nonexistent/ffmpeg", jail(&[]));
    let error = invocation.start(&launcher()).await.unwrap().wait().await.unwrap_err();
    assert!(
        matches!(&error, Error::Sandbox(why) if why.contains("/nonexistent/ffmpeg")),
        "{error}"
    );
    assert!(error.hint().is_some());
    assert!(landlock_abi() > 0);
}
