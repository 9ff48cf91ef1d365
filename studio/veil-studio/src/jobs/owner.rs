//! Who works on jobs, and whether they live: each holds a lock on a file of its own, which the system takes from whoever dies.
//!
//! Owns: names and locks. Refuses to know: jobs. Invariant: a lock that can be taken is nobody's; no clock decides who is dead.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use super::JobError;

/// The folder of the locks, below that of the jobs.
pub(super) const FOLDER: &str = "owners";

/// A name under which jobs are worked on, unique to this start.
#[derive(Debug)]
pub(super) struct Owner {
    name: String,
    file: PathBuf,
    _lock: File,
}

impl Owner {
    /// Draws a name, and holds its lock.
    pub(super) fn new(jobs: &Path) -> Result<Self, JobError> {
        let mut drawn = [0; 8];
        let failed = |source| JobError::file("cannot lock", jobs.join(FOLDER))(source);
        getrandom::fill(&mut drawn).map_err(|error| failed(std::io::Error::other(error)))?;
        let drawn: String = drawn.iter().map(|byte| format!("{byte:02x}")).collect();
        let name = format!("{}-{drawn}", std::process::id());
        let file = jobs.join(FOLDER).join(&name);
        // Nobody sees it without its lock, and takes it for a dead one's.
        let beside = file.with_extension("part");
        let lock = File::create_new(&beside).map_err(failed)?;
        lock.lock().and_then(|()| fs::rename(&beside, &file)).map_err(failed)?;
        Ok(Self { name, file, _lock: lock })
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.file);
    }
}

/// Whether an owner is dead. The files of dead ones are removed.
pub(super) fn is_dead(jobs: &Path, name: &str) -> bool {
    let path = jobs.join(FOLDER).join(name);
    let Ok(file) = File::open(&path) else { return true };
    match file.try_lock_shared() {
        Ok(()) => {
            let _ = fs::remove_file(&path);
            true
        }
        Err(TryLockError::WouldBlock) => false,
        // What can't be told is taken for life: a job that runs twice is worse than one that waits.
        Err(TryLockError::Error(_)) => false,
    }
}

/// The names of all owners whose files are there.
pub(super) fn names(jobs: &Path) -> Vec<String> {
    let entries = fs::read_dir(jobs.join(FOLDER)).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    names.filter(|name| !name.ends_with(".part")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_lives_holds_a_lock() {
        let jobs = tempfile::tempdir().unwrap();
        fs::create_dir(jobs.path().join(FOLDER)).unwrap();
        let (one, other) = (Owner::new(jobs.path()).unwrap(), Owner::new(jobs.path()).unwrap());
        assert!(!is_dead(jobs.path(), one.name()) && one.name() != other.name());
        fs::write(jobs.path().join(FOLDER).join("killed"), "").unwrap();
        assert!(is_dead(jobs.path(), "killed") && is_dead(jobs.path(), "never-was"));
        drop(one);
        assert_eq!(names(jobs.path()), [other.name()]);
    }
}
