//! The bucket, read only.
//!
//! Owns how bytes come out of a store: whole small documents under a limit, large objects as bounded
//! pieces, everything under a time limit. Refuses to write, to list, and to tell a caller more than
//! "not there", "too large" or "does not answer": a store's own errors name paths. How an S3 store is
//! asked is in `bucket/s3.rs`, with what credential in `bucket/credential.rs`. Invariant of a folder: nothing is read through a symbolic link, wherever
//! it points.

mod credential;
mod platform;
mod s3;

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Body;
use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use object_store::local::LocalFileSystem;
use object_store::{GetOptions, GetRange, GetResult, GetResultPayload, ObjectStore, path};

pub use credential::StoreCredential;
pub use platform::{Platform, Unfetched};
pub use s3::StoreSettings;

use crate::metrics::store::{StoreMeter, StoreRead};

/// How long a store may take to begin to answer; a player gives up after about 20 seconds.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// How much of an object lies in memory for one download, in bytes: 10,000 downloads take 640 MB at
/// the very worst, and a piece is still four sealed chunks.
const PIECE_BYTES: usize = 64 << 10;

/// A key that no grant has: ids are drawn at random.
const ABSENT_KEY: &str = "g/00000000000000000000000000000000";

/// Where sealed titles and grants lie.
#[derive(Clone)]
pub struct Bucket {
    store: Arc<dyn ObjectStore>,
    /// The canonical path of a folder bucket.
    folder: Option<Arc<Path>>,
    meter: Arc<StoreMeter>,
}

/// Why a folder is no bucket.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BucketError {
    /// There is no such folder, or it cannot be entered.
    #[error("the bucket {path} cannot be opened: {source}")]
    Missing {
        /// The folder as it was given.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The path is not a folder.
    #[error("the bucket {path} is not a folder")]
    NotAFolder {
        /// The path as it was given.
        path: PathBuf,
    },
    /// The store could not be set up over the folder.
    #[error("the bucket {path} cannot be used: {source}")]
    Unusable {
        /// The folder as it was given.
        path: PathBuf,
        /// What the store said.
        source: object_store::Error,
    },
    /// The client of an S3 store could not be set up. What it said is left out: it may quote a credential.
    #[error(
        "the store's client cannot be set up: the system has no certificates, or the credential's place is malformed"
    )]
    Client,
}

/// Why nothing was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReadError {
    /// There is no object of that key.
    Unknown,
    /// The document is larger than its limit.
    TooLarge,
    /// The document still has the entity tag that was given.
    Unchanged,
    /// The store does not answer, or not sensibly.
    Unavailable,
    /// No byte of the range is in the object.
    Range {
        /// The object's size.
        size_bytes: u64,
    },
}

/// A whole document, or word that it is still the one that is known.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Fetched {
    /// It has the entity tag that was given.
    Same,
    /// Its bytes, and its entity tag as the store writes it.
    Document(Bytes, Option<String>),
}

/// An object that is open for reading.
pub(crate) struct Opened {
    /// The whole object's size.
    pub(crate) size_bytes: u64,
    /// Which bytes of it the body gives.
    pub(crate) range: Range<u64>,
    /// Its entity tag, quoted.
    pub(crate) etag: Option<String>,
    payload: GetResultPayload,
    meter: Arc<StoreMeter>,
}

impl Bucket {
    /// A bucket in a local folder.
    ///
    /// # Errors
    /// A path that is missing or not a folder.
    pub fn folder(path: &Path) -> Result<Self, BucketError> {
        let missing = |source| BucketError::Missing { path: path.to_owned(), source };
        let canonical = path.canonicalize().map_err(missing)?;
        if !canonical.metadata().map_err(missing)?.is_dir() {
            return Err(BucketError::NotAFolder { path: path.to_owned() });
        }
        let store = LocalFileSystem::new_with_prefix(&canonical)
            .map_err(|source| BucketError::Unusable { path: path.to_owned(), source })?;
        Ok(Self { store: Arc::new(store), folder: Some(canonical.into()), meter: Arc::default() })
    }

    /// A bucket in any other store.
    #[must_use]
    pub fn store(store: Arc<dyn ObjectStore>) -> Self {
        Self { store, folder: None, meter: Arc::default() }
    }

    /// The counters of its reads.
    pub(crate) fn meter(&self) -> &StoreMeter {
        &self.meter
    }

    /// Whether the store answers at all: that an object isn't there is an answer.
    pub async fn is_reachable(&self) -> bool {
        matches!(self.open(ABSENT_KEY, None).await, Ok(_) | Err(ReadError::Unknown))
    }

    /// Reads a whole document of at most `limit_bytes`, unless its entity tag is `known_etag`.
    pub(crate) async fn fetch(
        &self,
        key: &str,
        limit_bytes: u64,
        known_etag: Option<&str>,
    ) -> Result<Fetched, ReadError> {
        let location = path::Path::parse(key).map_err(|_| ReadError::Unknown)?;
        let if_none_match = known_etag.map(str::to_owned);
        let options = GetOptions { if_none_match, ..GetOptions::default() };
        let result = match self.get(&location, options).await {
            Ok(result) => result,
            Err(ReadError::Unchanged) => return Ok(Fetched::Same),
            Err(error) => return Err(error),
        };
        let etag = result.meta.e_tag.clone();
        let document =
            Opened::new(result, Arc::clone(&self.meter))?.into_document(limit_bytes).await?;
        Ok(Fetched::Document(document, etag))
    }

    /// Opens an object, or a range of it.
    pub(crate) async fn open(
        &self,
        key: &str,
        range: Option<GetRange>,
    ) -> Result<Opened, ReadError> {
        let location = path::Path::parse(key).map_err(|_| ReadError::Unknown)?;
        let options = GetOptions { range: range.clone(), ..GetOptions::default() };
        let error = match self.get(&location, options).await {
            Ok(result) if range.is_some() && result.range.is_empty() => {
                return Err(ReadError::Range { size_bytes: result.meta.size });
            }
            Ok(result) => return Opened::new(result, Arc::clone(&self.meter)),
            Err(error) => error,
        };
        if range.is_none() || error == ReadError::Unknown {
            return Err(error);
        }
        // Stores say "bad range" in many ways; the size tells.
        let options = GetOptions { head: true, ..GetOptions::default() };
        let size_bytes = self.get(&location, options).await?.meta.size;
        let outside = range.is_some_and(|range| is_outside(&range, size_bytes));
        Err(if outside { ReadError::Range { size_bytes } } else { error })
    }

    async fn get(
        &self,
        location: &path::Path,
        options: GetOptions,
    ) -> Result<GetResult, ReadError> {
        if !self.is_plain_file(location).await? {
            return Err(ReadError::Unknown);
        }
        let asked = Instant::now();
        let answer = self.store.get_opts(location, options);
        let answer = tokio::time::timeout(ANSWER_TIMEOUT, answer).await;
        let (read, result) = match answer {
            Ok(Ok(result)) => (StoreRead::Found, Ok(result)),
            Ok(Err(object_store::Error::NotFound { .. })) => {
                (StoreRead::Absent, Err(ReadError::Unknown))
            }
            Ok(Err(object_store::Error::NotModified { .. })) => {
                (StoreRead::Found, Err(ReadError::Unchanged))
            }
            Ok(Err(error)) => {
                // The rest of what it says names keys, and keys name grants.
                tracing::warn!(kind = kind(&error), "the store does not give an object");
                (StoreRead::Failed, Err(ReadError::Unavailable))
            }
            Err(_) => (StoreRead::Late, Err(ReadError::Unavailable)),
        };
        self.meter.answered(read, asked.elapsed());
        let result = result?;
        self.confine(location, result).await
    }

    /// Whether a folder's object may be opened at all: a pipe would block, a link leads elsewhere.
    async fn is_plain_file(&self, location: &path::Path) -> Result<bool, ReadError> {
        let Some(folder) = self.folder.clone() else { return Ok(true) };
        let path = folder.join(location.as_ref());
        on_disk(move || match resolve(&path) {
            Ok(plain) => Ok(plain),
            // A folder that is gone is a store that is away, not one object less.
            Err(_) if !folder.is_dir() => Err(ReadError::Unavailable),
            Err(error) if is_absent(&error) => Ok(false),
            Err(_) => Err(ReadError::Unavailable),
        })
        .await
    }

    /// Checks that the file that was opened is still the one that lies there without links. This
    /// closes the gap between looking and opening; a record that was replaced meanwhile is tried by
    /// the client again.
    async fn confine(
        &self,
        location: &path::Path,
        result: GetResult,
    ) -> Result<GetResult, ReadError> {
        let Some(folder) = self.folder.clone() else { return Ok(result) };
        let path = folder.join(location.as_ref());
        on_disk(move || {
            let GetResultPayload::File(file, _) = &result.payload else {
                return Err(ReadError::Unavailable);
            };
            let same = || -> io::Result<bool> {
                let (open, lying) = (file.metadata()?, path.symlink_metadata()?);
                Ok(resolve(&path)? && open.dev() == lying.dev() && open.ino() == lying.ino())
            };
            if same().unwrap_or(false) { Ok(result) } else { Err(ReadError::Unavailable) }
        })
        .await
    }
}

fn kind(error: &object_store::Error) -> &'static str {
    match error {
        object_store::Error::PermissionDenied { .. } => "permission denied",
        object_store::Error::Unauthenticated { .. } => "credential refused",
        _ => "failed",
    }
}

/// Whether `path` is a regular file that is reached without a symbolic link.
fn resolve(path: &Path) -> io::Result<bool> {
    Ok(path.symlink_metadata()?.is_file() && path.canonicalize()? == path)
}

fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

async fn on_disk<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ReadError> + Send + 'static,
) -> Result<T, ReadError> {
    tokio::task::spawn_blocking(work).await.unwrap_or(Err(ReadError::Unavailable))
}

/// Whether no byte of `range` is in an object of `size_bytes`.
fn is_outside(range: &GetRange, size_bytes: u64) -> bool {
    match range {
        GetRange::Bounded(range) => range.start >= size_bytes,
        GetRange::Offset(start) => *start >= size_bytes,
        GetRange::Suffix(length) => size_bytes == 0 || *length == 0,
    }
}

impl Opened {
    fn new(result: GetResult, meter: Arc<StoreMeter>) -> Result<Self, ReadError> {
        let GetResult { payload, meta, range, .. } = result;
        if range.start > range.end || range.end > meta.size {
            return Err(ReadError::Unavailable);
        }
        let etag = meta.e_tag.map(|tag| if tag.contains('"') { tag } else { format!("\"{tag}\"") });
        Ok(Self { size_bytes: meta.size, range, etag, payload, meter })
    }

    /// The bytes as an HTTP body: one piece in memory at a time, asked for when the last has left.
    pub(crate) fn into_body(self) -> Body {
        Body::from_stream(self.pieces())
    }

    /// All of its bytes, if they are no more than `limit_bytes`.
    async fn into_document(self, limit_bytes: u64) -> Result<Bytes, ReadError> {
        if self.size_bytes > limit_bytes {
            return Err(ReadError::TooLarge);
        }
        let whole = async {
            let mut document = Vec::with_capacity(usize::try_from(self.size_bytes).unwrap_or(0));
            let mut pieces = self.pieces();
            while let Some(piece) = pieces.try_next().await? {
                // A store may send more than it announced.
                if (document.len() + piece.len()) as u64 > limit_bytes {
                    return Err(io::Error::from(io::ErrorKind::FileTooLarge));
                }
                document.extend_from_slice(&piece);
            }
            Ok(document)
        };
        match tokio::time::timeout(ANSWER_TIMEOUT, whole).await {
            Ok(Ok(document)) => Ok(document.into()),
            Ok(Err(_)) | Err(_) => Err(ReadError::Unavailable),
        }
    }

    fn pieces(self) -> stream::BoxStream<'static, io::Result<Bytes>> {
        let meter = self.meter;
        let pieces = match self.payload {
            GetResultPayload::File(file, _) => file_pieces(Arc::new(file), self.range).boxed(),
            GetResultPayload::Stream(pieces) => pieces.map_err(io::Error::other).boxed(),
        };
        pieces.inspect_err(move |_| meter.broken()).boxed()
    }
}

/// Reads a range of a file piece by piece. A file that shrank meanwhile is an error, not a short body.
fn file_pieces(
    file: Arc<File>,
    range: Range<u64>,
) -> impl futures_util::Stream<Item = io::Result<Bytes>> {
    stream::try_unfold(range, move |left| {
        let file = Arc::clone(&file);
        async move {
            if left.is_empty() {
                return Ok(None);
            }
            let next = left.end.min(left.start + PIECE_BYTES as u64);
            let read = move || {
                let size = usize::try_from(next - left.start).map_err(io::Error::other)?;
                let mut piece = vec![0; size];
                file.read_exact_at(&mut piece, left.start)?;
                Ok(piece.into())
            };
            let piece: io::Result<Bytes> = tokio::task::spawn_blocking(read).await?;
            Ok(Some((piece?, next..left.end)))
        }
    })
}

#[cfg(test)]
mod tests;
