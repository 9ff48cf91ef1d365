//! The media library and its uploads.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum MediaKind {
    /// Pictures that move.
    Video,
    /// Sound alone.
    Audio,
    /// One picture.
    Image,
}

/// Watched folders.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct Watched {
    /// The folders; none where nothing is watched.
    pub folders: Vec<String>,
    /// Whether the system tells of changes; a look is taken every few seconds where it doesn't.
    pub is_told: bool,
    /// Files that still change, or wait for others.
    pub waiting: u64,
    /// Files that are in the library.
    pub taken: i64,
    /// Files that are no media.
    pub refused: i64,
    /// What went wrong last, and is tried again.
    #[schema(required)]
    pub fault: Option<String>,
    /// The last files, newest first.
    pub last: Vec<WatchedFile>,
}

/// A file of a watched folder.
#[derive(Debug, Serialize, ToSchema)]
pub struct WatchedFile {
    /// Where it lies.
    pub path: String,
    /// The medium that it became.
    #[schema(required)]
    pub media: Option<String>,
    /// Why it became none.
    #[schema(required)]
    pub error: Option<String>,
    /// RFC 3339, UTC.
    pub at: String,
}

/// A file of the library.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Medium {
    /// 32 hex digits; documents call it `media:<id>`.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// Its size.
    pub bytes: i64,
    /// What it is.
    pub kind: MediaKind,
    /// Its length in microseconds; 0 for a picture, and where it isn't known.
    pub duration_us: i64,
    /// Pixels in a row; 0 without a picture.
    pub width: i64,
    /// Rows; 0 without a picture.
    pub height: i64,
    /// What it is encoded by, as FFmpeg calls it.
    pub codec: String,
    /// What browsers call it, such as `video/mp4`; `application/octet-stream` for what they don't play.
    pub media_type: String,
    /// RFC 3339, UTC.
    pub added_at: String,
    /// BLAKE3 of its content, in hex.
    pub hash: String,
    /// Whether `/thumbnail` has a picture.
    pub has_thumbnail: bool,
    /// Whether `/waveform` has one.
    pub has_waveform: bool,
}

/// How loud a file is over time.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Waveform {
    /// Peaks a second.
    pub rate: u32,
    /// The largest sample of each span, from 0 to 255.
    pub peaks: Vec<u8>,
}
