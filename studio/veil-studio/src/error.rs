//! What can go wrong in the studio, and what to do about it.

use std::path::PathBuf;

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
    /// The bucket can't be read or written.
    #[error("the bucket {what}: {source}")]
    Bucket {
        /// What failed, for example `"cannot be written"`.
        what: &'static str,
        /// What the store said.
        source: object_store::Error,
    },
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
    /// The grant would have ended before it began.
    #[error("the grant would already be expired")]
    AlreadyExpired,
    /// FFmpeg can't be found, or can't read the source, or failed.
    #[error("{}", with_source(.0))]
    Ffmpeg(#[from] veil_ffmpeg::Error),
    /// What FFmpeg wrote could not be cut into segments.
    #[error("the encoder's output cannot be cut into segments: {0}")]
    Cmaf(#[from] veil_hls::cmaf::CmafError),
    /// The encoder's output can't be read.
    #[error("the encoder's output cannot be read: {0}")]
    Pipe(#[source] std::io::Error),
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
            Self::Bucket { source, .. } => return store_hint(source),
            Self::Migration(_) => "use the newest veilcast with this data folder".into(),
            Self::NoTitle(_) | Self::NoGrant(_) => "`veilcast list` shows what there is".into(),
            Self::NameTaken(_) => "give another --title, or remove that title first".into(),
            Self::BadName(_) => {
                format!("a name has 1 to {} characters and no control characters", MAX_NAME_CHARS)
            }
            Self::AlreadyExpired => "--expires takes a time ahead, such as 7d".into(),
            Self::Ffmpeg(error) => return error.hint().map(Into::into),
            Self::Cmaf(_) => "please report this, with what `ffprobe` says of the file".into(),
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

/// An error and what caused it, in one line.
fn with_source(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

fn io_hint(error: &std::io::Error) -> Option<String> {
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

fn store_hint(error: &object_store::Error) -> Option<String> {
    let mut source: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = source {
        if let Some(error) = error.downcast_ref::<std::io::Error>() {
            return io_hint(error);
        }
        source = error.source();
    }
    None
}
