//! Looks at a file of somebody's library: what a picture measures, a small picture of it, and how loud it is over time.
//!
//! Owns: three short runs of FFmpeg. Refuses to know: where what they give is kept.
//!
//! Invariant: what comes back is bounded, whatever the file holds.

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use serde::Deserialize;
use tokio::io::AsyncReadExt as _;

use crate::child::{Bounds, Invocation, Launcher, collect, file_url};
use crate::error::{Error, Refusal};
use crate::frames::{self, Poster};
use crate::probe::{ALLOCATION_BYTES_MAX, PIXELS_MAX, SIDE_MAX, SourceInfo, VideoTrack};
use crate::produce::still::Still;
use crate::sandbox::{Confinement, Jail};
use crate::tools::Tools;

/// The longest side of a thumbnail, in pixels.
pub const THUMBNAIL_SIDE: u32 = 320;

/// Most peaks of a waveform, and most of them a second.
pub const PEAKS_MAX: u64 = 20_000;
const PEAKS_A_SECOND_MAX: u64 = 50;

/// Samples a second that a waveform is made of: what is higher is not seen in it.
const SAMPLES_A_SECOND: u32 = 8000;

/// A picture is decoded within seconds; 64 MiB of PNG take some.
const STILL_BOUNDS: Bounds =
    Bounds { step: "looking at the picture", time: Duration::from_secs(60), output_bytes: 4 << 20 };

/// The sound of a day is decoded within ten minutes.
const WAVEFORM_TIME_MAX: Duration = Duration::from_secs(600);

/// What a picture measures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StillInfo {
    /// The codec, as FFmpeg calls it.
    pub codec: String,
    /// Its width in pixels.
    pub width: u32,
    /// Its height in pixels.
    pub height: u32,
}

/// How loud sound is over time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peaks {
    /// Peaks a second.
    pub rate: u32,
    /// The largest sample of each span, from 0 to 255.
    pub peaks: Vec<u8>,
}

#[derive(Deserialize)]
struct Answer {
    streams: Vec<Stream>,
}

#[derive(Deserialize)]
struct Stream {
    codec_name: String,
    width: u32,
    height: u32,
}

/// Measures a picture.
///
/// # Errors
/// [`Refusal`] for what is no picture, or a larger one than [`PIXELS_MAX`]; other errors are not the picture's fault.
pub async fn measure_still(
    launcher: &Launcher,
    tools: &Tools,
    still: &Still,
) -> Result<StillInfo, Error> {
    let args = ["-show_entries", "stream=codec_name,width,height", "-of", "json=compact=1"];
    let invocation = still_input(&tools.ffprobe, still, &args);
    let (json, exit) = collect(launcher, invocation, STILL_BOUNDS).await?;
    let read = serde_json::from_slice::<Answer>(&json).ok();
    let stream = read.and_then(|answer| answer.streams.into_iter().next());
    let damaged = || Refusal::Damaged(exit.stderr.clone());
    let Stream { codec_name, width, height } = stream.ok_or_else(damaged)?;
    let pixels = u64::from(width) * u64::from(height);
    if pixels > PIXELS_MAX || width.max(height) > SIDE_MAX {
        let (max_side, max_pixels) = (SIDE_MAX, PIXELS_MAX);
        return Err(Refusal::TooLarge { width, height, max_side, max_pixels }.into());
    }
    if width == 0 || height == 0 {
        return Err(damaged().into());
    }
    Ok(StillInfo { codec: codec_name, width, height })
}

/// A small WebP of a picture; `None` when it can't be decoded.
///
/// # Errors
/// [`Error::TimedOut`], [`Error::Sandbox`] and their like; a damaged picture is no error.
pub async fn thumbnail_of_still(
    launcher: &Launcher,
    tools: &Tools,
    still: &Still,
) -> Result<Option<Vec<u8>>, Error> {
    let side = THUMBNAIL_SIDE;
    let fit = format!(
        "scale=w='min({side},iw)':h='min({side},ih)':force_original_aspect_ratio=decrease,setsar=1"
    );
    let args = [
        "-frames:v",
        "1",
        "-vf",
        &fit,
        "-map_metadata",
        "-1",
        "-c:v",
        "libwebp",
        "-quality",
        "75",
        "-f",
        "image2pipe",
        "pipe:1",
    ];
    let invocation = still_input(&tools.ffmpeg, still, &args);
    let (bytes, _) = collect(launcher, invocation, STILL_BOUNDS).await?;
    Ok(bytes.starts_with(b"RIFF").then_some(bytes))
}

/// A small picture of a video; `None` when none can be decoded.
///
/// # Errors
/// As [`thumbnail_of_still`].
pub async fn thumbnail(
    launcher: &Launcher,
    tools: &Tools,
    source: &SourceInfo,
) -> Result<Option<Poster>, Error> {
    frames::picture(launcher, tools, source, THUMBNAIL_SIDE).await
}

/// The picture at a time, in its own size, as WebP; `None` when none can be decoded.
///
/// # Errors
/// As [`thumbnail_of_still`].
pub async fn frame(
    launcher: &Launcher,
    tools: &Tools,
    source: &SourceInfo,
    at_us: u64,
) -> Result<Option<Vec<u8>>, Error> {
    let Some(video) = &source.video else { return Ok(None) };
    one(launcher, tools, (source, video), at_us, &[], "null").await
}

/// The first picture from a time on, through a filter.
pub(crate) async fn one(
    launcher: &Launcher,
    tools: &Tools,
    (source, video): (&SourceInfo, &VideoTrack),
    at_us: u64,
    input: &[&str],
    filter: &str,
) -> Result<Option<Vec<u8>>, Error> {
    let (at, index) = (format!("{at_us}us"), format!("0:{}", video.index));
    let output =
        ["-map", &index, "-vf", filter, "-frames:v", "1", "-c:v", "libwebp", "-quality", "80"];
    let invocation = frames::ffmpeg(source, tools)
        .args(input)
        .args(["-ss", &at])
        .args(["-i".into(), file_url(&source.path)])
        .args(output)
        .args(["-map_metadata", "-1", "-f", "image2pipe", "pipe:1"]);
    let (bytes, _) = collect(launcher, invocation, STILL_BOUNDS).await?;
    Ok(bytes.starts_with(b"RIFF").then_some(bytes))
}

/// How loud the first track of sound is over time; `None` where there is no sound that can be decoded.
///
/// # Errors
/// As [`thumbnail_of_still`].
pub async fn waveform(
    launcher: &Launcher,
    tools: &Tools,
    source: &SourceInfo,
) -> Result<Option<Peaks>, Error> {
    let Some(track) = source.audio.first() else { return Ok(None) };
    let seconds = source.duration_us.unwrap_or(0).div_ceil(1_000_000).max(1);
    let rate = (PEAKS_MAX / seconds).clamp(1, PEAKS_A_SECOND_MAX);
    let rate = u32::try_from(rate).unwrap_or(1);
    let index = format!("0:{}", track.index);
    let samples = SAMPLES_A_SECOND.to_string();
    let output =
        ["-map", &index, "-vn", "-sn", "-ac", "1", "-ar", &samples, "-f", "s16le", "pipe:1"];
    let invocation = frames::ffmpeg(source, tools)
        .args(["-i".into(), file_url(&source.path)])
        .args(output.map(OsString::from));
    let mut child = invocation.stdout_piped().start(launcher).await?;
    let Some(mut stdout) = child.take_stdout() else { return Ok(None) };
    let run = async {
        let mut meter = Meter::new(SAMPLES_A_SECOND / rate);
        let mut buffer = vec![0; 64 << 10];
        loop {
            match stdout.read(&mut buffer).await.map_err(Error::Read)? {
                0 => break,
                read => meter.add(buffer.get(..read).unwrap_or_default()),
            }
        }
        child.wait().await?;
        Ok(meter.finish())
    };
    let timed_out = Error::TimedOut { step: "reading the sound", limit: WAVEFORM_TIME_MAX };
    let peaks = tokio::time::timeout(WAVEFORM_TIME_MAX, run).await.unwrap_or(Err(timed_out))?;
    Ok((!peaks.is_empty()).then_some(Peaks { rate, peaks }))
}

/// The largest sample of each span of 16-bit samples.
struct Meter {
    span: u32,
    samples: u32,
    peak: u16,
    odd: Option<u8>,
    peaks: Vec<u8>,
}

impl Meter {
    fn new(span: u32) -> Self {
        Self { span: span.max(1), samples: 0, peak: 0, odd: None, peaks: Vec::new() }
    }

    fn add(&mut self, bytes: &[u8]) {
        for byte in bytes {
            match self.odd.take() {
                None => self.odd = Some(*byte),
                Some(low) => self.sample(i16::from_le_bytes([low, *byte])),
            }
        }
    }

    fn sample(&mut self, sample: i16) {
        self.peak = self.peak.max(sample.unsigned_abs());
        self.samples += 1;
        if self.samples == self.span {
            self.end_span();
        }
    }

    fn end_span(&mut self) {
        // A header may have told a shorter length than there is.
        if self.peaks.len() < 2 * usize::try_from(PEAKS_MAX).unwrap_or(0) {
            self.peaks.push(u8::try_from(self.peak >> 7).unwrap_or(u8::MAX));
        }
        (self.samples, self.peak) = (0, 0);
    }

    fn finish(mut self) -> Vec<u8> {
        if self.samples > 0 {
            self.end_span();
        }
        self.peaks
    }
}

fn still_input(program: &Path, still: &Still, args: &[&str]) -> Invocation {
    let jail = Jail {
        read: vec![still.path.clone()],
        write: None,
        address_space_bytes: 8 << 30,
        cpu_seconds: Some(STILL_BOUNDS.time.as_secs()),
        landlock_optional: false,
    };
    let (allocation, pixels) = (ALLOCATION_BYTES_MAX.to_string(), PIXELS_MAX.to_string());
    let quiet = match program.ends_with("ffprobe") {
        true => &["-hide_banner", "-loglevel", "level+error"][..],
        false => &["-hide_banner", "-nostdin", "-nostats", "-loglevel", "level+error"],
    };
    Invocation::new(program, Confinement::Full(jail))
        .args(quiet)
        .args(["-protocol_whitelist", "file,pipe", "-max_alloc", &allocation])
        .args(["-max_pixels", &pixels, "-f", still.demuxer, "-i"])
        .args([file_url(&still.path)])
        .args(args)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peaks_are_those_of_their_spans_whatever_the_pieces() {
        let samples: [i16; 5] = [0, -32768, 256, 128, 1000];
        let bytes: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
        for size in 1..=bytes.len() {
            let mut meter = Meter::new(2);
            bytes.chunks(size).for_each(|piece| meter.add(piece));
            assert_eq!(meter.finish(), [255, 2, 7], "pieces of {size}");
        }
    }
}
