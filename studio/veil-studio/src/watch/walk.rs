//! A look at folders: which files are there, and as what.
//!
//! Owns: what counts as a file that somebody means to give: none that is hidden, a link, empty, or named as others name what is still arriving.

use std::collections::HashMap;
use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

use crate::catalogue::watched::Seen;

/// Folders within folders that are looked into.
const DEPTH_MAX: usize = 16;
/// How others name what is still arriving.
const ARRIVING: [&str; 5] = ["part", "tmp", "crdownload", "download", "filepart"];

/// A file as it is at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) bytes: u64,
    modified_us: i64,
}

impl Found {
    fn of(metadata: &Metadata) -> Self {
        let modified_us = metadata.mtime().saturating_mul(1_000_000) + metadata.mtime_nsec() / 1000;
        Self { bytes: metadata.len(), modified_us }
    }

    /// As it is noted.
    pub(super) fn seen(self) -> Seen {
        let bytes = i64::try_from(self.bytes).unwrap_or(i64::MAX);
        Seen { bytes, modified_us: self.modified_us, ..Seen::default() }
    }
}

/// What a look has found.
#[derive(Default)]
pub(super) struct Walked {
    pub(super) files: HashMap<PathBuf, Found>,
    /// The folder that couldn't be read, and why: what isn't seen in it isn't gone.
    pub(super) fault: Option<(PathBuf, io::Error)>,
}

/// The files of folders, `most` at most.
pub(super) fn files(folders: &[PathBuf], most: usize) -> Walked {
    let mut walked = Walked::default();
    for folder in folders {
        if let Err(error) = walk(folder, most, &mut walked.files) {
            walked.fault = Some((folder.clone(), error));
        }
    }
    walked
}

fn walk(folder: &Path, most: usize, found: &mut HashMap<PathBuf, Found>) -> io::Result<()> {
    let mut left = vec![(folder.to_owned(), 0)];
    while let Some((folder, depth)) = left.pop() {
        let entries = match fs::read_dir(folder) {
            // It was deleted meanwhile, or is none of ours.
            Err(_) if depth > 0 => continue,
            entries => entries?,
        };
        for entry in entries {
            let entry = entry?;
            let (path, name) = (entry.path(), entry.file_name());
            if found.len() >= most || name.to_string_lossy().starts_with('.') {
                continue;
            }
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                if depth < DEPTH_MAX {
                    left.push((path, depth + 1));
                }
            } else if !is_arriving(&path)
                && let Some(file) = file(&path)
            {
                found.insert(path, file);
            }
        }
    }
    Ok(())
}

/// A file, if it is one and not empty.
pub(super) fn file(path: &Path) -> Option<Found> {
    let metadata = fs::symlink_metadata(path).ok()?;
    (metadata.is_file() && metadata.len() > 0).then(|| Found::of(&metadata))
}

fn is_arriving(path: &Path) -> bool {
    let end = path.extension().and_then(|end| end.to_str()).unwrap_or_default();
    ARRIVING.iter().any(|one| one.eq_ignore_ascii_case(end))
}

/// Copies a file that is none but a file, also at the last moment.
pub(super) fn copy(from: &Path, to: &Path) -> io::Result<()> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let flags = i32::try_from(flags.bits()).unwrap_or_default();
    let mut from = File::options().read(true).custom_flags(flags).open(from)?;
    if !from.metadata()?.is_file() {
        return Err(io::Error::other("it is no file"));
    }
    let mut to = File::options().write(true).create_new(true).mode(0o600).open(to)?;
    io::copy(&mut from, &mut to)?;
    to.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_files_that_somebody_means_to_give_are_found() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir_all(at("sub/.hidden")).unwrap();
        for name in ["a.mp4", "sub/b.png", ".c.mp4", "sub/.hidden/d.mp4", "e.mp4.part", "f.TMP"] {
            fs::write(at(name), "x").unwrap();
        }
        fs::write(at("empty.mp4"), "").unwrap();
        std::os::unix::fs::symlink(at("a.mp4"), at("link.mp4")).unwrap();
        std::os::unix::fs::symlink("/", at("root")).unwrap();
        let folders = [folder.path().to_owned()];
        let mut names: Vec<PathBuf> = files(&folders, 9).files.into_keys().collect();
        names.sort();
        assert_eq!(names, [at("a.mp4"), at("sub/b.png")]);
        assert_eq!(files(&folders, 1).files.len(), 1);
        let both = files(&[at("none"), at("sub")], 9);
        assert!(
            both.fault.is_some_and(|(folder, _)| folder == at("none")) && both.files.len() == 1
        );
        assert!(copy(&at("link.mp4"), &at("copy")).is_err());
        copy(&at("a.mp4"), &at("copy")).unwrap();
        assert_eq!(fs::read(at("copy")).unwrap(), b"x");
        assert!(copy(&at("a.mp4"), &at("copy")).is_err());
    }
}
