//! What can go wrong when something is hidden or revealed.
//!
//! Invariant: [`HideError::Nothing`] is all that a wrong key, a video without a message and a damaged message ever say.

use std::io;
use std::path::PathBuf;

use veil_seal::SealError;

use crate::turns::TurnError;

/// Why nothing was hidden or revealed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HideError {
    /// FFmpeg, or the video.
    #[error(transparent)]
    Ffmpeg(#[from] veil_ffmpeg::Error),
    /// Other runs have the machine, and this one doesn't wait or never could begin.
    #[error(transparent)]
    Turn(#[from] TurnError),
    /// Keys that can't be used.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// Keys that don't say where a message lies.
    #[error("{0}")]
    Keys(&'static str),
    /// A file of the payload that can't be read.
    #[error("cannot read {}: {source}", path.display())]
    Payload {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Something in the payload that is neither a file nor a folder.
    #[error("{} is neither a file nor a folder", .0.display())]
    Kind(PathBuf),
    /// Two things in the payload that would lie in the same place.
    #[error("two parts of the payload are called {0:?}")]
    SameName(String),
    /// A name that can't be kept.
    #[error("{} has no name that can be kept", .0.display())]
    NoName(PathBuf),
    /// Standard input that is longer than may be kept.
    #[error("standard input is longer than {0} bytes")]
    StdinTooLong(u64),
    /// More than the video carries.
    #[error(
        "the payload needs more than the {capacity_bytes} bytes that {frames} frames carry at {rate} bits a sample"
    )]
    TooLarge {
        /// Bytes that would fit, sealed.
        capacity_bytes: u64,
        /// Frames of the video.
        frames: u64,
        /// The highest rate that was allowed.
        rate: super::Rate,
    },
    /// More than the video carries with a profile.
    #[error(
        "the payload needs more than the {capacity_bytes} bytes that {seconds} s carry with this profile"
    )]
    TooLong {
        /// Bytes that would fit, sealed.
        capacity_bytes: u64,
        /// How long the video is.
        seconds: u64,
    },
    /// A message that the video doesn't hold well enough.
    #[error("what was hidden does not come out of the encoded video: the self-check failed")]
    Faint,
    /// A message of which too little came through.
    #[error(
        "the message is partly destroyed: {whole} of {all} packets came through; {needed} are needed"
    )]
    Partly {
        /// Packets that came through.
        whole: u64,
        /// Packets of the message.
        all: u64,
        /// Packets that are needed.
        needed: u64,
    },
    /// A picture that has no room for a head.
    #[error("a picture of {width}x{height} is too small: {needed} samples are needed")]
    TooSmall {
        /// Samples in a row.
        width: u32,
        /// Rows.
        height: u32,
        /// Fewest samples.
        needed: u32,
    },
    /// Frames that carry nothing because any change in them would be seen.
    #[error(
        "too many frames of the video are flat: {left_bytes} bytes of the message found no place"
    )]
    Flat {
        /// Bytes that are left.
        left_bytes: u64,
    },
    /// A frame between carrying and not carrying.
    #[error("a frame is so nearly flat that it can't be said whether it carries")]
    Edge,
    /// Frames of different sizes in one video.
    #[error("the video's frames change their size or format midway")]
    Uneven,
    /// The frames don't come through to the last bit.
    #[error("what was hidden does not come out again: the self-check failed")]
    Unproven,
    /// A stream of frames or a file of ours that can't be read or written.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// A thread that broke down.
    #[error("a thread of the run broke down")]
    Thread,
    /// No message for this key, or none that is whole.
    #[error("nothing is revealed: there is no message for this key, or it is damaged")]
    Nothing,
    /// A file that would be overwritten.
    #[error("{} is there already", .0.display())]
    Exists(PathBuf),
    /// A message whose content is no set of files and folders.
    #[error("the payload holds {0}, which is not unpacked")]
    Unpackable(String),
}

impl HideError {
    /// An error of the system, in words.
    pub(super) fn io(what: &'static str) -> impl Fn(io::Error) -> Self {
        move |source| Self::Io { what, source }
    }

    /// What a person can do.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Ffmpeg(error) => return error.hint().map(str::to_owned),
            Self::Turn(error) => error.hint().to_owned(),
            Self::Keys(_) => "give --passphrase-file, --key, or one recipient with -r".to_owned(),
            Self::TooLarge { .. } => {
                "take a longer or larger video, hide less, or raise --max-rate, \
                which makes it easier to detect"
                    .to_owned()
            }
            Self::TooLong { .. } => {
                "take a longer video, hide less, or take a profile that survives less".to_owned()
            }
            Self::Faint => {
                "hide less, take a profile that survives more, or a video with more texture"
                    .to_owned()
            }
            Self::Partly { .. } => {
                "find a copy that is longer, larger, or was encoded at a higher rate".to_owned()
            }
            Self::Flat { .. } | Self::Edge => {
                "take a video with more texture, such as one from a camera".to_owned()
            }
            Self::TooSmall { .. } => "take a larger video".to_owned(),
            Self::Nothing => {
                "check the key or passphrase, and that this is the very file that was \
                made: encoding it again destroys a lossless message"
                    .to_owned()
            }
            Self::Exists(_) => "name another folder with -o".to_owned(),
            Self::StdinTooLong(_) => "give it as a file".to_owned(),
            Self::SameName(_) => "put them into folders, or rename one".to_owned(),
            Self::Io { source, .. } if source.kind() == io::ErrorKind::StorageFull => {
                "free some space; nothing was kept of what was written".to_owned()
            }
            _ => return None,
        })
    }
}
