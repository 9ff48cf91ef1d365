//! Garage, the strict S3 store of the full run: built once and kept by its version below `target/tools`.

use std::path::PathBuf;

use crate::console::note;
use crate::failure::Outcome;
use crate::repo::{Repo, run};

/// The version that the tests know.
const VERSION: &str = "2.5.0";

/// Where its program lies, built or not.
pub(crate) fn program(repo: &Repo) -> PathBuf {
    repo.target.join("tools").join(format!("garage-{VERSION}")).join("bin/garage")
}

/// Builds it, unless this version is there.
pub(crate) fn install(repo: &Repo) -> Outcome {
    let program = program(repo);
    if program.is_file() {
        return Ok(());
    }
    note(format_args!("building Garage {VERSION}: about 10 minutes, once"));
    let mut command = repo.cargo(["install", "garage", "--locked", "--version", VERSION]);
    command.args(["--no-default-features", "--features", "bundled-libs,sqlite,lmdb", "--root"]);
    command.arg(program.parent().and_then(|bin| bin.parent()).unwrap_or(&repo.target));
    run(&mut command)
}
