//! The built watch page as bytes.
//!
//! Owns its files (out of the program or out of a folder), the list of their hashes, the policy that it runs under, and
//! the form that it takes on a host that is no gateway. Refuses to know HTTP, sockets and keys, and writes nothing: the
//! gateway serves these bytes, the command line puts them into a folder, and both name the same hash. Invariant: what
//! can be asked for is exactly what was loaded; a name is a key of a table and never a path.

mod export;
mod folder;
mod policy;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use bytes::Bytes;
use rust_embed::RustEmbed;
use sha2::{Digest as _, Sha256};

pub use export::{Exported, NotExportable, Site};
pub use folder::PageError;
pub use policy::{TRUSTED_TYPES_POLICIES, page_policy};

/// The page's own file.
pub const INDEX: &str = "w/index.html";

/// The file with the hashes of all others, as `sha256sum` writes and checks it.
pub const LIST: &str = "app.sha256";

#[derive(RustEmbed)]
#[folder = "../../apps/web/dist"]
#[allow_missing = true]
struct Built;

/// The files of the watch page, by their names below its folder. The default has none.
#[derive(Default)]
pub struct Page {
    files: BTreeMap<String, Bytes>,
}

impl Page {
    /// The page that was built into this program; empty when there was none at build time.
    #[must_use]
    pub fn embedded() -> Self {
        let file = |name: &str| Some(Bytes::from(Built::get(name)?.data.into_owned()));
        let files = Built::iter().filter_map(|name| Some((name.to_string(), file(&name)?)));
        Self { files: files.collect() }
    }

    /// Whether there is a page at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        !self.files.contains_key(INDEX)
    }

    /// Its files in the order of their names, compressed siblings (`.br`, `.gz`) among them.
    pub fn files(&self) -> impl Iterator<Item = (&str, &Bytes)> {
        self.files.iter().map(|(name, bytes)| (name.as_str(), bytes))
    }

    /// One line a file, in the order of their names: SHA-256 in hex, two spaces, the name. Compressed siblings and the
    /// list itself are not in it.
    #[must_use]
    pub fn list(&self) -> String {
        let mut list = String::new();
        for (name, bytes) in self.files().filter(|(name, _)| *name != LIST && !is_encoding(name)) {
            // Writing into a string doesn't fail.
            let _ = writeln!(list, "{}  {name}", sha256(bytes));
        }
        list
    }

    /// The page's hash: SHA-256 of its [`list`](Self::list), in hex.
    #[must_use]
    pub fn hash(&self) -> String {
        sha256(self.list().as_bytes())
    }
}

/// SHA-256 in hex.
fn sha256(bytes: &[u8]) -> String {
    let digest: [u8; 32] = Sha256::digest(bytes).into();
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether a file is the compressed form of its neighbour.
#[must_use]
pub fn is_encoding(name: &str) -> bool {
    [".br", ".gz"].iter().any(|extension| name.ends_with(extension))
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(crate) fn page(files: &[(&str, &str)]) -> Page {
        let files = files
            .iter()
            .map(|(name, text)| ((*name).to_owned(), Bytes::copy_from_slice(text.as_bytes())));
        Page { files: files.collect() }
    }

    #[test]
    fn the_list_is_what_sha256sum_writes_and_the_hash_is_of_the_list() {
        let page = page(&[
            ("w/index.html", "page"),
            ("w/index.html.br", "compressed"),
            ("app.sha256", "as built"),
            ("a.js", ""),
        ]);
        let list = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  a.js\n\
                    3660315a9af3df255d8f19ab077e4797822b41488a0e2a04bc6af71213c23274  w/index.html\n";
        assert_eq!(page.list(), list);
        assert_eq!(page.hash(), "c42241ec418ed5b75f36bb4ebe8ab63a0b5d40267cb564e8dd24a5cd6342f8bf");
    }

    #[test]
    fn a_page_without_its_index_is_none() {
        assert!(Page::default().is_empty());
        assert!(page(&[("a.js", "")]).is_empty());
        assert!(!page(&[(INDEX, "")]).is_empty());
    }
}
