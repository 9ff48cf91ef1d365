//! A video that is to carry something in its frames, or does.
//!
//! Owns: which videos can, what of a picture has to be said again to an encoder that gets bare frames, and how many frames there are.
//! Refuses to know: what is carried and how. Invariant: of a [`Carrier`]'s raw frames the first plane is the
//! luma, and nothing that ffprobe says about it reaches a command line but numbers and names out of lists of ours.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use crate::child::Launcher;
use crate::error::{Error, Refusal};
use crate::probe::{SourceInfo, VideoTrack, probe_with};
use crate::tools::Tools;

/// Pixel formats that carry: FFmpeg's name, bits in a sample, by how many bits chroma is narrower and lower.
const FORMATS: [(&str, u8, u32, u32); 9] = [
    ("yuv420p", 8, 1, 1),
    ("yuv422p", 8, 1, 0),
    ("yuv444p", 8, 0, 0),
    ("yuvj420p", 8, 1, 1),
    ("yuvj422p", 8, 1, 0),
    ("yuvj444p", 8, 0, 0),
    ("yuv420p10le", 10, 1, 1),
    ("yuv422p10le", 10, 1, 0),
    ("yuv444p10le", 10, 0, 0),
];

/// Names of code points of ITU-T H.273, as ffprobe prints them.
const PRIMARIES: [(&str, u8); 11] = [
    ("bt709", 1),
    ("bt470m", 4),
    ("bt470bg", 5),
    ("smpte170m", 6),
    ("smpte240m", 7),
    ("film", 8),
    ("bt2020", 9),
    ("smpte428", 10),
    ("smpte431", 11),
    ("smpte432", 12),
    ("ebu3213", 22),
];
const TRANSFERS: [(&str, u8); 16] = [
    ("bt709", 1),
    ("bt470m", 4),
    ("bt470bg", 5),
    ("smpte170m", 6),
    ("smpte240m", 7),
    ("linear", 8),
    ("log100", 9),
    ("log316", 10),
    ("iec61966-2-4", 11),
    ("bt1361e", 12),
    ("iec61966-2-1", 13),
    ("bt2020-10", 14),
    ("bt2020-12", 15),
    ("smpte2084", 16),
    ("smpte428", 17),
    ("arib-std-b67", 18),
];
const MATRICES: [(&str, u8); 13] = [
    ("bt709", 1),
    ("fcc", 4),
    ("bt470bg", 5),
    ("smpte170m", 6),
    ("smpte240m", 7),
    ("ycgco", 8),
    ("bt2020nc", 9),
    ("bt2020c", 10),
    ("smpte2085", 11),
    ("chroma-derived-nc", 12),
    ("chroma-derived-c", 13),
    ("ictcp", 14),
    ("gbr", 0),
];
const CHROMA_PLACES: [(&str, u8); 6] =
    [("left", 1), ("center", 2), ("topleft", 3), ("top", 4), ("bottomleft", 5), ("bottom", 6)];

/// A video whose frames can carry something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Carrier {
    /// The file, canonical.
    pub path: PathBuf,
    /// Its size in bytes.
    pub size_bytes: u64,
    /// FFmpeg's number of the picture's stream.
    pub index: u32,
    /// Samples in a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Bits in a sample: 8, or 10 in two bytes, the low one first.
    pub depth: u8,
    /// The levels are those of BT.709's limited range.
    pub limited: bool,
    /// Packets of the picture's stream: frames, if each can be decoded. About as many for a carrier that was only glanced at.
    pub packet_count: u64,
    /// How long the file lasts, where it is told.
    pub duration_us: Option<u64>,
    pub(crate) pixel_format: &'static str,
    pub(crate) frame_bytes: u64,
    pub(crate) half_chroma: bool,
    pub(crate) tags: Tags,
    pub(crate) matrix: Option<[i32; 9]>,
}

/// What bare frames don't tell, as code points of H.273; `None` is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Tags {
    /// 1 limited, 2 full.
    pub(crate) range: Option<u8>,
    pub(crate) primaries: Option<u8>,
    pub(crate) transfer: Option<u8>,
    pub(crate) matrix: Option<u8>,
    pub(crate) chroma_place: Option<u8>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Answer {
    streams: Vec<Stream>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Stream {
    index: u32,
    color_range: Option<String>,
    color_space: Option<String>,
    color_transfer: Option<String>,
    color_primaries: Option<String>,
    chroma_location: Option<String>,
    nb_read_packets: Option<String>,
    side_data_list: Vec<SideData>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct SideData {
    displaymatrix: Option<String>,
}

impl Carrier {
    /// Reads what `path` is, and counts its frames: that takes reading all of the file, and decodes nothing.
    ///
    /// # Errors
    /// As [`probe`](crate::probe::probe); [`Refusal::Carrier`] for a video whose frames can't carry.
    pub async fn inspect(launcher: &Launcher, tools: &Tools, path: &Path) -> Result<Self, Error> {
        // Asked together: a second ffprobe takes longer to start than most files to be read.
        let (source, answer) = probe_with(launcher, tools, path, &["-count_packets"]).await?;
        let count =
            |_: &VideoTrack, stream: &Stream| stream.nb_read_packets.as_deref()?.parse().ok();
        Self::of(source, &answer, count)
    }

    /// As [`Carrier::inspect`], for who doesn't need to know how many frames there are: their number is guessed from duration and rate.
    ///
    /// # Errors
    /// As [`Carrier::inspect`].
    pub async fn glance(launcher: &Launcher, tools: &Tools, path: &Path) -> Result<Self, Error> {
        let (source, answer) = probe_with(launcher, tools, path, &[]).await?;
        let seconds = source.duration_us.map_or(0.0, |us| Duration::from_micros(us).as_secs_f64());
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "at most a day of frames"
        )]
        let count =
            |video: &VideoTrack, _: &Stream| Some((seconds * video.source_fps).max(1.0) as u64);
        Self::of(source, &answer, count)
    }

    fn of(
        source: SourceInfo,
        answer: &[u8],
        count: impl FnOnce(&VideoTrack, &Stream) -> Option<u64>,
    ) -> Result<Self, Error> {
        let Some(video) = source.video else {
            return Err(Refusal::Carrier("it has no picture".to_owned()).into());
        };
        let format = FORMATS.iter().find(|(name, ..)| *name == video.pixel_format);
        let Some((pixel_format, depth, narrower, lower)) = format.copied() else {
            return Err(Refusal::Carrier(format!(
                "its pixels are {}, and planes of 8 or 10 bit Y, U and V are needed",
                video.pixel_format
            ))
            .into());
        };
        let (width, height) = (u64::from(video.width), u64::from(video.height));
        let chroma = width.div_ceil(1 << narrower) * height.div_ceil(1 << lower);
        let samples = width * height + 2 * chroma;
        let stream = Stream::numbered(video.index, answer)?;
        let tags = Tags::of(&stream);
        let packet_count = count(&video, &stream).filter(|count| *count > 0);
        Ok(Self {
            path: source.path,
            size_bytes: source.size_bytes,
            index: video.index,
            width: video.width,
            height: video.height,
            depth,
            limited: !video.full_range,
            packet_count: packet_count
                .ok_or_else(|| Refusal::Carrier("it has no frames".to_owned()))?,
            duration_us: source.duration_us,
            pixel_format,
            frame_bytes: samples * u64::from(depth).div_ceil(8),
            half_chroma: width % (1 << narrower) + height % (1 << lower) > 0,
            tags: Tags { range: if video.full_range { Some(2) } else { tags.range }, ..tags },
            matrix: stream
                .side_data_list
                .iter()
                .find_map(|data| turn(data.displaymatrix.as_deref()?)),
        })
    }

    /// Bytes of a raw frame, all planes one after the other.
    #[must_use]
    pub fn frame_bytes(&self) -> u64 {
        self.frame_bytes
    }

    /// Whether a row or column of chroma stands for one sample of luma alone.
    pub(crate) fn has_half_chroma(&self) -> bool {
        self.half_chroma
    }

    /// Whether it has to be turned or mirrored to be seen as it was meant.
    #[must_use]
    pub fn is_turned(&self) -> bool {
        self.matrix.is_some()
    }
}

impl Stream {
    /// The stream of this number out of ffprobe's answer.
    fn numbered(index: u32, answer: &[u8]) -> Result<Self, Error> {
        let answer: Answer = serde_json::from_slice(answer)
            .map_err(|error| Error::ToolBroken { tool: "ffprobe", why: error.to_string() })?;
        let found = answer.streams.into_iter().find(|stream| stream.index == index);
        Ok(found.unwrap_or_default())
    }
}

impl Tags {
    fn of(stream: &Stream) -> Self {
        let range = stream.color_range.as_deref();
        Self {
            range: code_point(&[("tv", 1), ("pc", 2)], range),
            primaries: code_point(&PRIMARIES, stream.color_primaries.as_deref()),
            transfer: code_point(&TRANSFERS, stream.color_transfer.as_deref()),
            matrix: code_point(&MATRICES, stream.color_space.as_deref()),
            chroma_place: code_point(&CHROMA_PLACES, stream.chroma_location.as_deref()),
        }
    }
}

fn code_point(names: &[(&str, u8)], name: Option<&str>) -> Option<u8> {
    names.iter().find(|(known, _)| Some(*known) == name).map(|(_, code)| *code)
}

/// A display matrix as ffprobe prints it, three rows of `00000000: a b c`; `None` for one that changes nothing.
fn turn(text: &str) -> Option<[i32; 9]> {
    const UPRIGHT: [i32; 9] = [1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30];
    let rows = text.lines().filter_map(|line| line.split_once(':'));
    let numbers = rows.flat_map(|(_, row)| row.split_whitespace().map(str::parse));
    let matrix = numbers.collect::<Result<Vec<i32>, _>>().ok()?;
    let matrix: [i32; 9] = matrix.try_into().ok()?;
    (matrix != UPRIGHT).then_some(matrix)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_display_matrix_is_read_as_ffprobe_prints_it() {
        let text = "\n00000000:            0       65536           0\n00000001:       -65536           0           \
                    0\n00000002:            0           0  1073741824\n";
        assert_eq!(turn(text), Some([0, 65536, 0, -65536, 0, 0, 0, 0, 1 << 30]));
        let upright = "0: 65536 0 0\n1: 0 65536 0\n2: 0 0 1073741824";
        assert_eq!(turn(upright), None);
        assert_eq!(turn("0: 1 2 3\n1: 4 5 x\n2: 7 8 9"), None);
    }

    #[test]
    fn only_names_that_we_know_become_numbers() {
        assert_eq!(code_point(&TRANSFERS, Some("smpte2084")), Some(16));
        assert_eq!(code_point(&MATRICES, Some("unknown")), None);
        assert_eq!(code_point(&MATRICES, None), None);
    }
}
