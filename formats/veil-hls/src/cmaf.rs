//! Cuts one track of fragmented MP4 into CMAF pieces while the bytes stream by.
//!
//! Owns: the box walk of ISO/IEC 14496-12 that a single-track `ftyp moov (moof mdat)*` stream
//! needs, the segment boundaries, the RFC 6381 codec string, and the shift that makes presentation
//! start at zero. Refuses to know: files, pipes, clocks, playlists, what the samples contain.
//!
//! Invariant: the pieces depend only on the bytes and the segment length asked for, never on how
//! the bytes were divided into pushes; nothing here panics, and every buffer has a named limit.

mod boxes;
mod codec;
mod fragment;
mod init;
mod pad;
mod split;
#[cfg(test)]
mod tests;

pub use init::{Media, TrackInfo};
pub use pad::{PADDING_BYTES, pad, padded_length};
pub use split::Splitter;

/// The segment length that Veilcast packages to, in microseconds.
pub const SEGMENT_TARGET_US: u64 = 2_000_000;

/// Largest `ftyp` and `moov` together: a single-track init segment of FFmpeg is below 2 KiB; more
/// means sample tables, which a fragmented file does not have.
pub const INIT_BYTES_MAX: u64 = 1 << 20;

/// Largest `moof`: [`SAMPLES_MAX`] samples at 16 bytes each, and room for the headers.
pub const MOOF_BYTES_MAX: u64 = 1 << 20;

/// Largest media segment. The tallest rung is capped at about 5 MiB for 2 s; a keyframe that never
/// comes must end in an error, not in all of the memory.
pub const SEGMENT_BYTES_MAX: u64 = 64 << 20;

/// Most samples in one fragment: half a second of audio has 24, of video at most 60.
pub const SAMPLES_MAX: u32 = 1 << 16;

/// Most `trun` boxes in one fragment; FFmpeg writes one for each interruption of the data.
pub const RUNS_MAX: usize = 64;

/// What the splitter hands over, in the order in which a player needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// The initialisation segment; always first and exactly once.
    Init {
        /// `ftyp` and `moov`.
        bytes: Vec<u8>,
        /// What the boxes say about the track.
        info: TrackInfo,
    },
    /// One media segment: one or more `moof`/`mdat` pairs, the first sample a sync sample.
    Segment {
        /// The fragments, complete.
        bytes: Vec<u8>,
        /// Presentation time of the first sample, in microseconds.
        start_us: u64,
        /// Length of the presentation in microseconds; the sum over all segments is exact to 1 µs.
        duration_us: u64,
    },
}

/// Why a stream is not the fragmented MP4 that a player can be given.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CmafError {
    /// A box claims a size that cannot be.
    #[error("the `{kind}` box claims {size} bytes, the limit is {limit}")]
    TooLarge {
        /// The box, as its four characters.
        kind: String,
        /// The size in its header.
        size: u64,
        /// The named limit that it exceeds.
        limit: u64,
    },
    /// A box is shorter than what it must hold, or its parts disagree.
    #[error("the `{kind}` box is malformed: {what}")]
    Malformed {
        /// The box, as its four characters.
        kind: String,
        /// What is wrong with it.
        what: &'static str,
    },
    /// A box came out of order.
    #[error("unexpected `{kind}` box: {what}")]
    Unexpected {
        /// The box, as its four characters.
        kind: String,
        /// What was expected instead.
        what: &'static str,
    },
    /// The stream has a feature that a CMAF track of ours never has.
    #[error("unsupported stream: {0}")]
    Unsupported(&'static str),
    /// The stream ended inside a box or between a `moof` and its `mdat`.
    #[error("the stream ends in the middle of a fragment")]
    Truncated,
    /// The stream ended without a single sample.
    #[error("the stream has no samples")]
    Empty,
    /// The splitter was used after it had returned an error.
    #[error("the stream was already refused")]
    Poisoned,
}
