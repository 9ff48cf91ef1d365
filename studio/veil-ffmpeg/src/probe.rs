//! Looks at a source before anything is decided about it.
//!
//! Owns: the questions to ffprobe, the containers that we open at all, and the true reason when a
//! source is refused. Refuses to know: ladders, encoders.
//!
//! Invariant: a source that passes has a picture or sound that FFmpeg has a decoder for, within
//! [`SIDE_MAX`] and [`PIXELS_MAX`]; nothing that a source names is ever opened.

mod chapters;
mod choose;
mod rate;
mod sniff;
mod source;
mod wire;

use std::path::Path;
use std::time::Duration;

use tokio::io::AsyncReadExt as _;

use crate::child::{Bounds, Invocation, Launcher, collect, file_url};
use crate::error::{Error, Refusal};
use crate::lines::each_line;
use crate::sandbox::{Confinement, Jail};
use crate::tools::Tools;

pub use chapters::{CHAPTER_CHARS_MAX, CHAPTERS_MAX};
pub use rate::Rate;
pub use source::{
    AudioTrack, Chapter, Dynamics, Matrix, Orientation, SkippedTrack, SourceInfo, SubtitleTrack,
    VideoTrack,
};

/// Containers of real media. Never a list of other files (`hls`, `dash`, `concat`), a pattern of
/// file names (`image2`), a device or a generator (`lavfi`).
pub(crate) const CONTAINERS: &str = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,\
    mpeg,mpegvideo,flv,asf,ogg,mxf,nut,ivf,obu,rm,dv,gxf,wtv,h264,hevc,m4v,vc1,yuv4mpegpipe,gif,apng,\
    mp3,aac,flac,wav,w64,aiff,caf,ac3,eac3,dts,amr";

/// How much is read to find the streams; transport streams announce none of them up front.
pub(crate) const PROBE_ARGS: [&str; 4] = ["-probesize", "20000000", "-analyzeduration", "10000000"];

/// Smallest side of a picture: one macroblock.
pub const SIDE_MIN: u32 = 16;

/// Largest side of a picture: 8K.
pub const SIDE_MAX: u32 = 8192;

/// Most pixels of a picture: 8192 × 4608. Larger ones are allocation bombs to a decoder.
pub const PIXELS_MAX: u64 = 8192 * 4608;

/// Largest single allocation of FFmpeg: a picture of [`PIXELS_MAX`] in 16-bit 4:4:4, or the index
/// of a day of video.
pub(crate) const ALLOCATION_BYTES_MAX: u64 = 1 << 30;

/// Longest source: the sums of a day fit everywhere, and no source of a person is longer.
pub const DURATION_MAX_US: u64 = 24 * 3600 * 1_000_000;

/// ffprobe answers within a second or two; a minute covers a slow disk.
const BOUNDS: Bounds = Bounds {
    step: "reading the file's streams",
    time: Duration::from_secs(60),
    // About 1 KiB a stream, and FFmpeg stops at 1000 streams.
    output_bytes: 4 << 20,
};

/// Counting packets reads the whole file.
pub(crate) const SCAN_TIME_MAX: Duration = Duration::from_secs(600);

const ENTRIES: &str = "format=format_name,duration,start_time:stream=index,codec_name,codec_type,\
    codec_tag_string,width,height,sample_aspect_ratio,pix_fmt,color_range,color_space,color_transfer,\
    color_primaries,chroma_location,field_order,r_frame_rate,avg_frame_rate,start_time,duration,nb_read_packets,\
    channels,sample_rate:\
    stream_disposition=default,forced,attached_pic,timed_thumbnails:stream_tags=language,title,DURATION:\
    stream_side_data=side_data_type,rotation,displaymatrix,dv_profile,dv_bl_signal_compatibility_id:\
    chapter=start_time:chapter_tags=title";

/// Reads what `path` is.
///
/// # Errors
/// [`Error::Refused`] with the reason when it cannot be packaged; other errors are not the source's
/// fault.
pub async fn probe(launcher: &Launcher, tools: &Tools, path: &Path) -> Result<SourceInfo, Error> {
    Ok(probe_with(launcher, tools, path, &[]).await?.0)
}

/// As [`probe`], with these arguments beside; returns what ffprobe answered as well.
pub(crate) async fn probe_with(
    launcher: &Launcher,
    tools: &Tools,
    path: &Path,
    more: &[&str],
) -> Result<(SourceInfo, Vec<u8>), Error> {
    let unreadable = |error: std::io::Error| Refusal::Unreadable(error.kind().to_string());
    let path = tokio::fs::canonicalize(path).await.map_err(unreadable)?;
    let metadata = tokio::fs::metadata(&path).await.map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(Refusal::NotAFile.into());
    }
    let file = tokio::fs::File::open(&path).await.map_err(unreadable)?;
    let mut head = Vec::new();
    file.take(sniff::HEAD_BYTES).read_to_end(&mut head).await.map_err(unreadable)?;
    let kind = sniff::sniff(&head)?;

    let args = [&["-show_entries", ENTRIES, "-of", "json=compact=1"], more].concat();
    let time = if more.is_empty() { BOUNDS.time } else { SCAN_TIME_MAX };
    let bounds = Bounds { time, ..BOUNDS };
    let (json, exit) = collect(launcher, ffprobe(tools, &path, &args), bounds).await?;
    if !exit.status.success() {
        return Err(sniff::explain(kind, &exit.stderr).into());
    }
    let answer: wire::Answer = serde_json::from_slice(&json)
        .map_err(|error| Error::ToolBroken { tool: "ffprobe", why: error.to_string() })?;
    let mut source = choose::source(path, metadata.len(), answer).map_err(|refusal| {
        match (refusal, sniff::impossible_size(&exit.stderr)) {
            (Refusal::Undecodable(_), Some((width, height))) => too_large(width, height),
            (refusal, _) => refusal,
        }
    })?;
    if source.duration_us.is_none() {
        source.duration_us = scan_duration(launcher, tools, &source).await?;
    }
    if let Some(duration_us) = source.duration_us.filter(|us| *us > DURATION_MAX_US) {
        let hours = |us| us / 3_600_000_000;
        let (hours, max_hours) = (hours(duration_us), hours(DURATION_MAX_US));
        return Err(Refusal::TooLong { hours, max_hours }.into());
    }
    Ok((source, json))
}

fn too_large(width: u32, height: u32) -> Refusal {
    Refusal::TooLarge { width, height, max_side: SIDE_MAX, max_pixels: PIXELS_MAX }
}

pub(crate) fn ffprobe(tools: &Tools, path: &Path, args: &[&str]) -> Invocation {
    let jail = Jail {
        read: vec![path.to_owned()],
        write: None,
        address_space_bytes: 8 << 30,
        cpu_seconds: Some(SCAN_TIME_MAX.as_secs()),
        landlock_optional: false,
    };
    Invocation::new(&tools.ffprobe, Confinement::Full(jail))
        .args(["-hide_banner", "-loglevel", "level+error"])
        .args(guard_args())
        .args(PROBE_ARGS)
        .args(args)
        .arg_source(path)
}

/// What keeps FFmpeg within one file and one gigabyte, before `-i`.
pub(crate) fn guard_args() -> [String; 8] {
    [
        "-protocol_whitelist".to_owned(),
        "file,pipe".to_owned(),
        "-format_whitelist".to_owned(),
        CONTAINERS.to_owned(),
        "-max_alloc".to_owned(),
        ALLOCATION_BYTES_MAX.to_string(),
        "-max_pixels".to_owned(),
        PIXELS_MAX.to_string(),
    ]
}

impl Invocation {
    /// `-i` and the source.
    pub(crate) fn arg_source(self, path: &Path) -> Self {
        self.args(["-i".into(), file_url(path)])
    }
}

/// Measures the length of a source whose header does not tell it, from its packets.
async fn scan_duration(
    launcher: &Launcher,
    tools: &Tools,
    source: &SourceInfo,
) -> Result<Option<u64>, Error> {
    let video = source.video.as_ref().map(|video| video.index);
    let Some(index) = video.or_else(|| source.audio.first().map(|audio| audio.index)) else {
        return Ok(None);
    };
    let stream = index.to_string();
    let args = [
        "-select_streams",
        &stream,
        "-show_entries",
        "packet=pts_time",
        "-of",
        "csv=print_section=0",
    ];
    let mut child = ffprobe(tools, &source.path, &args).stdout_piped().start(launcher).await?;
    let Some(stdout) = child.take_stdout() else { return Ok(None) };
    let scan = async {
        let mut span = Span::default();
        let add = |line: &str| span.add(line.trim_end_matches(','));
        each_line(stdout, add).await.map_err(Error::Read)?;
        child.wait().await?;
        Ok(span.us())
    };
    let timed_out = Error::TimedOut { step: "measuring the duration", limit: SCAN_TIME_MAX };
    let duration_us = tokio::time::timeout(SCAN_TIME_MAX, scan).await.unwrap_or(Err(timed_out))?;
    Ok(duration_us.filter(|us| source::is_plausible(*us, source.size_bytes)))
}

/// The earliest and the latest time of packets.
#[derive(Debug, Default)]
struct Span(Option<(f64, f64)>);

impl Span {
    fn add(&mut self, seconds: &str) {
        let Some(time) = seconds.parse::<f64>().ok().filter(|time| time.is_finite()) else {
            return;
        };
        let (low, high) = self.0.unwrap_or((time, time));
        self.0 = Some((low.min(time), high.max(time)));
    }

    fn us(&self) -> Option<u64> {
        let (low, high) = self.0?;
        source::seconds_to_us(high - low)
    }
}

#[cfg(test)]
pub(crate) mod tests_support {
    //! Sources that tests of other rooms start from.

    use super::{Dynamics, Matrix, Orientation, Rate, SourceInfo, VideoTrack};

    /// A source with one plain picture at 30 frames a second.
    pub(crate) fn picture(width: u32, height: u32) -> SourceInfo {
        let video = VideoTrack {
            index: 0,
            codec: "h264".to_owned(),
            width,
            height,
            display_width: width,
            display_height: height,
            orientation: Orientation::Upright,
            pixel_format: "yuv420p".to_owned(),
            rate: Rate { num: 30, den: 1 },
            source_fps: 30.0,
            full_range: false,
            matrix: Matrix::Bt709,
            dynamics: Dynamics::Sdr,
            wide_gamut: false,
            interlaced: false,
        };
        SourceInfo {
            path: "/video.mp4".into(),
            size_bytes: 1_000_000,
            container: "mov".to_owned(),
            duration_us: Some(10_000_000),
            video: Some(video),
            audio: Vec::new(),
            subtitles: Vec::new(),
            skipped: Vec::new(),
            chapters: Vec::new(),
        }
    }
}
