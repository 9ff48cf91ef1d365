//! What can go wrong in the studio, and what to do about it.

use std::path::PathBuf;
use std::sync::Arc;

use veil_seal::SealError;

/// A failure of a studio operation. [`StudioError::hint`] says what a person can do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StudioError {
    /// A file or folder of the studio can't be read or written.
    #[error("{what} {path}: {source}", path = path.display())]
    File {
        /// What was tried, for example `"cannot create"`.
        what: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A secret file that others may read or write.
    #[error("{path} is open to other users (mode {mode:03o})", path = path.display())]
    FileMode {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The catalogue can't be read or written.
    #[error("the catalogue failed: {0}")]
    Catalogue(#[from] sqlx::Error),
    /// The catalogue was made by a newer version, or is damaged.
    #[error("the catalogue cannot be brought up to date: {0}")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// The catalogue holds something that no version of Veilcast writes.
    #[error("the catalogue is damaged: {what} of {id}")]
    Damaged {
        /// What can't be read.
        what: &'static str,
        /// The title or grant.
        id: String,
    },
    /// A bucket can't be read or written.
    #[error("the bucket {}{what}: {}", named(.bucket), crate::bucket::told(.source))]
    Bucket {
        /// Which one; empty for the data folder's own.
        bucket: Arc<str>,
        /// What failed, for example `"cannot be written"`.
        what: &'static str,
        /// What the store said.
        source: Box<object_store::Error>,
    },
    /// A text that names no store.
    #[error("{0}")]
    Store(#[source] veil_presign::StoreUrlError),
    /// The address of a store in the user's settings is none.
    #[error("AWS_ENDPOINT_URL is no address of a store: {0:?}")]
    Endpoint(String),
    /// What the user has set as a bucket's credential can't be used.
    #[error("the credential of {bucket} can't be used: {error}")]
    Credential {
        /// The bucket.
        bucket: String,
        /// What is wrong.
        error: veil_presign::ChainError,
    },
    /// Nothing names a credential for a bucket.
    #[error("there is no credential for {0}")]
    NoCredential(String),
    /// An object that is not what it was when the copy began.
    #[error("{key} changed while it was copied")]
    Altered {
        /// Its key.
        key: String,
    },
    /// The bucket doesn't have what it took.
    #[error("the bucket lists {listed} objects or other sizes, after it took {written}")]
    Incomplete {
        /// Objects that were written.
        written: i64,
        /// Objects that are listed.
        listed: usize,
    },
    /// Another command works on the title.
    #[error("another command is working on {0:?}")]
    Busy(String),
    /// The title has no copy there.
    #[error("{title:?} has no copy at {store}")]
    NoCopy {
        /// The title.
        title: String,
        /// The place.
        store: String,
    },
    /// The title's only copy.
    #[error("that is the only copy of {0:?}")]
    LastCopy(String),
    /// Sealing or opening failed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// No title has this name or id.
    #[error("there is no title {0:?}")]
    NoTitle(String),
    /// A title of this name is there already.
    #[error("there is a title named {0:?} already")]
    NameTaken(String),
    /// A name that can't be a title's.
    #[error("{0:?} cannot be a title's name")]
    BadName(String),
    /// No grant has this id.
    #[error("there is no grant {0:?}")]
    NoGrant(String),
    /// No production has this id.
    #[error("there is no production {0:?}")]
    NoProduction(String),
    /// Somebody else changed the production meanwhile.
    #[error("somebody else has changed the production; it is at revision {revision} now")]
    Edited {
        /// The revision that it has now.
        revision: i64,
    },
    /// What is no document of a production.
    #[error("the document can't be kept: {0}")]
    BadDocument(String),
    /// No file of the library has this id.
    #[error("there is no media file {0:?}")]
    NoMedium(String),
    /// A title without a mark was to be traced.
    #[error("{0:?} is not marked")]
    NotMarked(String),
    /// A bound that is none, or too weak to name anybody by.
    #[error("{0} is no bound on false accusation")]
    Epsilon(f64),
    /// The grant would have ended before it began.
    #[error("the grant would already be expired")]
    AlreadyExpired,
    /// FFmpeg can't be found, or can't read the source, or failed.
    #[error("{}", with_source(.0))]
    Ffmpeg(#[from] veil_ffmpeg::Error),
    /// Other runs have the machine, and this one doesn't wait or never could begin.
    #[error(transparent)]
    Turn(#[from] crate::turns::TurnError),
    /// What FFmpeg wrote could not be cut into segments.
    #[error("the encoder's output cannot be cut into segments: {0}")]
    Cmaf(#[from] veil_hls::cmaf::CmafError),
    /// The encoder's output can't be read.
    #[error("the encoder's output cannot be read: {0}")]
    Pipe(#[source] std::io::Error),
    /// Two encoders that made different things of one picture.
    #[error("the two variants of the picture do not fit each other")]
    Unequal,
    /// What is to be marked has no picture.
    #[error("there is no picture to mark")]
    NothingToMark,
    /// A marked title's segments are objects of their own.
    #[error("a marked title cannot lie in single files")]
    MarkedSingleFile,
    /// A source that gave no segment.
    #[error("the source holds nothing that can be played")]
    Nothing,
    /// More of something than a title may have.
    #[error("the title would have more than {limit} {what}")]
    TooMany {
        /// What there is too much of.
        what: &'static str,
        /// The most that is allowed.
        limit: u64,
    },
    /// A worker of the import stopped without saying why.
    #[error("a worker of the import failed: {0}")]
    Worker(String),
}

impl StudioError {
    /// What a person can do, if there is anything.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::File { source, .. } => return io_hint(source),
            Self::FileMode { path, .. } => format!("chmod 600 {}", path.display()),
            Self::Bucket { source, .. } => return crate::bucket::hint(source),
            Self::Store(_) => "examples: s3://videos/films?region=eu-west-1, \
                               s3://videos?endpoint=https://ACCOUNT.r2.cloudflarestorage.com, file:///srv/videos"
                .into(),
            Self::Endpoint(_) => "an address looks like https://s3.example.org".into(),
            Self::Credential { .. } | Self::NoCredential(_) => {
                "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a profile of ~/.aws/credentials: …?profile=NAME".into()
            }
            Self::Altered { .. } => "run the command again; what has arrived is kept and skipped".into(),
            Self::Busy(_) => "wait until it is done".into(),
            Self::NoCopy { .. } => "`veilcast list` shows where it lies".into(),
            Self::LastCopy(_) => "`veilcast move` takes it elsewhere, `veilcast remove` deletes it".into(),
            Self::Migration(_) => "use the newest veilcast with this data folder".into(),
            Self::NoTitle(_) | Self::NoGrant(_) => "`veilcast list` shows what there is".into(),
            Self::NameTaken(_) => "give another --title, or remove that title first".into(),
            Self::BadName(_) => {
                format!("a name has 1 to {} characters and no control characters", MAX_NAME_CHARS)
            }
            Self::NotMarked(_) => "only titles that were imported with --mark can be traced".into(),
            Self::Epsilon(_) => "a bound is above 0 and at most 0.01, such as 1e-6".into(),
            Self::AlreadyExpired => "--expires takes a time ahead, such as 7d".into(),
            Self::Ffmpeg(error) => return error.hint().map(Into::into),
            Self::Turn(error) => error.hint().into(),
            Self::MarkedSingleFile => {
                "every viewer gets other segments of it; leave one of the two options out".into()
            }
            Self::Cmaf(_) | Self::Unequal => "please report this, with what `ffprobe` says of the file".into(),
            _ => return None,
        };
        Some(hint)
    }

    pub(crate) fn file(
        what: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { what, path, source }
    }
}

/// The longest name of a title, in characters.
pub(crate) const MAX_NAME_CHARS: usize = 200;

/// A bucket's name before what failed; the own one has none.
fn named(bucket: &str) -> String {
    if bucket.is_empty() { String::new() } else { format!("{bucket} ") }
}

/// An error and what caused it, in one line.
fn with_source(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

pub(crate) fn io_hint(error: &std::io::Error) -> Option<String> {
    use std::io::ErrorKind;
    let hint = match error.kind() {
        ErrorKind::PermissionDenied => "check the owner and mode of the file and its folder",
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "free some space and try again",
        ErrorKind::ReadOnlyFilesystem => "choose a writable folder with --data",
        ErrorKind::NotFound => "check the path",
        _ => return None,
    };
    Some(hint.into())
}
