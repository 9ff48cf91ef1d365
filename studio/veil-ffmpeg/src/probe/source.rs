//! What a source is, in our own words.
//!
//! Owns: the typed description that ladders and commands are made from. Refuses to know: where the
//! facts come from.

use std::path::PathBuf;

use super::Rate;

/// A bit rate below which a header's duration is not believed: a minute of still picture without
/// sound has more than 60 kB. (A file that claims 40 hours in 100 kB is met in practice.)
const BPS_MIN: u64 = 4_000;

/// A source that can be packaged.
#[derive(Debug, Clone, PartialEq)]
pub struct SourceInfo {
    /// The file, canonical.
    pub path: PathBuf,
    /// Its size.
    pub size_bytes: u64,
    /// The container, as FFmpeg calls it.
    pub container: String,
    /// The length in microseconds, if the header tells it believably or the packets do.
    pub duration_us: Option<u64>,
    /// The picture; `None` for sound alone.
    pub video: Option<VideoTrack>,
    /// The sound, each track.
    pub audio: Vec<AudioTrack>,
    /// The subtitles that are text.
    pub subtitles: Vec<SubtitleTrack>,
    /// Tracks that are left out, with the reason.
    pub skipped: Vec<SkippedTrack>,
    /// The chapters, in order of their beginnings.
    pub chapters: Vec<Chapter>,
}

/// The picture that is packaged.
#[derive(Debug, Clone, PartialEq)]
pub struct VideoTrack {
    /// FFmpeg's stream number.
    pub index: u32,
    /// The codec, as FFmpeg calls it.
    pub codec: String,
    /// Width as decoded, in pixels.
    pub width: u32,
    /// Height as decoded, in pixels.
    pub height: u32,
    /// Width as shown: square pixels, upright.
    pub display_width: u32,
    /// Height as shown.
    pub display_height: u32,
    /// How it has to be turned to stand upright.
    pub orientation: Orientation,
    /// The pixel format, as FFmpeg calls it.
    pub pixel_format: String,
    /// The constant frame rate of the ladder.
    pub rate: Rate,
    /// The highest rate that the source may have.
    pub source_fps: f64,
    /// Luma runs over the full range.
    pub full_range: bool,
    /// The matrix between RGB and the planes.
    pub matrix: Matrix,
    /// Standard or high dynamic range.
    pub dynamics: Dynamics,
    /// The primaries are those of BT.2020.
    pub wide_gamut: bool,
    /// Lines come in fields.
    pub interlaced: bool,
}

/// The matrix of a source's planes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Matrix {
    /// Planes are red, green and blue.
    Rgb,
    /// BT.601.
    Bt601,
    /// BT.709.
    Bt709,
    /// BT.2020, non-constant luminance.
    Bt2020,
}

/// The transfer of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Dynamics {
    /// Standard dynamic range.
    Sdr,
    /// SMPTE ST 2084, as HDR10 has it.
    Pq,
    /// Hybrid log-gamma.
    Hlg,
}

/// A turn, in the order: mirror, then rotate. Named for the filter that undoes the camera's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Orientation {
    /// As it is.
    Upright,
    /// A quarter turn clockwise.
    Clockwise,
    /// A quarter turn clockwise, mirrored.
    ClockwiseFlip,
    /// A half turn.
    UpsideDown,
    /// A quarter turn counter-clockwise.
    CounterClockwise,
    /// A quarter turn counter-clockwise, mirrored.
    CounterClockwiseFlip,
    /// Left and right exchanged.
    HorizontalFlip,
    /// Top and bottom exchanged.
    VerticalFlip,
}

impl Orientation {
    /// Width and height change places.
    #[must_use]
    pub fn swaps_axes(self) -> bool {
        use Orientation::{Clockwise, ClockwiseFlip, CounterClockwise, CounterClockwiseFlip};
        matches!(self, Clockwise | ClockwiseFlip | CounterClockwise | CounterClockwiseFlip)
    }
}

/// A sound track.
#[derive(Debug, Clone, PartialEq)]
pub struct AudioTrack {
    /// FFmpeg's stream number.
    pub index: u32,
    /// The codec, as FFmpeg calls it.
    pub codec: String,
    /// Channels of the source; the ladder has two.
    pub channels: u32,
    /// BCP 47 tag.
    pub language: Option<String>,
    /// The track's own title.
    pub title: Option<String>,
    /// Marked as the one to play.
    pub default: bool,
    /// It may begin later than the file does, and needs silence before it.
    pub starts_late: bool,
}

/// A subtitle track that is text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubtitleTrack {
    /// FFmpeg's stream number.
    pub index: u32,
    /// The codec, as FFmpeg calls it.
    pub codec: String,
    /// BCP 47 tag.
    pub language: Option<String>,
    /// The track's own title.
    pub title: Option<String>,
    /// Marked as the one to show.
    pub default: bool,
    /// Shown even to those who want no subtitles: signs, foreign speech.
    pub forced: bool,
}

/// A chapter: it lasts until the next one begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chapter {
    /// Where it begins, in microseconds from the source's beginning.
    pub start_us: u64,
    /// What it is called; empty where it has no name.
    pub title: String,
}

/// A track that is left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkippedTrack {
    /// FFmpeg's stream number.
    pub index: u32,
    /// What it is and why it is left out, for a person.
    pub reason: String,
}

/// Whether a file of `size_bytes` may last `duration_us`.
pub(super) fn is_plausible(duration_us: u64, size_bytes: u64) -> bool {
    let bits = u128::from(size_bytes) * 8 * 1_000_000;
    duration_us > 0 && bits >= u128::from(duration_us) * u128::from(BPS_MIN)
}

/// Seconds as microseconds; `None` for what is not a length.
pub(super) fn seconds_to_us(seconds: f64) -> Option<u64> {
    /// A century: everything below is exact enough in `f64` and fits `u64`.
    const SECONDS_MAX: f64 = 3.2e9;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the range is checked"
    )]
    let us = |seconds: f64| (seconds * 1e6).round() as u64;
    (seconds > 0.0 && seconds < SECONDS_MAX).then(|| us(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_that_the_size_denies_is_not_believed() {
        assert!(!is_plausible(143_165_643_233, 106_093));
        assert!(is_plausible(52_208_333, 7_608_204));
        assert!(is_plausible(15_019_000, 7_919));
        assert!(!is_plausible(0, 10));
        assert_eq!(seconds_to_us(1.5), Some(1_500_000));
        assert_eq!(seconds_to_us(f64::NAN), None);
        assert_eq!(seconds_to_us(-1.0), None);
        assert_eq!(seconds_to_us(1e300), None);
    }
}
