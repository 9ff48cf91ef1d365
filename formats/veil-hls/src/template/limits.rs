//! What a playlist may cost, and why one is refused.

use super::{AttributeFault, ReferenceFault};

/// What a playlist may cost before it is refused.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Longest playlist, in bytes.
    pub playlist_bytes: usize,
    /// Longest line, in bytes without its line end.
    pub line_bytes: usize,
    /// Most URIs that are rewritten; each one costs a signature.
    pub slot_count: usize,
    /// Longest rewritten playlist, in bytes.
    pub emitted_bytes: usize,
}

impl Default for Limits {
    /// 24 hours of 2-second segments fit: 43,200 slots, about 2.6 MB of text, and 20 MB of presigned URLs; with a long
    /// session token in each of them less.
    fn default() -> Self {
        Self {
            playlist_bytes: 4 << 20,
            line_bytes: 16 << 10,
            slot_count: 50_000,
            emitted_bytes: 64 << 20,
        }
    }
}

/// Why a text is no playlist that can be rewritten. Lines count from 1.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum PlaylistError {
    /// The text is longer than [`Limits::playlist_bytes`].
    #[error("the playlist is longer than {limit_bytes} bytes")]
    TooLong {
        /// The limit.
        limit_bytes: usize,
    },
    /// There are more slots than [`Limits::slot_count`].
    #[error("the playlist has more than {limit} URIs")]
    TooManyUris {
        /// The limit.
        limit: usize,
    },
    /// The line is longer than [`Limits::line_bytes`].
    #[error("line {line} of the playlist is too long")]
    LineTooLong {
        /// The line.
        line: usize,
    },
    /// The text is not UTF-8.
    #[error("the playlist is not UTF-8")]
    NotUtf8,
    /// The first line is not `#EXTM3U`.
    #[error("the playlist does not begin with #EXTM3U")]
    NoHeader,
    /// The line holds a carriage return that ends no line, a zero byte, or white space before `#`:
    /// readers disagree on what such a line is.
    #[error("line {line} of the playlist reads differently in different players")]
    AmbiguousLine {
        /// The line.
        line: usize,
    },
    /// The line's attribute list is broken where its URI should be.
    #[error("line {line} of the playlist: {fault}")]
    Attribute {
        /// The line.
        line: usize,
        /// What is wrong.
        fault: AttributeFault,
    },
    /// The line's URI leaves the playlist's folder or cannot be rewritten.
    #[error("line {line} of the playlist: {fault}")]
    Reference {
        /// The line.
        line: usize,
        /// What is wrong.
        fault: ReferenceFault,
    },
    /// The rewritten playlist would be longer than [`Limits::emitted_bytes`].
    #[error("the rewritten playlist is longer than {limit_bytes} bytes")]
    EmittedTooLong {
        /// The limit.
        limit_bytes: usize,
    },
    /// A variable has a name that the playlist itself defines.
    #[error("the playlist defines the variable {name} itself")]
    VariableTaken {
        /// The variable's name.
        name: String,
    },
    /// A variable has a name or value that `EXT-X-DEFINE` can't hold.
    #[error("the variable {name} holds a character that playlists can't")]
    BadVariable {
        /// The variable's name.
        name: String,
    },
}
