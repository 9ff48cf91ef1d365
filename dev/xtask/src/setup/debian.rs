//! Debian packages: what to ask `apt-get` for, and asking it as root or saying how to.
//!
//! Debian 12 has Node.js 18, too old for the web build. Where the archive's is too old, Node.js comes from PyPI into the
//! repository's `target` instead (see [`node`]).

use std::process::Command;

use super::node;
use super::tools::{NODE, NODE_LEAST, Tool, first_version};
use crate::console::note;
use crate::failure::{Outcome, fail};
use crate::repo::{Repo, output_of, run};

/// Waits for another apt-get to finish instead of failing: seconds.
const LOCK_TIMEOUT: &str = "DPkg::Lock::Timeout=600";

/// Installs `missing`, or says how to when we are not root.
pub(super) fn install(repo: &Repo, missing: &[Tool]) -> Outcome {
    update(repo)?;
    let plan = plan(missing, archive_has_node(repo));
    if !plan.packages.is_empty() {
        ask(repo, &plan.packages)?;
    }
    if plan.node_from_pypi { node::install(repo) } else { Ok(()) }
}

/// Installs packages by name, or says how to when we are not root.
pub(super) fn install_packages(repo: &Repo, packages: &[&str]) -> Outcome {
    update(repo)?;
    ask(repo, packages)
}

/// Asks the archive what there is, as root; others have to do with what is known.
fn update(repo: &Repo) -> Outcome {
    if repo.find("apt-get").is_none() {
        return Err(fail("this machine has no apt-get, so set-up can't install what is missing")
            .hint("install the things named above by your system's own means"));
    }
    if !rustix::process::geteuid().is_root() {
        return Ok(());
    }
    note("apt-get update");
    run(&mut apt_get(repo, &["update", "-qq"]))
}

fn ask(repo: &Repo, packages: &[&str]) -> Outcome {
    if !rustix::process::geteuid().is_root() {
        return Err(not_root(packages));
    }
    note(format_args!("apt-get install {}", packages.join(" ")));
    let mut words = vec!["install", "-y", "-qq", "--no-install-recommends"];
    words.extend(packages);
    run(&mut apt_get(repo, &words))
}

/// What is to be installed.
#[derive(Debug, PartialEq, Eq)]
struct Plan {
    packages: Vec<&'static str>,
    node_from_pypi: bool,
}

fn plan(missing: &[Tool], archive_has_node: bool) -> Plan {
    let is_node = |tool: &Tool| tool.package == "nodejs" || tool.package == "npm";
    let node_from_pypi = !archive_has_node && missing.iter().any(|tool| tool.name == NODE);
    let mut packages: Vec<&str> = missing
        .iter()
        .filter(|tool| !(node_from_pypi && is_node(tool)))
        .flat_map(|tool| tool.package.split(' '))
        .collect();
    packages.sort_unstable();
    packages.dedup();
    Plan { packages, node_from_pypi }
}

fn archive_has_node(repo: &Repo) -> bool {
    let policy = output_of(repo.command("apt-cache").args(["policy", "nodejs"]).env("LC_ALL", "C"));
    policy.is_ok_and(|text| candidate_is_recent(&text))
}

fn candidate_is_recent(policy: &str) -> bool {
    let candidate = policy.lines().find_map(|line| line.trim().strip_prefix("Candidate:"));
    candidate.and_then(first_version).is_some_and(|found| found >= NODE_LEAST)
}

fn apt_get(repo: &Repo, words: &[&str]) -> Command {
    let mut command = repo.command("apt-get");
    command.args(["-o", LOCK_TIMEOUT]).args(words).env("DEBIAN_FRONTEND", "noninteractive");
    command
}

fn not_root(packages: &[&str]) -> crate::failure::Failure {
    let install = format!("apt-get install -y --no-install-recommends {}", packages.join(" "));
    fail("set-up needs root to install what is missing")
        .hint(format!("run this, then set-up again:\n  sudo sh -c 'apt-get update && {install}'"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setup::tools;

    fn all_missing() -> Vec<Tool> {
        tools::every().collect()
    }

    #[test]
    fn a_package_that_serves_two_tools_is_named_once() {
        let plan = plan(&all_missing(), true);
        let wanted = [
            "chromium",
            "espeak-ng",
            "ffmpeg",
            "fonts-noto-cjk",
            "fonts-noto-color-emoji",
            "fonts-noto-core",
            "gcc",
            "git",
            "libc6-dev",
            "make",
            "nodejs",
            "npm",
            "python3-venv",
        ];
        assert_eq!(plan, Plan { packages: wanted.to_vec(), node_from_pypi: false });
    }

    #[test]
    fn an_archive_with_an_old_node_gives_neither_node_nor_npm() {
        let plan = plan(&all_missing(), false);
        assert!(plan.node_from_pypi);
        assert!(!plan.packages.iter().any(|name| ["nodejs", "npm"].contains(name)), "{plan:?}");
    }

    #[test]
    fn node_is_left_alone_when_only_something_else_is_missing() {
        let ffmpeg: Vec<_> =
            all_missing().into_iter().filter(|tool| tool.package == "ffmpeg").collect();
        assert_eq!(plan(&ffmpeg, false), Plan { packages: vec!["ffmpeg"], node_from_pypi: false });
    }

    #[test]
    fn the_candidate_decides_and_not_what_is_installed() {
        let policy = |candidate: &str| {
            format!("nodejs:\n  Installed: 20.20.2\n  Candidate: {candidate}\n  Version table:\n")
        };
        assert!(candidate_is_recent(&policy("20.19.2+dfsg-1")));
        assert!(!candidate_is_recent(&policy("18.20.4+dfsg-1~deb12u2")));
        assert!(!candidate_is_recent(&policy("(none)")));
        assert!(!candidate_is_recent(""));
    }

    #[test]
    fn without_root_the_one_command_is_printed() {
        let text = not_root(&["chromium", "ffmpeg"]).to_string();
        assert!(text.contains("sudo sh -c 'apt-get update && apt-get install -y"), "{text}");
        assert!(text.ends_with("chromium ffmpeg'"), "{text}");
    }
}
