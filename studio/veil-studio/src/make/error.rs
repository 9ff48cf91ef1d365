//! What can go wrong when a video is made.
//!
//! Invariants: a fault in a document names its place; no message holds a key, and none an address with a password in it.

use std::fmt;
use std::io;
use std::path::PathBuf;

use crate::turns::TurnError;

/// What is wrong in a document, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The place, such as `scenes[2].text`; empty for the whole.
    pub path: String,
    /// What is wrong with it.
    pub why: String,
}

impl Fault {
    /// A fault at a place.
    pub fn new(path: impl Into<String>, why: impl Into<String>) -> Self {
        Self { path: path.into(), why: why.into() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() {
            return f.write_str(&self.why);
        }
        write!(f, "{}: {}", self.path, self.why)
    }
}

/// Why no video was made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MakeError {
    /// The document, or a file that it names.
    #[error("{0}")]
    Document(Fault),
    /// A file of the document that FFmpeg refuses.
    #[error("{path}: {source}")]
    Media {
        /// The place in the document, and the file's name.
        path: String,
        /// What is wrong with it.
        source: veil_ffmpeg::Error,
    },
    /// FFmpeg.
    #[error(transparent)]
    Ffmpeg(#[from] veil_ffmpeg::Error),
    /// Other runs have the machine.
    #[error(transparent)]
    Turn(#[from] TurnError),
    /// The voice helper is nowhere.
    #[error(
        "the voice needs `veilcast-voice-espeak`, which is neither beside this program nor in PATH"
    )]
    NoHelper,
    /// A voice that couldn't speak.
    #[error("{path}: {why}")]
    Voice {
        /// The place in the document.
        path: String,
        /// In words.
        why: String,
    },
    /// A service that isn't set up.
    #[error("{what} is asked for, and its address is not set")]
    NotSet {
        /// The service.
        what: &'static str,
        /// The variable that sets it.
        variable: &'static str,
    },
    /// A service that doesn't answer as it should.
    #[error("{what}: {why}")]
    Service {
        /// The service.
        what: &'static str,
        /// In words.
        why: String,
    },
    /// Too long a video.
    #[error("the video would be longer than {0} hours")]
    TooLong(u32),
    /// A file of ours.
    #[error("{what} {}: {source}", path.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A part of the work that broke down.
    #[error("a part of the run broke down: {0}")]
    Broken(String),
}

impl From<Fault> for MakeError {
    fn from(fault: Fault) -> Self {
        Self::Document(fault)
    }
}

impl MakeError {
    /// An error of the system, in words.
    pub(crate) fn io(
        what: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { what, path, source }
    }

    /// What a person can do.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Document(_) => "docs/format/production.md says what a production holds".to_owned(),
            Self::Media { source, .. } | Self::Ffmpeg(source) => {
                return source.hint().map(str::to_owned);
            }
            Self::Turn(error) => error.hint().to_owned(),
            Self::NoHelper => "`veilcast` and `veilcast-voice-espeak` belong into one folder; or take another \
                voice: --set voice.provider=none"
                .to_owned(),
            Self::Voice { why, .. } if why.contains("is missing") => {
                "install it: apt-get install espeak-ng; or take another voice: --set voice.provider=none".to_owned()
            }
            Self::NotSet { variable, .. } => format!("set {variable}"),
            Self::Io { source, .. } if source.kind() == io::ErrorKind::StorageFull => {
                "free some space; nothing was kept of what was written".to_owned()
            }
            _ => return None,
        })
    }
}
