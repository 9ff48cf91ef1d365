//! The product's programs, built from the sources that are being tested.
//!
//! Cargo gives `CARGO_BIN_EXE_<name>` only for programs of the crate under test; a test of `veil-cli` needs
//! `veilcast-gateway` as well. A program that merely lies in `target` may be older than the sources, so it is built
//! again (which costs nothing when it is fresh), once per test run.

use std::collections::HashSet;
use std::fs;
use std::io::{self, Error};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::place::{cache_dir, locked, profile_dir, workspace_root};
use crate::spawn::run;

/// Names the folder that holds programs built for this run, so that nothing is built again. `cargo xtask test`
/// sets it after its build step.
pub const BIN_DIR_VARIABLE: &str = "VEILCAST_BIN_DIR";

/// Longest build: everything from nothing on a slow machine.
const BUILD_LIMIT: Duration = Duration::from_secs(40 * 60);

/// Names that this process has built or found built.
static FRESH: Mutex<Option<HashSet<String>>> = Mutex::new(None);

/// Returns the path of the workspace program `name`, such as `veilcast-gateway`, building it when needed.
///
/// # Panics
///
/// When there is no such program or it doesn't build.
#[must_use]
#[expect(clippy::panic, reason = "a test without the program under test has failed")]
pub fn binary(name: &str) -> PathBuf {
    find(name).unwrap_or_else(|error| panic!("the program {name}: {error}"))
}

fn find(name: &str) -> io::Result<PathBuf> {
    if let Some(dir) = std::env::var_os(BIN_DIR_VARIABLE) {
        return existing(Path::new(&dir).join(name));
    }
    let path = profile_dir().join(name);
    let mut fresh = FRESH.lock().unwrap_or_else(PoisonError::into_inner);
    let fresh = fresh.get_or_insert_default();
    if !fresh.contains(name) {
        locked("build", || build_once_per_run(name))?;
        fresh.insert(name.to_owned());
    }
    existing(path)
}

/// cargo-nextest runs each test in a process of its own: the run's id, left in a file, spares all but the first.
fn build_once_per_run(name: &str) -> io::Result<()> {
    let Some(run_id) = std::env::var("NEXTEST_RUN_ID").ok() else { return build(name) };
    let stamp = cache_dir()?.join(format!("{name}.built"));
    if fs::read_to_string(&stamp).is_ok_and(|last| last == run_id) {
        return Ok(());
    }
    build(name)?;
    fs::write(stamp, run_id)
}

fn build(name: &str) -> io::Result<()> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let profile = match profile_dir().file_name().and_then(|dir| dir.to_str()) {
        None | Some("debug") => "dev".to_owned(),
        Some(other) => other.to_owned(),
    };
    let mut command = Command::new(cargo);
    command.args(["build", "--quiet", "--workspace", "--bin", name, "--profile", &profile]);
    run(command.current_dir(workspace_root()), BUILD_LIMIT)?.success().map(drop)
}

fn existing(path: PathBuf) -> io::Result<PathBuf> {
    if path.is_file() {
        return Ok(path);
    }
    Err(Error::new(io::ErrorKind::NotFound, format!("{} is not there", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_found_from_another_crate() {
        let path = binary("xtask");
        assert!(path.ends_with("xtask") && path.is_file());
    }

    #[test]
    fn an_unknown_program_is_an_error_that_cargo_explains() {
        let error = find("no-such-program").unwrap_err();
        assert!(error.to_string().contains("no-such-program"), "{error}");
    }
}
