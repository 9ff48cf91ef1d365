//! The built page as a table in memory.
//!
//! Owns loading it, out of the binary or out of a folder, with the pre-compressed `.br` and `.gz`
//! siblings beside each file; where there are none, text is compressed once, now. Invariant: what can be asked for is exactly what was loaded; a name is a
//! key of this table and never a path.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use rust_embed::RustEmbed;
use sha2::{Digest as _, Sha256};

use crate::encoding::Encoding;

/// Largest page folder, in bytes, with all its encodings: ours takes about 2 MB.
const FOLDER_BYTES_MAX: u64 = 64 << 20;

/// Most files in a page folder.
const FILE_COUNT_MAX: usize = 1000;

/// How deep folders may lie in a page folder: ours has one level.
const DEPTH_MAX: usize = 4;

#[derive(RustEmbed)]
#[folder = "../../apps/web/dist"]
#[allow_missing = true]
struct Built;

/// One file with its encodings.
pub(crate) struct PageFile {
    pub(crate) plain: Bytes,
    pub(crate) brotli: Option<Bytes>,
    pub(crate) gzip: Option<Bytes>,
    pub(crate) media_type: &'static str,
    /// The beginning of the plain file's SHA-256, in hex.
    pub(crate) hash: String,
}

/// The files of the watch page, by their names below its folder. The default has none.
#[derive(Default)]
pub struct PageFiles {
    files: HashMap<String, PageFile>,
}

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
    /// The folder has no `watch.html`: it is not a built page.
    #[error("the folder {path} holds no watch.html")]
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

impl PageFiles {
    /// The page that was built into this binary; empty when there was none at build time.
    #[must_use]
    pub fn embedded() -> Self {
        let files = Built::iter()
            .filter_map(|name| {
                let bytes = Built::get(&name)?.data.into_owned();
                Some((name.into_owned(), Bytes::from(bytes)))
            })
            .collect();
        Self::new(files)
    }

    /// The page in a folder, read whole, now.
    ///
    /// # Errors
    /// A folder that is unreadable, far too large, or holds no `watch.html`.
    pub fn folder(folder: &Path) -> Result<Self, PageError> {
        let mut reader =
            Reader { root: folder, files: HashMap::new(), left_bytes: FOLDER_BYTES_MAX };
        reader.read_folder(folder, DEPTH_MAX)?;
        if !reader.files.contains_key(super::WATCH) {
            return Err(PageError::NoPage { path: folder.to_owned() });
        }
        Ok(Self::new(reader.files))
    }

    fn new(mut raw: HashMap<String, Bytes>) -> Self {
        let names: Vec<String> = raw.keys().filter(|name| !is_encoding(name)).cloned().collect();
        let files = names
            .into_iter()
            .filter_map(|name| {
                let plain = raw.remove(&name)?;
                let brotli = raw.remove(&format!("{name}.br"));
                let brotli = brotli.or_else(|| shorter(&name, &plain, Encoding::Brotli));
                let gzip = raw.remove(&format!("{name}.gz"));
                let gzip = gzip.or_else(|| shorter(&name, &plain, Encoding::Gzip));
                let digest: [u8; 32] = Sha256::digest(&plain).into();
                let hash = digest[..8].iter().map(|byte| format!("{byte:02x}")).collect();
                let media_type = media_type(&name);
                Some((name, PageFile { plain, brotli, gzip, media_type, hash }))
            })
            .collect();
        Self { files }
    }

    /// Whether there is a page at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        !self.files.contains_key(super::WATCH)
    }

    pub(crate) fn get(&self, name: &str) -> Option<&PageFile> {
        self.files.get(name)
    }
}

struct Reader<'a> {
    root: &'a Path,
    files: HashMap<String, Bytes>,
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

/// A file in an encoding that whoever built the page left out, where that makes it shorter.
fn shorter(name: &str, plain: &Bytes, encoding: Encoding) -> Option<Bytes> {
    let is_text = ["html", "js", "mjs", "css", "json", "map", "webmanifest", "svg", "txt"]
        .contains(&name.rsplit_once('.')?.1);
    let encoded = is_text.then(|| encoding.encode(plain.to_vec()).ok())??;
    (encoded.len() < plain.len()).then(|| encoded.into())
}

/// Whether a file is the compressed form of its neighbour.
fn is_encoding(name: &str) -> bool {
    [".br", ".gz"].iter().any(|extension| name.ends_with(extension))
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, extension)| extension) {
        Some("html") => "text/html; charset=utf-8",
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("json" | "map") => "application/json",
        Some("webmanifest") => "application/manifest+json",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("webp") => "image/webp",
        Some("ico") => "image/x-icon",
        Some("woff2") => "font/woff2",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_without_a_page_or_with_far_too_much_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let error = PageFiles::folder(folder.path()).err().unwrap().to_string();
        assert!(error.ends_with("holds no watch.html"), "{error}");
        let deep = folder.path().join("a/b/c/d");
        fs::create_dir_all(&deep).unwrap();
        let error = PageFiles::folder(folder.path()).err().unwrap().to_string();
        assert!(error.ends_with("it is no page"), "{error}");
        let error = PageFiles::folder(&folder.path().join("missing")).err().unwrap().to_string();
        assert!(error.contains("cannot be read"), "{error}");
        fs::remove_dir_all(folder.path().join("a")).unwrap();
        let huge = fs::File::create(folder.path().join("huge")).unwrap();
        huge.set_len(FOLDER_BYTES_MAX + 1).unwrap();
        let error = PageFiles::folder(folder.path()).err().unwrap().to_string();
        assert!(error.ends_with("it is no page"), "{error}");
    }
}
