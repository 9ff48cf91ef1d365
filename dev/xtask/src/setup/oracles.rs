//! Oracles from PyPI: the programs of others that tests of the formats ask (`veil_testkit::oracle`).
//!
//! Those from npm come with the other npm packages.

use std::fs;
use std::path::Path;

use veil_testkit::PYTHON_ORACLES;

use super::python;
use crate::console::note;
use crate::failure::{During, Outcome};
use crate::repo::{Repo, output_of};

/// The pinned packages, relative to the root.
const REQUIREMENTS: &str = "dev/xtask/oracle-requirements.txt";

/// Copy of the requirements inside the environment that was made of them.
const STAMP: &str = "requirements.txt";

/// What the oracles import.
const IMPORTS: &str = "import boto3, cryptography.cobblestone, cryptography_vectors";

/// Installs the oracles unless those that are here are the pinned ones and still run.
pub(super) fn install(repo: &Repo) -> Outcome {
    let venv = repo.target.join("tools").join(PYTHON_ORACLES);
    install_into(repo, &venv, REQUIREMENTS, IMPORTS)
}

/// Makes the environment `venv` of the packages of the file `requirements` (relative to the root), unless it is there and does what
/// `imports` asks of it.
pub(super) fn install_into(repo: &Repo, venv: &Path, requirements: &str, imports: &str) -> Outcome {
    let path = repo.root.join(requirements);
    let wanted = fs::read_to_string(&path).during(format_args!("reading {requirements}"))?;
    if is_made_of(venv, &wanted) && runs(repo, venv, imports) {
        return Ok(());
    }
    note(format_args!("packages from PyPI into {}", venv.display()));
    python::environment(repo, venv, requirements)?;
    fs::write(venv.join(STAMP), wanted).during(format_args!("writing into {}", venv.display()))
}

fn is_made_of(venv: &Path, requirements: &str) -> bool {
    fs::read_to_string(venv.join(STAMP)).is_ok_and(|made_of| made_of == requirements)
}

/// An environment stops to run when the Python that made it is upgraded or gone.
fn runs(repo: &Repo, venv: &Path, imports: &str) -> bool {
    let mut python = repo.command(venv.join("bin/python"));
    output_of(python.args(["-I", "-c", imports])).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn oracles_are_made_anew_when_their_requirements_change() {
        let dir = tempfile::tempdir().unwrap();
        assert!(!is_made_of(dir.path(), "a==1"));
        fs::write(dir.path().join(STAMP), "a==1").unwrap();
        assert!(is_made_of(dir.path(), "a==1"));
        assert!(!is_made_of(dir.path(), "a==2"));
    }

    #[test]
    fn every_pinned_package_has_hashes() {
        let text = fs::read_to_string(veil_testkit::workspace_root().join(REQUIREMENTS)).unwrap();
        let packages: Vec<&str> = text.lines().filter(|line| line.contains("==")).collect();
        assert_eq!(packages.len(), 11);
        for package in text.split("\n\n").filter(|part| part.contains("==")) {
            assert!(package.contains("--hash=sha256:"), "{package}");
        }
    }
}
