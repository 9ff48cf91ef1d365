//! What is hidden in media: other media, under the names that people know them by.
//!
//! Owns: folders of links to the library's files, since what is hidden keeps its name and the library's files have none. A folder is removed when
//! its job is done or forgotten; that of a job that failed stays, so that it can be tried again, until no job is kept that long.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use veil_studio::data::DataDir;
use veil_studio::jobs::JobId;
use veil_studio::jobs::limits::HISTORY_AGE;
use veil_studio::library::clean_name;

use crate::problem::Problem;
use crate::random;

/// Where the folders lie.
const FOLDER: &str = "payloads";

/// The folders of jobs that are not done, of those that this process submitted.
#[derive(Default)]
pub(crate) struct Payloads(Mutex<HashMap<JobId, PathBuf>>);

impl Payloads {
    /// Notes a job's folder.
    pub(crate) fn note(&self, job: JobId, folder: PathBuf) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(job, folder);
    }

    /// Removes the folder of a job that needs it no more.
    pub(crate) fn done(&self, job: JobId) {
        let folder = self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&job);
        if let Some(folder) = folder {
            remove(&folder);
        }
    }
}

/// Removes a folder; what can't be removed now is swept later.
pub(crate) fn remove(folder: &Path) {
    let _ = fs::remove_dir_all(folder);
}

/// Puts links to files, each by its name, into a folder of their own.
pub(crate) fn folder(
    data: &DataDir,
    files: &[(String, PathBuf)],
    now: Timestamp,
) -> Result<Vec<PathBuf>, Problem> {
    sweep(data, now);
    if files.is_empty() {
        return Ok(Vec::new());
    }
    let folder = data.root().join(FOLDER).join(random::id()?);
    let failed = |error: std::io::Error| Problem::io(&error, "the files can't be linked".into());
    fs::create_dir_all(&folder).map_err(failed)?;
    let mut taken = BTreeSet::new();
    let mut paths = Vec::new();
    for (at, (name, file)) in files.iter().enumerate() {
        let mut name = clean_name(name);
        if !taken.insert(name.clone()) {
            name = format!("{at}-{name}");
        }
        let path = folder.join(&name);
        fs::hard_link(file, &path).map_err(failed)?;
        paths.push(path);
    }
    Ok(paths)
}

/// Removes folders that no job is kept long enough to need.
fn sweep(data: &DataDir, now: Timestamp) {
    let entries = fs::read_dir(data.root().join(FOLDER)).into_iter().flatten().flatten();
    for entry in entries {
        if is_old(&entry.path(), now) {
            remove(&entry.path());
        }
    }
}

fn is_old(folder: &Path, now: Timestamp) -> bool {
    let made = folder.metadata().and_then(|metadata| metadata.modified()).ok();
    let made = made.and_then(|made| Timestamp::try_from(made).ok());
    let age = made.map(|made| Duration::try_from(now.duration_since(made)).unwrap_or_default());
    age.is_some_and(|age| age > HISTORY_AGE)
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    #[test]
    fn files_keep_their_names_apart_and_are_swept_when_no_job_needs_them() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataDir::open(folder.path()).unwrap();
        let file = data.media().join("x");
        fs::write(&file, "x").unwrap();
        let files = [("../a.txt".to_owned(), file.clone()), ("a.txt".to_owned(), file.clone())];
        let paths = super::folder(&data, &files, Timestamp::now()).unwrap();
        let names: Vec<_> =
            paths.iter().map(|path| path.file_name().unwrap().to_str().unwrap()).collect();
        assert_eq!(names, ["a.txt", "1-a.txt"]);
        sweep(&data, Timestamp::now());
        assert!(paths[0].exists());
        sweep(&data, Timestamp::now() + SignedDuration::from_hours(31 * 24));
        assert!(!paths[0].exists());
        let payloads = Payloads::default();
        assert!(super::folder(&data, &[], Timestamp::now()).unwrap().is_empty());
        let again = super::folder(&data, &files[..1], Timestamp::now()).unwrap();
        payloads.note(JobId(1), again[0].parent().unwrap().to_owned());
        payloads.done(JobId(2));
        assert!(again[0].exists());
        payloads.done(JobId(1));
        assert!(!again[0].exists());
    }
}
