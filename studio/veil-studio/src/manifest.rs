//! The title manifest: what a title is made of, sealed for the player.
//!
//! Specification: `docs/format/title-manifest.md`; these are its wire types.

use serde::{Deserialize, Serialize};

/// The version that this build writes.
pub const VERSION: u32 = 1;
/// Rendition numbers of sound start here.
pub const FIRST_AUDIO: u16 = 256;
/// Rendition numbers of subtitles start here.
pub const FIRST_SUBTITLES: u16 = 512;

/// A title as its player sees it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct TitleManifest {
    /// [`VERSION`].
    pub v: u32,
    /// What a person calls it.
    pub title: String,
    /// Duration in microseconds.
    pub duration_us: u64,
    /// The poster, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub poster: Option<ImageFacts>,
    /// The storyboard, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storyboard: Option<StoryboardFacts>,
    /// Chapters, strictly rising and within the duration; none is written where there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub chapters: Vec<Chapter>,
    /// Pictures, sound and subtitles.
    pub renditions: Vec<Rendition>,
}

/// A chapter: it lasts until the next one begins.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Chapter {
    /// Where it begins, in microseconds.
    pub start_us: u64,
    /// What a person reads; empty where it has no name.
    pub title: String,
}

/// An image object.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ImageFacts {
    /// `image/webp`.
    pub media_type: String,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Plaintext bytes.
    pub length: u64,
}

/// Sheets of thumbnails for the seek bar.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct StoryboardFacts {
    /// `image/webp`.
    pub media_type: String,
    /// Time between tiles in microseconds.
    pub interval_us: u64,
    /// Width of a tile in pixels.
    pub tile_width: u32,
    /// Height of a tile in pixels.
    pub tile_height: u32,
    /// Tiles across a sheet.
    pub columns: u32,
    /// Tiles down a sheet.
    pub rows: u32,
    /// Tiles on all sheets.
    pub tile_count: u64,
    /// Plaintext bytes of each sheet.
    pub sheets: Vec<u64>,
}

/// Duration in microseconds and plaintext length in bytes.
pub type SegmentFacts = (u64, u64);

/// A rendition: how it is described and what it consists of.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Rendition {
    /// Its number in object roles.
    pub id: u16,
    /// RFC 6381 codecs.
    pub codecs: String,
    /// Plaintext bytes of its initialisation segment; subtitles have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub init_length: Option<u64>,
    /// Peak segment bit rate over sealed bytes; 0 for subtitles.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub bandwidth_bps: u64,
    /// Average bit rate over sealed bytes; 0 for subtitles.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub average_bandwidth_bps: u64,
    /// Whether it lies in the bucket as one rendition file; subtitles never do.
    #[serde(default, skip_serializing_if = "is_false")]
    pub single_file: bool,
    /// Whether its segments exist in two variants, of which a viewer's grant opens one.
    #[serde(default, skip_serializing_if = "is_false")]
    pub marked: bool,
    /// Its segments in order.
    pub segments: Vec<SegmentFacts>,
    /// What it is.
    #[serde(flatten)]
    pub media: Media,
}

impl Rendition {
    /// The sum of its segments' durations in microseconds.
    #[must_use]
    pub fn duration_us(&self) -> u64 {
        self.segments.iter().map(|(duration_us, _)| duration_us).sum()
    }
}

/// What a rendition carries.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Media {
    /// Pictures.
    Video {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
        /// Frames a second.
        frame_rate: f64,
    },
    /// Sound.
    Audio {
        /// Count of channels.
        channels: u16,
        /// How it is labelled.
        #[serde(flatten)]
        label: Label,
    },
    /// Subtitles.
    Subtitles {
        /// Whether it shows only what can't be understood without it.
        forced: bool,
        /// How it is labelled.
        #[serde(flatten)]
        label: Label,
    },
}

/// What a person chooses a track by.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Label {
    /// A name to read.
    pub name: String,
    /// BCP 47 tag, when known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// Whether it is chosen unless the viewer chooses.
    pub default: bool,
}

#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde's skip_serializing_if wants a reference"
)]
fn is_zero(value: &u64) -> bool {
    *value == 0
}

#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde's skip_serializing_if wants a reference"
)]
fn is_false(value: &bool) -> bool {
    !value
}
