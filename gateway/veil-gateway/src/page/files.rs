//! The page as the gateway serves it: each file with the encodings that it has and its media type.
//!
//! Owns choosing media types, and compressing what nobody compressed before, once, now. Where the files come from is
//! `veil-page`'s to know.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use bytes::Bytes;
use sha2::{Digest as _, Sha256};
use veil_page::{INDEX, Page, PageError, is_encoding};

use crate::encoding::Encoding;

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

impl PageFiles {
    /// The page that was built into this binary; empty when there was none at build time.
    #[must_use]
    pub fn embedded() -> Self {
        Self::new(&Page::embedded())
    }

    /// The page in a folder, read whole, now.
    ///
    /// # Errors
    /// A folder that is unreadable, far too large, or holds no `w/index.html`.
    pub fn folder(folder: &Path) -> Result<Self, PageError> {
        Page::folder(folder).map(|page| Self::new(&page))
    }

    fn new(page: &Page) -> Self {
        let raw: BTreeMap<&str, &Bytes> = page.files().collect();
        let sibling = |name: &str, extension: &str| raw.get(format!("{name}{extension}").as_str());
        let files = page.files().filter(|(name, _)| !is_encoding(name)).map(|(name, plain)| {
            let encoded = |extension: &str, encoding| {
                sibling(name, extension).map_or_else(
                    || shorter(name, plain, encoding),
                    |bytes| Some(Bytes::clone(bytes)),
                )
            };
            let digest: [u8; 32] = Sha256::digest(plain).into();
            let file = PageFile {
                plain: plain.clone(),
                brotli: encoded(".br", Encoding::Brotli),
                gzip: encoded(".gz", Encoding::Gzip),
                media_type: media_type(name),
                hash: digest[..8].iter().map(|byte| format!("{byte:02x}")).collect(),
            };
            (name.to_owned(), file)
        });
        Self { files: files.collect() }
    }

    /// Whether there is a page at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        !self.files.contains_key(INDEX)
    }

    pub(crate) fn get(&self, name: &str) -> Option<&PageFile> {
        self.files.get(name)
    }
}

/// A file in an encoding that whoever built the page left out, where that makes it shorter.
fn shorter(name: &str, plain: &Bytes, encoding: Encoding) -> Option<Bytes> {
    let is_text =
        ["html", "js", "mjs", "css", "json", "map", "webmanifest", "svg", "txt", "sha256"]
            .contains(&name.rsplit_once('.')?.1);
    let encoded = is_text.then(|| encoding.encode(plain.to_vec()).ok())??;
    (encoded.len() < plain.len()).then(|| encoded.into())
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
        Some("txt" | "sha256") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}
