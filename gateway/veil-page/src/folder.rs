//! A page read from a folder, whole, once.
//!
//! Owns the bounds on what counts as a page: a folder that was named by mistake is refused and not read into memory.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use bytes::Bytes;

use crate::{INDEX, Page};

/// Largest page folder, in bytes, with all its encodings: ours takes about 2 MB.
const FOLDER_BYTES_MAX: u64 = 64 << 20;

/// Most files in a page folder.
const FILE_COUNT_MAX: usize = 1000;

/// How deep folders may lie in a page folder: ours has one level.
const DEPTH_MAX: usize = 4;

/// Why a folder cannot be served as the page.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PageError {
    /// A file or folder cannot be read.
    #[error("the page's {path} cannot be read: {source}")]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The folder has no `w/index.html`: it is not a built page.
    #[error("the folder {path} holds no {INDEX}")]
    NoPage {
        /// The folder.
        path: PathBuf,
    },
    /// The folder holds more than a page does.
    #[error("the folder {path} holds more than 1000 files, 64 MiB or 4 levels: it is no page")]
    TooLarge {
        /// The folder.
        path: PathBuf,
    },
}

impl Page {
    /// The page in a folder, read whole, now.
    ///
    /// # Errors
    /// A folder that is unreadable, far too large, or holds no `w/index.html`.
    pub fn folder(folder: &Path) -> Result<Self, PageError> {
        let mut reader =
            Reader { root: folder, files: BTreeMap::new(), left_bytes: FOLDER_BYTES_MAX };
        reader.read_folder(folder, DEPTH_MAX)?;
        let page = Self { files: reader.files };
        if page.is_empty() {
            return Err(PageError::NoPage { path: folder.to_owned() });
        }
        Ok(page)
    }
}

struct Reader<'a> {
    root: &'a Path,
    files: BTreeMap<String, Bytes>,
    left_bytes: u64,
}

impl Reader<'_> {
    fn read_folder(&mut self, folder: &Path, depth: usize) -> Result<(), PageError> {
        let too_large = || PageError::TooLarge { path: self.root.to_owned() };
        if depth == 0 {
            return Err(too_large());
        }
        let unreadable = |source| PageError::Unreadable { path: folder.to_owned(), source };
        for entry in fs::read_dir(folder).map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path();
            let metadata = path.metadata().map_err(unreadable)?;
            if metadata.is_dir() {
                self.read_folder(&path, depth - 1)?;
            } else if metadata.is_file() {
                self.read_file(&path, metadata.len())?;
            }
        }
        Ok(())
    }

    fn read_file(&mut self, path: &Path, size_bytes: u64) -> Result<(), PageError> {
        let left_bytes = self.left_bytes.checked_sub(size_bytes);
        let (Some(left_bytes), true) = (left_bytes, self.files.len() < FILE_COUNT_MAX) else {
            return Err(PageError::TooLarge { path: self.root.to_owned() });
        };
        self.left_bytes = left_bytes;
        let bytes = fs::read(path)
            .map_err(|source| PageError::Unreadable { path: path.to_owned(), source })?;
        if let Some(name) = path.strip_prefix(self.root).ok().and_then(Path::to_str) {
            self.files.insert(name.to_owned(), bytes.into());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_without_a_page_or_with_far_too_much_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let error = Page::folder(folder.path()).err().unwrap().to_string();
        assert!(error.ends_with("holds no w/index.html"), "{error}");
        let deep = folder.path().join("a/b/c/d");
        fs::create_dir_all(&deep).unwrap();
        let error = Page::folder(folder.path()).err().unwrap().to_string();
        assert!(error.ends_with("it is no page"), "{error}");
        let error = Page::folder(&folder.path().join("missing")).err().unwrap().to_string();
        assert!(error.contains("cannot be read"), "{error}");
        fs::remove_dir_all(folder.path().join("a")).unwrap();
        let huge = fs::File::create(folder.path().join("huge")).unwrap();
        huge.set_len(FOLDER_BYTES_MAX + 1).unwrap();
        let error = Page::folder(folder.path()).err().unwrap().to_string();
        assert!(error.ends_with("it is no page"), "{error}");
    }
}
