//! What is taken out of a source beside its renditions: the poster and the subtitles.
//!
//! Owns: two short runs of FFmpeg. Refuses to know: packaging.
//!
//! Invariant: what comes back is bounded, whatever the source holds.

use std::ffi::OsString;
use std::time::Duration;

use tokio::io::AsyncReadExt as _;

use crate::child::{Bounds, Invocation, Launcher, collect, file_url};
use crate::error::Error;
use crate::graph;
use crate::pipe::{Outlet, pipe};
use crate::probe::{
    PROBE_ARGS, SIDE_MIN, SkippedTrack, SourceInfo, SubtitleTrack, VideoTrack, guard_args,
};
use crate::sandbox::{Confinement, Jail};
use crate::tools::Tools;

/// Widest poster in pixels.
const POSTER_WIDTH_MAX: u32 = 1280;

/// Where in the video the poster is taken: after the title card, before the story is given away.
const POSTER_AT: u64 = 10;

/// From how many pictures the most typical one is taken, and how many a second: five seconds.
const POSTER_CANDIDATES: u32 = 20;
const POSTER_CANDIDATES_PER_S: u32 = 4;

const POSTER_BOUNDS: Bounds =
    Bounds { step: "making the poster", time: Duration::from_secs(120), output_bytes: 4 << 20 };

/// Largest subtitle file: a dense film of three hours has 300 KiB.
pub const SUBTITLE_BYTES_MAX: usize = 16 << 20;

/// Subtitles lie scattered over the whole file, so that all of it is read.
const SUBTITLE_TIME_MAX: Duration = Duration::from_secs(1800);

/// What a WebVTT file of HLS begins with (RFC 8216bis §3.1.4).
const TIMESTAMP_MAP: &str = "X-TIMESTAMP-MAP=MPEGTS:0,LOCAL:00:00:00.000";

/// A still picture of the video.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Poster {
    /// A WebP image.
    pub bytes: Vec<u8>,
    /// Its width in pixels.
    pub width: u32,
    /// Its height in pixels.
    pub height: u32,
}

/// The text of one subtitle track.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subtitles {
    /// The track that it comes from.
    pub track: SubtitleTrack,
    /// A WebVTT file for HLS, UTF-8.
    pub webvtt: Vec<u8>,
}

/// Takes the poster from the first tenth of the video; `None` when no picture can be decoded there.
///
/// # Errors
/// [`Error::TimedOut`], [`Error::Sandbox`] and their like; a picture that is not there is no error.
pub async fn poster(
    launcher: &Launcher,
    tools: &Tools,
    source: &SourceInfo,
) -> Result<Option<Poster>, Error> {
    let Some(video) = &source.video else { return Ok(None) };
    let size = poster_size(video);
    early(launcher, tools, (source, video), size).await
}

/// As [`poster`], with no side longer than `side` pixels.
pub(crate) async fn picture(
    launcher: &Launcher,
    tools: &Tools,
    source: &SourceInfo,
    side: u32,
) -> Result<Option<Poster>, Error> {
    let Some(video) = &source.video else { return Ok(None) };
    let (width, height) = (video.display_width.max(1), video.display_height.max(1));
    let fit = |one: u32| {
        let fitted = u64::from(one) * u64::from(side) / u64::from(width.max(height).max(side));
        (u32::try_from(fitted).unwrap_or(SIDE_MIN) / 2 * 2).max(2)
    };
    early(launcher, tools, (source, video), (fit(width), fit(height))).await
}

async fn early(
    launcher: &Launcher,
    tools: &Tools,
    (source, video): (&SourceInfo, &VideoTrack),
    size: (u32, u32),
) -> Result<Option<Poster>, Error> {
    let at_us = source.duration_us.unwrap_or(0) / POSTER_AT;
    // Where seeking fails (no index, a wrong length), the beginning does.
    for at_us in [at_us, 0] {
        if let Some(poster) = poster_at(launcher, tools, (source, video), size, at_us).await? {
            return Ok(Some(poster));
        }
    }
    Ok(None)
}

async fn poster_at(
    launcher: &Launcher,
    tools: &Tools,
    (source, video): (&SourceInfo, &VideoTrack),
    (width, height): (u32, u32),
    at_us: u64,
) -> Result<Option<Poster>, Error> {
    let zscale = tools.tone_maps;
    let stills = graph::stills(video, width, height, zscale, POSTER_CANDIDATES_PER_S);
    let filter = format!("{stills},thumbnail={POSTER_CANDIDATES}");
    let candidates_s = (POSTER_CANDIDATES / POSTER_CANDIDATES_PER_S).to_string();
    let at = format!("{at_us}us");
    let index = format!("0:{}", video.index);
    let output = [
        "-map",
        &index,
        "-vf",
        &filter,
        "-frames:v",
        "1",
        "-map_metadata",
        "-1",
        "-c:v",
        "libwebp",
        "-quality",
        "80",
        "-f",
        "image2pipe",
        "pipe:1",
    ];
    let invocation = ffmpeg(source, tools)
        .args(["-noautorotate", "-reinit_filter:v", "0", "-ss", &at, "-t", &candidates_s])
        .args(["-i".into(), file_url(&source.path)])
        .args(output);
    let (bytes, _) = collect(launcher, invocation, POSTER_BOUNDS).await?;
    let is_webp = bytes.starts_with(b"RIFF");
    Ok(is_webp.then_some(Poster { bytes, width, height }))
}

/// At most [`POSTER_WIDTH_MAX`] wide, even, never larger than the picture.
fn poster_size(video: &VideoTrack) -> (u32, u32) {
    let (width, height) = (video.display_width.max(1), video.display_height.max(1));
    let poster_width = width.min(POSTER_WIDTH_MAX);
    let poster_height = u64::from(height) * u64::from(poster_width) / u64::from(width);
    let even = |side: u32| (side / 2 * 2).max(2);
    let poster_height = u32::try_from(poster_height).unwrap_or(SIDE_MIN);
    (even(poster_width), even(poster_height))
}

pub(crate) fn ffmpeg(source: &SourceInfo, tools: &Tools) -> Invocation {
    let jail = Jail {
        read: vec![source.path.clone()],
        write: None,
        address_space_bytes: 8 << 30,
        cpu_seconds: Some(SUBTITLE_TIME_MAX.as_secs()),
        landlock_optional: false,
    };
    Invocation::new(&tools.ffmpeg, Confinement::Full(jail))
        .args(["-hide_banner", "-nostdin", "-nostats", "-loglevel", "level+error"])
        .args(guard_args())
        .args(PROBE_ARGS)
}

/// Takes the text of every subtitle track, in one reading of the source. Tracks that turn out
/// unusable come back with the reason.
///
/// # Errors
/// [`Error::TimedOut`], [`Error::Sandbox`] and their like; a damaged track is no error.
pub async fn subtitles(
    launcher: &Launcher,
    tools: &Tools,
    source: &SourceInfo,
) -> Result<(Vec<Subtitles>, Vec<SkippedTrack>), Error> {
    if source.subtitles.is_empty() {
        return Ok((Vec::new(), Vec::new()));
    }
    let mut invocation = ffmpeg(source, tools).args(["-i".into(), file_url(&source.path)]);
    let mut outlets = Vec::new();
    for track in &source.subtitles {
        let (inlet, outlet) = pipe()?;
        let output = [
            "-map".to_owned(),
            format!("0:{}", track.index),
            "-c:s".to_owned(),
            "webvtt".to_owned(),
            "-f".to_owned(),
            "webvtt".to_owned(),
            inlet.url(),
        ];
        invocation = invocation.args(output.map(OsString::from)).inherit(inlet.into_descriptor());
        outlets.push(outlet);
    }
    let mut child = invocation.start(launcher).await?;
    let read = outlets.into_iter().map(|outlet| tokio::spawn(read_bounded(outlet)));
    let read: Vec<_> = read.collect();
    let all = async {
        let mut texts = Vec::new();
        for text in read {
            texts.push(text.await.map_err(|gone| Error::Read(gone.into()))?.map_err(Error::Read)?);
        }
        child.wait().await?;
        Ok(texts)
    };
    let timed_out = Error::TimedOut { step: "reading the subtitles", limit: SUBTITLE_TIME_MAX };
    let texts = tokio::time::timeout(SUBTITLE_TIME_MAX, all).await.unwrap_or(Err(timed_out))?;
    let mut outcome = (Vec::new(), Vec::new());
    for (track, text) in source.subtitles.iter().zip(texts) {
        match webvtt(text) {
            Ok(webvtt) => outcome.0.push(Subtitles { track: track.clone(), webvtt }),
            Err(reason) => {
                outcome.1.push(SkippedTrack { index: track.index, reason: reason.to_owned() });
            }
        }
    }
    Ok(outcome)
}

/// Reads to the end, keeping one byte more than is allowed.
async fn read_bounded(mut outlet: Outlet) -> std::io::Result<Vec<u8>> {
    let mut text = Vec::new();
    (&mut outlet).take(SUBTITLE_BYTES_MAX as u64 + 1).read_to_end(&mut text).await?;
    // The rest is read and forgotten, so that one endless track does not stop the others.
    tokio::io::copy(&mut outlet, &mut tokio::io::sink()).await?;
    Ok(text)
}

/// FFmpeg's WebVTT with the header that HLS wants, or why it is of no use.
fn webvtt(text: Vec<u8>) -> Result<Vec<u8>, &'static str> {
    if text.len() > SUBTITLE_BYTES_MAX {
        return Err("subtitles of more than 16 MiB");
    }
    let text = String::from_utf8(text).map_err(|_| "subtitles that are not UTF-8")?;
    let cues = text.strip_prefix("WEBVTT").ok_or("subtitles that cannot be decoded")?;
    if !cues.contains("-->") {
        return Err("subtitles without a single line");
    }
    Ok(format!("WEBVTT\n{TIMESTAMP_MAP}{cues}").into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::tests_support::picture;

    #[test]
    fn a_poster_is_never_larger_than_the_picture() {
        let size = |width, height| poster_size(&picture(width, height).video.unwrap());
        assert_eq!(size(3840, 2160), (1280, 720));
        assert_eq!(size(161, 121), (160, 120));
        assert_eq!(size(1080, 1920), (1080, 1920));
    }

    #[test]
    fn webvtt_gets_the_map_that_hls_wants_before_its_first_cue() {
        let text = b"WEBVTT\n\n00:00.000 --> 00:01.000\nhi\n".to_vec();
        let expected = format!("WEBVTT\n{TIMESTAMP_MAP}\n\n00:00.000 --> 00:01.000\nhi\n");
        assert_eq!(webvtt(text), Ok(expected.into_bytes()));
    }

    #[test]
    fn subtitles_of_no_use_are_left_out_with_the_reason() {
        assert_eq!(webvtt(b"WEBVTT\n\n".to_vec()), Err("subtitles without a single line"));
        assert_eq!(webvtt(Vec::new()), Err("subtitles that cannot be decoded"));
        assert_eq!(webvtt(vec![0xff]), Err("subtitles that are not UTF-8"));
        assert_eq!(
            webvtt(vec![b'x'; SUBTITLE_BYTES_MAX + 1]),
            Err("subtitles of more than 16 MiB")
        );
    }
}
