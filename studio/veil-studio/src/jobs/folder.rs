//! A job's folder: where an attempt works, and where what it made lies when it is whole.
//!
//! ```text
//! <data>/jobs/<id>/attempt-2.part/   what the second attempt works on
//! <data>/jobs/<id>/attempt-2/        what it made: whole, and on the disk
//! <data>/jobs/<id>/message.sealed    what is to be hidden, until that is done
//! <data>/jobs/<id>/log
//! ```
//!
//! Owns: that order. Refuses to know: the table, which says what counts. Invariant: a folder without `.part` is whole.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use super::job::OutputFile;
use super::limits::OUTPUTS_MAX;
use super::{JobError, JobId};

/// The folder of one job.
#[derive(Clone, Debug)]
pub(super) struct Folder(PathBuf);

impl Folder {
    /// The folder of a job below the folder of all.
    pub(super) fn of(jobs: &Path, id: JobId) -> Self {
        Self(jobs.join(id.to_string()))
    }

    pub(super) fn log(&self) -> PathBuf {
        self.0.join("log")
    }

    /// Where a sealed message lies.
    pub(super) fn message(&self) -> PathBuf {
        self.0.join("message.sealed")
    }

    /// Deletes the message; where there is none, nothing is to be done.
    pub(super) fn clear_message(&self) {
        let _ = fs::remove_file(self.message());
    }

    /// Makes the folder, unless it is there.
    pub(super) fn made(&self) -> Result<&Self, JobError> {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&self.0);
        made.map_err(JobError::file("cannot make", &self.0))?;
        Ok(self)
    }

    /// What an attempt has made.
    pub(super) fn whole(&self, attempt: i64) -> PathBuf {
        self.0.join(format!("attempt-{attempt}"))
    }

    fn part(&self, attempt: i64) -> PathBuf {
        self.0.join(format!("attempt-{attempt}.part"))
    }

    /// Makes the folder, and an empty one for an attempt. Whatever other attempts left goes.
    pub(super) fn begin(&self, attempt: i64) -> Result<PathBuf, JobError> {
        self.made()?;
        let failed = |source| JobError::file("cannot make", &self.0)(source);
        for entry in fs::read_dir(&self.0).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            if path.is_dir() {
                fs::remove_dir_all(&path).map_err(JobError::file("cannot remove", &path))?;
            }
        }
        let part = self.part(attempt);
        DirBuilder::new().mode(0o700).create(&part).map_err(failed)?;
        Ok(part)
    }

    /// Makes what an attempt made durable, and puts it in its place.
    pub(super) fn finish(&self, attempt: i64) -> Result<(), JobError> {
        let (part, whole) = (self.part(attempt), self.whole(attempt));
        let finished = sync(&part).and_then(|()| {
            fs::rename(&part, &whole)?;
            File::open(&self.0)?.sync_all()
        });
        finished.map_err(JobError::file("cannot keep", whole))
    }

    /// Removes what an attempt works on, and what it made unless that is to stay.
    pub(super) fn discard(&self, attempt: i64) {
        // What can't be removed now is removed by the next attempt, or with the job.
        let _ = fs::remove_dir_all(self.part(attempt));
        let _ = fs::remove_dir_all(self.whole(attempt));
    }

    /// Removes all of it.
    pub(super) fn remove(&self) {
        let _ = fs::remove_dir_all(&self.0);
    }

    /// The files that an attempt made, with their sizes, in the order of their names.
    pub(super) fn outputs(&self, attempt: i64) -> Result<Vec<OutputFile>, JobError> {
        let whole = self.whole(attempt);
        let mut files = Vec::new();
        walk(&whole, &whole, &mut files).map_err(JobError::file("cannot read", &whole))?;
        files.sort_by(|one, other| one.name.cmp(&other.name));
        files.truncate(OUTPUTS_MAX);
        Ok(files)
    }
}

/// Writes a folder, and all in it, to the disk.
fn sync(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        match entry.file_type()? {
            kind if kind.is_dir() => sync(&entry.path())?,
            kind if kind.is_file() => File::open(entry.path())?.sync_all()?,
            _ => {}
        }
    }
    File::open(folder)?.sync_all()
}

fn walk(root: &Path, folder: &Path, files: &mut Vec<OutputFile>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        let kind = entry.file_type()?;
        if kind.is_dir() {
            walk(root, &path, files)?;
        } else if kind.is_file()
            && let Some(name) = path.strip_prefix(root).ok().and_then(Path::to_str)
        {
            files.push(OutputFile { name: name.to_owned(), bytes: entry.metadata()?.len() });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_attempt_made_is_whole_or_not_there() {
        let jobs = tempfile::tempdir().unwrap();
        let folder = Folder::of(jobs.path(), JobId(7));
        let part = folder.begin(1).unwrap();
        fs::write(part.join("half"), "x").unwrap();
        let part = folder.begin(2).unwrap();
        fs::create_dir(part.join("sub")).unwrap();
        fs::write(part.join("sub/b"), "four").unwrap();
        fs::write(part.join("a"), "").unwrap();
        assert!(!folder.part(1).exists() && !folder.whole(2).exists());
        folder.finish(2).unwrap();
        let names: Vec<(String, u64)> =
            folder.outputs(2).unwrap().into_iter().map(|file| (file.name, file.bytes)).collect();
        assert_eq!(names, [("a".to_owned(), 0), ("sub/b".to_owned(), 4)]);
        folder.begin(3).unwrap();
        assert!(!folder.whole(2).exists());
        folder.discard(3);
        assert!(!folder.part(3).exists());
        folder.remove();
        assert_eq!(fs::read_dir(jobs.path()).unwrap().count(), 0);
    }
}
