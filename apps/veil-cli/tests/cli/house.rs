//! A data folder of a test's own, and commands on it.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use veil_testkit::{ClipSpec, Finished, Spawned, clip, files_below, run};

/// No command of these tests takes longer, on the slowest machine that runs them.
pub(crate) const LIMIT: Duration = Duration::from_secs(240);

/// A data folder; gone when it is dropped.
pub(crate) struct House {
    folder: TempDir,
}

impl House {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// A house with one short title in it.
    pub(crate) fn with_title(name: &str) -> Self {
        let house = Self::new();
        house.ok(["import".as_ref(), short_clip().as_os_str(), "--title".as_ref(), name.as_ref()]);
        house
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub(crate) fn bucket(&self) -> PathBuf {
        self.data().join("bucket")
    }

    pub(crate) fn scratch(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn command<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_veilcast"));
        command.arg("--data").arg(self.data()).arg("--json").args(args);
        command
    }

    pub(crate) fn run<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Finished {
        run(&mut self.command(args), LIMIT).unwrap()
    }

    /// Runs a command that must succeed, and returns its answer.
    pub(crate) fn ok<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Value {
        let text = self.run(args).success().unwrap().text();
        serde_json::from_str(&text).unwrap()
    }

    /// Runs a command that must fail with exit code 1, and returns what it said.
    pub(crate) fn fails<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> String {
        let finished = self.run(args);
        assert_eq!(finished.status.code(), Some(1), "{}", finished.stderr);
        let answer: Value = serde_json::from_str(&finished.text()).unwrap();
        let error = answer["error"].as_str().unwrap();
        assert!(finished.stderr.contains(&format!("error: {error}")), "{}", finished.stderr);
        finished.stderr
    }

    pub(crate) fn start<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Spawned {
        Spawned::start(&mut self.command(args)).unwrap()
    }

    pub(crate) fn titles(&self) -> Vec<Value> {
        self.ok(["list"])["titles"].as_array().unwrap().clone()
    }

    /// Every file in the bucket.
    pub(crate) fn objects(&self) -> Vec<PathBuf> {
        files_below(&self.bucket()).unwrap()
    }
}

/// Two seconds of picture and sound, small enough for a single rung.
pub(crate) fn short_clip() -> PathBuf {
    clip(ClipSpec { width: 320, height: 180, seconds: 2, ..ClipSpec::default() })
}

/// Long enough to be caught in the middle.
pub(crate) fn long_clip() -> PathBuf {
    clip(ClipSpec { width: 640, height: 360, seconds: 90, ..ClipSpec::default() })
}
