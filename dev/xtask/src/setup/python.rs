//! Environments of Python packages inside `target/tools`, from requirements that are pinned by hash.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::failure::Outcome;
use crate::repo::{Repo, run};

/// Tells whether this machine's Python can make an environment with pip in it.
pub(super) fn makes_environments() -> bool {
    let mut python = Command::new("python3");
    python.args(["-c", "import venv, ensurepip"]).stderr(Stdio::null());
    python.status().is_ok_and(|status| status.success())
}

/// Makes the environment `venv` anew with the packages of the file `requirements` (relative to the root), and none that they
/// ask for besides.
pub(super) fn environment(repo: &Repo, venv: &Path, requirements: &str) -> Outcome {
    run(repo.command("python3").args(["-m", "venv", "--clear"]).arg(venv))?;
    let mut pip = repo.command(venv.join("bin/python"));
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"]);
    run(pip.args(["--require-hashes", "--no-deps", "--only-binary", ":all:", "-r", requirements]))
}
