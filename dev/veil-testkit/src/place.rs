//! Where things are: the workspace, the build's output folder, the test kit's cache and its locks.
//!
//! Everything is found from the package that cargo runs or from the running executable; nothing is read from the
//! current directory, which a test may change.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

/// Returns the root folder of the workspace.
///
/// Cargo says at run time which package it runs. What it said at build time is only the second choice: a `target` folder
/// that was copied or moved along with its checkout holds programs that remember the old place.
///
/// # Panics
///
/// When there is no `Cargo.lock` above the package.
#[must_use]
pub fn workspace_root() -> PathBuf {
    let package = std::env::var_os("CARGO_MANIFEST_DIR");
    let package = package.map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
    let root = package.ancestors().find(|dir| dir.join("Cargo.lock").is_file());
    root.expect("a package of the workspace lies below Cargo.lock").to_owned()
}

/// Returns the folder that holds the built programs of the running profile, such as `target/debug`.
///
/// # Panics
///
/// When the running executable has no path, which Linux always gives.
#[must_use]
pub fn profile_dir() -> PathBuf {
    let executable = std::env::current_exe().expect("this program knows where it lies");
    let mut dir = executable.parent().expect("a program lies in a folder").to_owned();
    if dir.ends_with("deps") || dir.ends_with("examples") {
        dir.pop();
    }
    dir
}

/// Returns the folder of tools that `cargo xtask setup` keeps inside `target`.
#[must_use]
pub fn tools_dir() -> PathBuf {
    profile_dir().with_file_name("tools")
}

/// Returns the folder in which clips and locks are kept between runs; it is below `target`.
///
/// # Errors
///
/// When the folder can't be made.
pub fn cache_dir() -> io::Result<PathBuf> {
    let dir = profile_dir().with_file_name("tmp").join("veil-testkit");
    fs::create_dir_all(&dir)?;
    Ok(dir)
}

/// Returns every file below `dir`, in no order; none where there is no such folder.
///
/// # Errors
///
/// When a folder can't be read.
pub fn files_below(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(dir) {
        // It may go in the moment before, when a program under test sweeps.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() { files.extend(files_below(&path)?) } else { files.push(path) }
    }
    Ok(files)
}

/// Runs `work` while no other test process holds the lock of the same name.
///
/// # Errors
///
/// When the lock file can't be made or locked, or whatever `work` returns.
pub fn locked<T>(name: &str, work: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    let file = File::create(cache_dir()?.join(format!("{name}.lock")))?;
    file.lock()?;
    work()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_workspace_root_holds_the_lock_file() {
        assert!(workspace_root().join("Cargo.lock").is_file());
    }

    #[test]
    fn the_profile_folder_is_the_one_that_this_test_was_built_into() {
        let executable = std::env::current_exe().unwrap();
        assert!(executable.starts_with(profile_dir()));
        assert!(!profile_dir().ends_with("deps"));
    }

    #[test]
    fn files_are_found_in_folders_of_folders_and_none_where_nothing_is() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("a/b")).unwrap();
        for name in ["top", "a/middle", "a/b/deep"] {
            fs::write(dir.path().join(name), "").unwrap();
        }
        let mut files = files_below(dir.path()).unwrap();
        files.sort();
        assert_eq!(files, ["a/b/deep", "a/middle", "top"].map(|name| dir.path().join(name)));
        assert!(files_below(&dir.path().join("absent")).unwrap().is_empty());
        assert!(files_below(&dir.path().join("top")).is_err());
    }

    #[test]
    fn a_lock_is_free_again_when_its_work_is_done() {
        for round in 0..2 {
            let got = locked("place-test", || Ok(round)).unwrap();
            assert_eq!(got, round);
        }
    }
}
