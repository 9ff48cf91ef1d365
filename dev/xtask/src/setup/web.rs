//! npm packages and the web build: made when something changed since, and only then.
//!
//! The watch page is embedded into the gateway and the studio's page into the studio, so they have to be there before Rust is built.

use std::collections::BTreeMap;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use serde_json::Value;
use veil_testkit::files_below;

use crate::console::note;
use crate::failure::{During, Outcome, fail};
use crate::repo::{Repo, output_of, run};

/// What the packages were installed from, and what npm writes down about it.
const LOCK: &str = "package-lock.json";
const INSTALLED: &str = "node_modules/.package-lock.json";

/// What the web build reads, and what it writes.
const SOURCES: [&str; 4] = ["apps/web", "player", "package.json", LOCK];
const OUTPUTS: [&str; 2] = ["apps/web/dist", "apps/web/dist-studio"];

/// Installs npm packages by `npm ci` unless what is installed is what the lock file asks for.
pub(super) fn packages(repo: &Repo) -> Outcome {
    if !repo.root.join(LOCK).is_file() {
        return Err(fail(format!("{LOCK} is missing"))
            .hint("it is part of the repository: restore it by `git checkout package-lock.json`"));
    }
    if is_installed(&repo.root) {
        return Ok(());
    }
    note("npm ci");
    run(&mut repo.npm(["ci", "--no-audit", "--no-fund"]))
}

/// Builds the web pages unless neither its sources nor what was built have changed since the last time.
pub(super) fn build(repo: &Repo) -> Outcome {
    let stamp = repo.target.join("tools/web-build.stamp");
    let done = fs::read_to_string(&stamp).ok();
    if done.is_some() && done == fingerprint(repo)? {
        return Ok(());
    }
    note("npm run build");
    run(&mut repo.npm(["run", "--silent", "build"]))?;
    let built = fingerprint(repo)?
        .ok_or_else(|| fail(format!("`npm run build` left nothing in {}", OUTPUTS.join(" or "))))?;
    fs::create_dir_all(repo.target.join("tools")).during("making target/tools")?;
    fs::write(&stamp, built).during(format_args!("writing {}", stamp.display()))
}

fn is_installed(root: &Path) -> bool {
    let modified = |name: &str| fs::metadata(root.join(name)).and_then(|data| data.modified()).ok();
    modified(INSTALLED) >= modified(LOCK)
        && installed_as_locked(root).is_some_and(|installed| installed)
}

fn installed_as_locked(root: &Path) -> Option<bool> {
    let read = |name: &str| serde_json::from_slice::<Value>(&fs::read(root.join(name)).ok()?).ok();
    Some(agree(read(LOCK)?["packages"].as_object()?, read(INSTALLED)?["packages"].as_object()?))
}

/// Every installed package is as locked, and every locked one is installed, unless it is optional (made for
/// another processor or system).
fn agree(
    locked: &serde_json::Map<String, Value>,
    installed: &serde_json::Map<String, Value>,
) -> bool {
    let same = |left: &Value, right: &Value| {
        ["version", "integrity", "resolved"].iter().all(|key| left[key] == right[key])
    };
    let may_lack = |package: &Value| package["optional"] == true || package["devOptional"] == true;
    installed.iter().all(|(name, is)| locked.get(name).is_some_and(|wanted| same(wanted, is)))
        && locked
            .iter()
            .filter(|(name, _)| !name.is_empty())
            .all(|(name, wanted)| installed.contains_key(name) || may_lack(wanted))
}

/// Sums up sources and outputs in a line; `None` when an output is missing. The sum guards against forgetting, not against
/// an attacker, so the standard library's hash will do.
fn fingerprint(repo: &Repo) -> Outcome<Option<String>> {
    let mut built = Vec::new();
    for output in OUTPUTS {
        let files =
            files_below(&repo.root.join(output)).during(format_args!("reading {output}"))?;
        if files.is_empty() {
            return Ok(None);
        }
        built.extend(files);
    }
    let mut git = repo.command("git");
    git.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--"]).args(SOURCES);
    let sources = output_of(&mut git)?;
    let sources = sources.split_terminator('\0').map(|name| repo.root.join(name));
    Ok(Some(format!("{:016x} {:016x}\n", sum(sources), sum(built.into_iter()))))
}

fn sum(paths: impl Iterator<Item = PathBuf>) -> u64 {
    let contents: BTreeMap<PathBuf, Option<Vec<u8>>> =
        paths.map(|path| (path.clone(), fs::read(path).ok())).collect();
    let mut hasher = DefaultHasher::new();
    contents.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(locked: Value, installed: Value, expected: bool) {
        let is = agree(locked.as_object().unwrap(), installed.as_object().unwrap());
        assert_eq!(is, expected, "{locked} {installed}");
    }

    #[test]
    fn packages_are_installed_when_each_is_as_locked() {
        let vite = json!({"version": "8.3.8", "integrity": "sha512-a"});
        let mac = json!({"version": "1.0.0", "optional": true});
        let locked =
            json!({"": {"name": "veilcast"}, "node_modules/vite": vite, "node_modules/mac": mac});
        check(locked.clone(), json!({"node_modules/vite": vite}), true);
        check(locked.clone(), json!({}), false);
        let other = json!({"version": "8.3.8", "integrity": "sha512-b"});
        check(locked.clone(), json!({"node_modules/vite": other}), false);
        check(locked, json!({"node_modules/vite": vite, "node_modules/stray": vite}), false);
    }

    #[test]
    fn a_lock_file_that_is_newer_means_that_something_changed() {
        let dir = tempfile::tempdir().unwrap();
        let text = r#"{"packages": {"node_modules/a": {"version": "1.0.0"}}}"#;
        fs::create_dir(dir.path().join("node_modules")).unwrap();
        fs::write(dir.path().join(LOCK), text).unwrap();
        assert!(!is_installed(dir.path()));
        fs::write(dir.path().join(INSTALLED), text).unwrap();
        assert!(is_installed(dir.path()));
        let lock = fs::File::options().write(true).open(dir.path().join(LOCK)).unwrap();
        let later = std::time::SystemTime::now() + std::time::Duration::from_secs(60);
        lock.set_modified(later).unwrap();
        assert!(!is_installed(dir.path()));
    }

    #[test]
    fn the_sum_changes_with_a_name_and_with_a_byte() {
        let dir = tempfile::tempdir().unwrap();
        let total = || sum(files_below(dir.path()).unwrap().into_iter());
        fs::write(dir.path().join("a"), "1").unwrap();
        let first = total();
        fs::write(dir.path().join("a"), "2").unwrap();
        let second = total();
        fs::rename(dir.path().join("a"), dir.path().join("b")).unwrap();
        assert!(first != second && second != total());
    }
}
