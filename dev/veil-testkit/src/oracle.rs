//! Oracles: other people's programs that answer what ours must say, and the vectors that their crates ship with.
//!
//! An oracle is a script that is given the path of a JSON request and prints a JSON answer. `cargo xtask setup` installs
//! what the scripts import: Python packages below `target`, npm packages in `node_modules`. One that is missing
//! fails the test by name; nothing is left out in silence.

use std::io::{self, Error, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::place::{tools_dir, workspace_root};
use crate::spawn::run;

/// Longest that an oracle may take, on a machine that does other things as well.
const ORACLE_LIMIT: Duration = Duration::from_secs(120);

/// Longest that cargo may take to say what is in the lock file, with packages to load.
const METADATA_LIMIT: Duration = Duration::from_secs(300);

/// The Python environment of oracles, below the folder of tools.
pub const PYTHON_ORACLES: &str = "oracles";

/// Runs the oracle `script` (`.py` or `.mjs`) on `request` and returns its answer.
///
/// # Panics
///
/// When it is not installed, fails, or answers no JSON.
#[must_use]
#[expect(clippy::panic, reason = "a test without its oracle has failed")]
pub fn oracle(script: &Path, request: &Value) -> Value {
    ask(script, request).unwrap_or_else(|error| panic!("the oracle {}: {error}", script.display()))
}

fn ask(script: &Path, request: &Value) -> io::Result<Value> {
    let mut file = tempfile::NamedTempFile::new()?;
    serde_json::to_writer(&mut file, request)?;
    file.flush()?;
    let mut command = interpreter(script)?;
    let done = run(command.arg(script).arg(file.path()), ORACLE_LIMIT)?.success()?;
    Ok(serde_json::from_slice(&done.stdout)?)
}

fn interpreter(script: &Path) -> io::Result<Command> {
    if script.extension().is_some_and(|end| end == "py") {
        let python = tools_dir().join(PYTHON_ORACLES).join("bin/python");
        installed(&python)?;
        let mut command = Command::new(python);
        command.arg("-I");
        return Ok(command);
    }
    installed(&workspace_root().join("node_modules"))?;
    let ours = tools_dir().join("bin/node");
    Ok(Command::new(if ours.is_file() { ours } else { "node".into() }))
}

fn installed(path: &Path) -> io::Result<()> {
    if path.exists() {
        return Ok(());
    }
    let what = format!("{} is not there: `cargo xtask setup` installs it", path.display());
    Err(Error::new(io::ErrorKind::NotFound, what))
}

/// Returns the folder of the one version of the crate `name` in the lock file, with whatever it was published with.
///
/// # Panics
///
/// When the workspace has no such dependency, or two versions of it.
#[must_use]
#[expect(clippy::panic, reason = "a test without its vectors has failed")]
pub fn dependency_dir(name: &str) -> PathBuf {
    find(name).unwrap_or_else(|error| panic!("the dependency {name}: {error}"))
}

fn find(name: &str) -> io::Result<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["metadata", "--locked", "--format-version", "1"]).current_dir(workspace_root());
    let said = run(&mut command, METADATA_LIMIT)?.success()?;
    let metadata: Value = serde_json::from_slice(&said.stdout)?;
    let packages = metadata["packages"].as_array().into_iter().flatten();
    let named: Vec<&Value> = packages.filter(|package| package["name"] == name).collect();
    let [package] = named[..] else {
        return Err(Error::other(format!("{} versions in the lock file", named.len())));
    };
    let manifest = package["manifest_path"].as_str().map(Path::new);
    let dir = manifest.and_then(Path::parent).ok_or_else(|| Error::other("it lies nowhere"))?;
    Ok(dir.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_oracle_that_fails_is_named_with_what_it_wrote() {
        let dir = tempfile::tempdir().unwrap();
        let script = dir.path().join("broken.py");
        std::fs::write(&script, "raise SystemExit('no such curve')").unwrap();
        let error = ask(&script, &Value::Null).unwrap_err().to_string();
        assert!(error.contains("no such curve"), "{error}");
    }

    #[test]
    fn what_is_not_installed_is_named_with_the_way_to_it() {
        let error = installed(Path::new("/no/such/python")).unwrap_err().to_string();
        assert_eq!(error, "/no/such/python is not there: `cargo xtask setup` installs it");
    }

    #[test]
    fn a_dependency_lies_where_cargo_keeps_it() {
        let dir = dependency_dir("serde_json");
        assert!(dir.join("Cargo.toml").is_file());
        assert!(find("no-such-crate").unwrap_err().to_string().starts_with("0 versions"));
    }
}
