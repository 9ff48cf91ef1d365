//! `cargo xtask setup`: brings a fresh Debian machine to where everything builds and runs.
//!
//! It names each thing before it installs it, touches nothing outside the repository but by `apt-get` as root, and does
//! nothing where nothing is missing. The programs it needs are in [`tools`], Debian's part in [`debian`], Node's
//! packages and the web build in [`web`], what tests compare with in [`oracles`], the full run's store in [`garage`].

use std::path::PathBuf;
use std::time::Instant;

use crate::console::{duration, heading, note};
use crate::failure::{Outcome, fail};
use crate::repo::Repo;

mod debian;
pub(crate) mod garage;
mod node;
mod oracles;
mod python;
mod tools;
mod web;

/// Installs what is missing, oracles of the tests among it, and builds the web page.
pub(crate) fn run(repo: &Repo) -> Outcome {
    let start = Instant::now();
    heading("set-up");
    install_tools(repo)?;
    web::packages(repo)?;
    web::build(repo)?;
    oracles::install(repo)?;
    note(format_args!("everything is there ({})", duration(start.elapsed())));
    Ok(())
}

/// Installs Debian's packages for those of `programs` (program, package) that are missing.
pub(crate) fn packages(repo: &Repo, programs: &[(&str, &'static str)]) -> Outcome {
    let missing = programs.iter().filter(|(program, _)| repo.find(program).is_none());
    let missing: Vec<&str> = missing.map(|(_, package)| *package).collect();
    if missing.is_empty() {
        return Ok(());
    }
    note(format_args!("missing: {}", missing.join(", ")));
    debian::install_packages(repo, &missing)
}

/// Makes a Python environment of the packages of the file `requirements` and of no others, unless it is there and does what `imports` asks of
/// it; returns its Python.
pub(crate) fn environment_of(
    repo: &Repo,
    name: &str,
    requirements: &str,
    imports: &str,
) -> Outcome<PathBuf> {
    let venv = repo.target.join("tools").join(name);
    oracles::install_into(repo, &venv, requirements, imports)?;
    Ok(venv.join("bin/python"))
}

fn install_tools(repo: &Repo) -> Outcome {
    tools::rust_components(repo)?;
    let missing = tools::missing(repo);
    if missing.is_empty() {
        return Ok(());
    }
    for tool in &missing {
        note(format_args!("missing: {tool}"));
    }
    debian::install(repo, &missing)?;
    let left = tools::missing(repo);
    match left.first() {
        None => Ok(()),
        Some(tool) => Err(fail(format!("after the installation there is still no {tool}"))
            .hint("install it by hand, and see that it comes first in PATH")),
    }
}
