//! What can go wrong, said so that a person knows whose fault it is and what to do.
//!
//! Invariant: [`Refusal`] is about the source, [`Error`] about everything else; no message of
//! ours names a file, since the caller knows which one it handed over; FFmpeg's own words may.

use std::time::Duration;

/// Why FFmpeg could not do its work.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The program is not installed.
    #[error("{tool} is missing")]
    ToolMissing {
        /// `ffmpeg` or `ffprobe`.
        tool: &'static str,
    },
    /// The program is older than the oldest that we support.
    #[error("{tool} is too old: version {found}, at least 5.1 is needed")]
    ToolTooOld {
        /// `ffmpeg` or `ffprobe`.
        tool: &'static str,
        /// The version that it prints.
        found: String,
    },
    /// The program was built without something that packaging needs.
    #[error("this FFmpeg lacks {what}")]
    ToolLacks {
        /// The encoders or filters, spelled as FFmpeg spells them.
        what: String,
    },
    /// The program does not answer as FFmpeg does.
    #[error("{tool} does not answer as expected: {why}")]
    ToolBroken {
        /// `ffmpeg` or `ffprobe`.
        tool: &'static str,
        /// What it did instead.
        why: String,
    },
    /// The child could not be locked in.
    #[error("the sandbox cannot be entered: {0}")]
    Sandbox(String),
    /// The operating system refused a process, a thread or a pipe.
    #[error("cannot start {what}")]
    Start {
        /// What was to be started.
        what: &'static str,
        /// The system's reason.
        #[source]
        source: std::io::Error,
    },
    /// The source is at fault.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// FFmpeg gave up.
    #[error("{step} failed: {}", said(.stderr))]
    Failed {
        /// What it was doing.
        step: &'static str,
        /// The end of what it wrote on standard error.
        stderr: String,
    },
    /// FFmpeg did not get any further.
    #[error("{step} stood still for {} s and was stopped", .after.as_secs())]
    Stalled {
        /// What it was doing.
        step: &'static str,
        /// How long nothing happened.
        after: Duration,
    },
    /// FFmpeg took longer than a short step may take.
    #[error("{step} took longer than {} s and was stopped", .limit.as_secs())]
    TimedOut {
        /// What it was doing.
        step: &'static str,
        /// The limit.
        limit: Duration,
    },
    /// FFmpeg wrote more than a short step may write.
    #[error("{step} wrote more than {limit_bytes} bytes and was stopped")]
    TooMuchOutput {
        /// What it was doing.
        step: &'static str,
        /// The limit.
        limit_bytes: usize,
    },
    /// Reading from the child failed.
    #[error("cannot read from FFmpeg")]
    Read(#[source] std::io::Error),
}

impl Error {
    /// What the person at the keyboard can do about it, if anything.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::ToolMissing { .. } => "install it: apt-get install ffmpeg",
            Self::ToolTooOld { .. } => "install FFmpeg 5.1 or newer, as Debian 12 has it",
            Self::ToolLacks { .. } => "use a full build of FFmpeg, as Debian's `ffmpeg` package is",
            Self::Sandbox(_) => {
                "Landlock and seccomp are needed: Linux 5.13 or newer, and a container that allows both"
            }
            Self::Stalled { .. } | Self::TimedOut { .. } => {
                "the file may be damaged, or its disk very slow: try a copy of it"
            }
            Self::Failed { stderr, .. } if stderr.contains("No space left on device") => {
                "free some space; nothing was kept of what was written"
            }
            Self::Failed { stderr, .. } if stderr.contains("SIGXFSZ") => {
                "files of this size are not allowed here: see `ulimit -f`"
            }
            Self::Failed { step: crate::raw::ENCODING, .. } => {
                "if it names sound or subtitles, the output can't hold them as they are: .mkv takes most, \
                 .mov and .mp4 what comes from there"
            }
            Self::Refused(refusal) => return refusal.hint(),
            _ => return None,
        })
    }
}

/// Why a source cannot be packaged. Always true of the file itself.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// There is no such file, or it may not be read.
    #[error("the file cannot be read: {0}")]
    Unreadable(String),
    /// A folder, device or pipe.
    #[error("not a regular file")]
    NotAFile,
    /// No bytes.
    #[error("the file is empty")]
    Empty,
    /// A list of other files.
    #[error("the file is a {0}, which only points at other files")]
    Playlist(&'static str),
    /// FFmpeg does not know it as a video or sound container.
    #[error("not a video: {0}")]
    NotMedia(String),
    /// It looks like a video, but cannot be opened.
    #[error("the file is damaged or incomplete: {0}")]
    Damaged(String),
    /// Nothing to see and nothing to hear.
    #[error("the file has neither picture nor sound that FFmpeg can decode")]
    NoStreams,
    /// Nothing to see.
    #[error("the file has no picture")]
    NoPicture,
    /// There is a picture, but no decoder for it.
    #[error("the picture cannot be decoded: {0}")]
    Undecodable(String),
    /// The picture is too small to be a video.
    #[error("the picture is {width}×{height}, at least {min}×{min} is needed")]
    TooSmall {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
        /// The limit.
        min: u32,
    },
    /// The picture is so large that decoding it would eat the memory.
    #[error(
        "the picture is {width}×{height}, larger than {max_side} pixels a side or {max_pixels} in all"
    )]
    TooLarge {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
        /// The limit of each side.
        max_side: u32,
        /// The limit of the product.
        max_pixels: u64,
    },
    /// Longer than a day.
    #[error("the video is {hours} hours long, at most {max_hours} are supported")]
    TooLong {
        /// Its length.
        hours: u64,
        /// The limit.
        max_hours: u64,
    },
    /// Colours that nothing here can convert.
    #[error("{0}")]
    Colour(&'static str),
    /// Frames that can't carry anything, or not in the way that is asked for.
    #[error("the video can't carry a message: {0}")]
    Carrier(String),
    /// The ladder asked for makes no sense.
    #[error("the ladder is not possible: {0}")]
    Ladder(String),
}

impl Refusal {
    fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::Playlist(_) => "import the video files that it names",
            Self::Damaged(_) => "check that the file was copied or recorded to its end",
            Self::Undecodable(_) => {
                "convert it with the program that made it, for example to H.264"
            }
            Self::Ladder(_) => "write `auto`, or heights such as 480,720,1080",
            _ => return None,
        })
    }
}

fn said(stderr: &str) -> &str {
    if stderr.is_empty() { "it did not say why" } else { stderr }
}
