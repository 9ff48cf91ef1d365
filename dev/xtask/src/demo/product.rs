//! The product's programs, for the demo and for benches, in a data folder of their own: import, up, share, and an orderly end.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use veil_testkit::{Process, Spawned, descendants, run, wait_gone};

use crate::failure::{During, Outcome, fail};
use crate::repo::Repo;

/// Longest start of the servers.
const READY_LIMIT: Duration = Duration::from_secs(60);

/// Longest run of a command that only writes a few records.
const COMMAND_LIMIT: Duration = Duration::from_secs(60);

/// Longest orderly end: a server finishes what it is sending.
const END_LIMIT: Duration = Duration::from_secs(20);

/// How long what a program started may outlive it.
const OUTLIVE_LIMIT: Duration = Duration::from_secs(2);

/// Lines of a log that an error shows.
const LOG_LINES: usize = 30;

/// The programs, their data folder, and the lock that keeps a second run out of it.
pub(crate) struct Product<'a> {
    repo: &'a Repo,
    home: PathBuf,
    _lock: File,
}

impl<'a> Product<'a> {
    /// Empties `target/<purpose>/data`; fails when another run uses it.
    pub(crate) fn new(repo: &'a Repo, purpose: &str) -> Outcome<Self> {
        let home = repo.target.join(purpose);
        fs::create_dir_all(&home).during(format_args!("making {}", home.display()))?;
        let lock = File::create(home.join("lock")).during("making the lock")?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(fail(format!("another {purpose} of this repository is running"))
                    .hint("stop that one by Ctrl-C"));
            }
            Err(TryLockError::Error(error)) => {
                Err(error).during(format_args!("locking {}", home.display()))?;
            }
        }
        let data = home.join("data");
        if data.exists() {
            fs::remove_dir_all(&data).during(format_args!("emptying {}", data.display()))?;
        }
        Ok(Self { repo, home, _lock: lock })
    }

    /// Folder that the gateway serves from.
    pub(crate) fn bucket(&self) -> PathBuf {
        self.home.join("data/bucket")
    }

    /// Starts an import that shows its progress; `options` as `veilcast import` takes them.
    pub(crate) fn import(&self, video: &Path, title: &str, options: &[&str]) -> Outcome<Spawned> {
        let mut command = self.veilcast(["--json", "import"].into_iter().chain(options.to_vec()));
        command.arg(format!("--title={title}")).arg("--").arg(video);
        Spawned::start_with_stderr(&mut command, Stdio::inherit()).during("starting the import")
    }

    /// Starts studio and gateway, and returns when they answer.
    pub(crate) fn up(&self) -> Outcome<Spawned> {
        let path = self.log_path();
        let log = File::create(&path).during(format_args!("making {}", path.display()))?;
        let mut command = self.veilcast(["--json", "up", "--listen", "127.0.0.1:0"]);
        let mut up = Spawned::start_with_stderr(&mut command, log.into())
            .during("starting `veilcast up`")?;
        match up.ready("ready", READY_LIMIT) {
            Ok(_) => Ok(up),
            Err(error) => {
                Err(fail(format!("{}\n{}", error.to_string().trim_end(), self.end_of_log()))
                    .hint(format!("the whole log is in {}", path.display())))
            }
        }
    }

    /// Makes a link to a title.
    pub(crate) fn share(&self, title: &str) -> Outcome<String> {
        let mut command = self.veilcast(["--json", "share", "--link", "--"]);
        let shared =
            run(command.arg(title), COMMAND_LIMIT).and_then(veil_testkit::Finished::success);
        link_in(&shared.during("`veilcast share`")?.stdout)
    }

    /// Ends a program, and with it all that it started; what is still there then is an error, and is killed. How a
    /// program that is told to end says so by its exit code is its own affair.
    pub(crate) fn end(&self, mut program: Spawned) -> Outcome {
        let below = descendants(program.id());
        let ended = program.terminate(END_LIMIT).during("ending a program in order");
        let left = wait_gone(&below, OUTLIVE_LIMIT);
        drop(program);
        ended?;
        if left.is_empty() {
            return Ok(());
        }
        for one in &left {
            kill(one);
        }
        let names: Vec<String> =
            left.iter().map(|one| format!("{} ({})", one.name, one.pid)).collect();
        Err(fail(format!("left behind, and killed now: {}", names.join(", "))))
    }

    fn veilcast<'b>(&self, words: impl IntoIterator<Item = &'b str>) -> Command {
        let mut command = self.repo.command(self.repo.bin_dir("release").join("veilcast"));
        command.arg("--data").arg(self.home.join("data")).args(words);
        command
    }

    fn log_path(&self) -> PathBuf {
        self.home.join("up.log")
    }

    fn end_of_log(&self) -> String {
        let text = fs::read_to_string(self.log_path()).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(LOG_LINES)..].join("\n")
    }
}

fn kill(process: &Process) {
    let pid = i32::try_from(process.pid).ok().and_then(Pid::from_raw);
    if let Some(pid) = pid.filter(|_| process.is_running()) {
        // It may end in this very moment; then there is nothing to kill.
        let _ = kill_process(pid, Signal::KILL);
    }
}

fn link_in(json: &[u8]) -> Outcome<String> {
    let answer: Value = serde_json::from_slice(json).during("reading what `share` answered")?;
    let link = answer["link"].as_str().filter(|link| link.starts_with("http"));
    link.map(str::to_owned)
        .ok_or_else(|| fail(format!("`veilcast share` answered no link: {answer}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn the_link_is_taken_from_the_answer_and_nothing_else_will_do() {
        let answer = br#"{"link": "http://127.0.0.1:1/w/a#b", "grant": "a"}"#;
        assert_eq!(link_in(answer).unwrap(), "http://127.0.0.1:1/w/a#b");
        assert!(link_in(br#"{"grant": "a"}"#).unwrap_err().to_string().contains("no link"));
        assert!(link_in(b"error").is_err());
    }

    #[test]
    fn a_second_demo_is_kept_out_and_old_data_is_gone() {
        let dir = tempfile::tempdir().unwrap();
        let repo = Repo { root: dir.path().into(), target: dir.path().join("target") };
        fs::create_dir_all(dir.path().join("target/demo/data/old")).unwrap();
        let first = Product::new(&repo, "demo").unwrap();
        assert!(!dir.path().join("target/demo/data").exists());
        let error = Product::new(&repo, "demo").err().unwrap().to_string();
        assert!(error.starts_with("another demo of this repository is running"), "{error}");
        drop(first);
        assert!(Product::new(&repo, "demo").is_ok());
    }

    /// Puts a script in the place of `veilcast`; `$3` is the first word after `--data DIR`.
    fn product_that(script: &str) -> (tempfile::TempDir, Repo) {
        let dir = tempfile::tempdir().unwrap();
        let repo = Repo { root: dir.path().into(), target: dir.path().join("target") };
        let program = repo.bin_dir("release").join("veilcast");
        fs::create_dir_all(program.parent().unwrap()).unwrap();
        fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        (dir, repo)
    }

    #[test]
    fn a_title_that_looks_like_an_option_arrives_as_a_title() {
        let script = r#"test "$*" = "--data $2 --json share --link -- --title" && test -n "$2" &&
            echo '{"link": "http://127.0.0.1:1/w/a#b"}'"#;
        let (_dir, repo) = product_that(script);
        let link = Product::new(&repo, "demo").unwrap().share("--title").unwrap();
        assert_eq!(link, "http://127.0.0.1:1/w/a#b");
    }

    #[test]
    fn servers_that_are_ready_end_in_order_with_all_they_started() {
        let script = r#"sleep 60 & trap 'kill $!; exit 0' TERM; echo '{"event":"ready"}'; wait"#;
        let (_dir, repo) = product_that(script);
        let product = Product::new(&repo, "demo").unwrap();
        let up = product.up().unwrap();
        let below = descendants(up.id());
        product.end(up).unwrap();
        assert_eq!(wait_gone(&below, Duration::ZERO), []);
    }

    #[test]
    fn servers_that_do_not_start_show_the_end_of_their_log() {
        let (_dir, repo) = product_that("echo 'error: the port is in use' >&2; exit 1");
        let error = Product::new(&repo, "demo").unwrap().up().err().unwrap().to_string();
        assert!(error.contains("error: the port is in use"), "{error}");
        assert!(error.contains("demo/up.log"), "{error}");
    }

    #[test]
    fn what_a_program_leaves_behind_is_named_and_killed() {
        let dir = tempfile::tempdir().unwrap();
        let repo = Repo { root: dir.path().into(), target: dir.path().join("target") };
        let product = Product::new(&repo, "demo").unwrap();
        let mut shell = Command::new("sh");
        shell.args(["-c", "setsid sleep 61 & echo started; exec sleep 62"]);
        let mut program = Spawned::start(&mut shell).unwrap();
        program.next_line(READY_LIMIT).unwrap();
        let below = descendants(program.id());
        let error = product.end(program).unwrap_err().to_string();
        assert!(error.starts_with("left behind, and killed now: s"), "{error}");
        assert_eq!(wait_gone(&below, OUTLIVE_LIMIT), []);
    }
}
