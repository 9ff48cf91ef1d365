//! Turns ffprobe's answer into a source: which picture, which sounds, which texts.
//!
//! Owns: the choice and the refusals that follow from it. Refuses to know: how the answer came.

use std::path::PathBuf;

use super::source::{is_plausible, seconds_to_us};
use super::wire::{Answer, SideData, Stream};
use super::{
    AudioTrack, Dynamics, Matrix, Orientation, PIXELS_MAX, Rate, SIDE_MAX, SIDE_MIN, SkippedTrack,
    SourceInfo, SubtitleTrack, VideoTrack, chapters, rate,
};
use crate::error::Refusal;
use crate::language;

/// Most sound tracks that are packaged: each is an encoder and a pipe.
const AUDIO_TRACKS_MAX: usize = 16;

/// Most subtitle tracks that are extracted: each is a pipe.
const SUBTITLE_TRACKS_MAX: usize = 32;

/// Longest title of a track that is kept, in characters.
const TITLE_CHARS_MAX: usize = 100;

/// Subtitle codecs that are text, as FFmpeg calls them.
const TEXT_SUBTITLES: [&str; 15] = [
    "ass",
    "jacosub",
    "microdvd",
    "mov_text",
    "mpl2",
    "pjs",
    "realtext",
    "sami",
    "srt",
    "ssa",
    "subrip",
    "subviewer",
    "text",
    "vplayer",
    "webvtt",
];

/// The source that `answer` describes.
pub(super) fn source(
    path: PathBuf,
    size_bytes: u64,
    answer: Answer,
) -> Result<SourceInfo, Refusal> {
    let begins = seconds(answer.format.start_time.as_deref());
    let mut source = SourceInfo {
        path,
        size_bytes,
        container: answer.format.format_name,
        duration_us: None,
        video: None,
        audio: Vec::new(),
        subtitles: Vec::new(),
        skipped: Vec::new(),
        chapters: chapters::read(&answer.chapters, begins.unwrap_or(0.0)),
    };
    for stream in &answer.streams {
        match stream.codec_type.as_deref() {
            Some("audio") => take_audio(&mut source, stream, begins),
            Some("subtitle") => take_subtitle(&mut source, stream),
            _ => {}
        }
    }
    source.video = match best_picture(&answer.streams) {
        Some(stream) => Some(video(stream)?),
        None => None,
    };
    if source.video.is_none() && source.audio.is_empty() {
        return Err(Refusal::NoStreams);
    }
    let whole = seconds(answer.format.duration.as_deref());
    let played = answer.streams.iter().filter(|stream| is_played(&source, stream.index));
    let longest = played.filter_map(length).max_by(f64::total_cmp);
    let lengths = [longest, whole].into_iter().flatten().filter_map(seconds_to_us);
    source.duration_us = lengths.into_iter().find(|us| is_plausible(*us, size_bytes));
    Ok(source)
}

fn is_played(source: &SourceInfo, index: u32) -> bool {
    source.video.as_ref().is_some_and(|video| video.index == index)
        || source.audio.iter().any(|audio| audio.index == index)
}

fn length(stream: &Stream) -> Option<f64> {
    seconds(stream.duration.as_deref()).or_else(|| clock(stream.tags.duration.as_deref()?))
}

fn seconds(text: Option<&str>) -> Option<f64> {
    text?.parse().ok().filter(|seconds: &f64| seconds.is_finite())
}

/// `01:02:03.5` in seconds.
fn clock(text: &str) -> Option<f64> {
    text.split(':').try_fold(0.0, |sum, part| Some(sum * 60.0 + part.parse::<f64>().ok()?))
}

/// The picture to package: what is marked as default first, then the largest.
fn best_picture(streams: &[Stream]) -> Option<&Stream> {
    let pictures = streams.iter().filter(|stream| {
        let cover = stream.disposition.attached_pic + stream.disposition.timed_thumbnails > 0;
        stream.codec_type.as_deref() == Some("video") && !cover
    });
    let rank = |stream: &&Stream| {
        let area = u64::from(stream.width) * u64::from(stream.height);
        (is_decodable(stream), stream.disposition.default, area, std::cmp::Reverse(stream.index))
    };
    pictures.max_by_key(rank)
}

fn is_decodable(stream: &Stream) -> bool {
    // The names go into filter descriptions: letters, digits and `_` are all that FFmpeg has in them.
    let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let known = |text: &Option<String>| {
        text.as_deref().is_some_and(|text| text != "unknown" && !text.is_empty() && plain(text))
    };
    known(&stream.codec_name) && known(&stream.pix_fmt) && stream.width > 0 && stream.height > 0
}

fn video(stream: &Stream) -> Result<VideoTrack, Refusal> {
    let (width, height) = (stream.width, stream.height);
    let codec = stream.codec_name.clone().unwrap_or_else(|| "an unknown codec".to_owned());
    if is_encrypted(stream) {
        return Err(Refusal::Undecodable("it is encrypted".to_owned()));
    }
    if width > SIDE_MAX || height > SIDE_MAX || u64::from(width) * u64::from(height) > PIXELS_MAX {
        return Err(super::too_large(width, height));
    }
    if !is_decodable(stream) {
        return Err(Refusal::Undecodable(format!("FFmpeg finds no frame in it ({codec})")));
    }
    if width < SIDE_MIN || height < SIDE_MIN {
        return Err(Refusal::TooSmall { width, height, min: SIDE_MIN });
    }
    if stream.side_data_list.iter().any(is_dolby_vision_alone) {
        let reason =
            "Dolby Vision without a base layer (profile 5): its colours cannot be converted";
        return Err(Refusal::Colour(reason));
    }
    let orientation = orientation(&stream.side_data_list);
    let (display_width, display_height) = display_size(stream, orientation);
    let average = stream.avg_frame_rate.as_deref().and_then(Rate::parse);
    let shortest = stream.r_frame_rate.as_deref().and_then(Rate::parse);
    let rate = rate::decide(average, shortest);
    let fps = [average, shortest, Some(rate)].into_iter().flatten().map(Rate::fps);
    let pixel_format = stream.pix_fmt.clone().unwrap_or_default();
    Ok(VideoTrack {
        index: stream.index,
        codec,
        width,
        height,
        display_width,
        display_height,
        orientation,
        rate,
        source_fps: fps.fold(0.0, f64::max),
        full_range: stream.color_range.as_deref() == Some("pc") || pixel_format.starts_with("yuvj"),
        matrix: matrix(stream, &pixel_format),
        dynamics: match stream.color_transfer.as_deref() {
            Some("smpte2084") => Dynamics::Pq,
            Some("arib-std-b67") => Dynamics::Hlg,
            _ => Dynamics::Sdr,
        },
        wide_gamut: stream.color_primaries.as_deref() == Some("bt2020"),
        interlaced: matches!(stream.field_order.as_deref(), Some("tt" | "bb" | "tb" | "bt")),
        pixel_format,
    })
}

fn is_encrypted(stream: &Stream) -> bool {
    matches!(stream.codec_tag_string.as_deref(), Some("encv" | "enca" | "drmi" | "drms"))
}

fn is_dolby_vision_alone(data: &SideData) -> bool {
    data.dv_profile == Some(5) && data.dv_bl_signal_compatibility_id.unwrap_or(0) == 0
}

/// The matrix, guessed from the size where the source does not say, as players do.
fn matrix(stream: &Stream, pixel_format: &str) -> Matrix {
    match stream.color_space.as_deref() {
        _ if ["gbr", "rgb", "bgr", "0rgb", "argb", "abgr", "pal8", "x2rgb"]
            .iter()
            .any(|prefix| pixel_format.starts_with(prefix)) =>
        {
            Matrix::Rgb
        }
        Some("bt709") => Matrix::Bt709,
        Some("smpte170m" | "bt470bg" | "fcc") => Matrix::Bt601,
        Some("bt2020nc" | "bt2020c") => Matrix::Bt2020,
        _ if matches!(stream.color_transfer.as_deref(), Some("smpte2084" | "arib-std-b67")) => {
            Matrix::Bt2020
        }
        _ if stream.height > 576 || stream.width > 1024 => Matrix::Bt709,
        _ => Matrix::Bt601,
    }
}

/// The size with square pixels, upright.
fn display_size(stream: &Stream, orientation: Orientation) -> (u32, u32) {
    let ratio = stream.sample_aspect_ratio.as_deref().and_then(|text| {
        let (num, den) = text.split_once(':')?;
        Rate::parse(&format!("{num}/{den}"))
    });
    // Beyond 4:1 it is damage, not a lens.
    let ratio = ratio.map(Rate::fps).filter(|ratio| (0.25..=4.0).contains(ratio)).unwrap_or(1.0);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most 4 × 8192")]
    let width = (f64::from(stream.width) * ratio).round() as u32;
    if orientation.swaps_axes() { (stream.height, width) } else { (width, stream.height) }
}

/// The turn that a display matrix asks for (ISO/IEC 14496-12 §6.2.2), as FFmpeg understands it.
fn orientation(side_data: &[SideData]) -> Orientation {
    let Some((data, rotation)) =
        side_data.iter().find_map(|data| data.rotation.map(|rotation| (data, rotation)))
    else {
        return Orientation::Upright;
    };
    // ffprobe prints `00000000:  a b u` and so on, a row a line.
    let dump = data.displaymatrix.as_deref().unwrap_or_default();
    let cells = dump.lines().filter_map(|line| line.split_once(':')).flat_map(|(_, row)| {
        row.split_whitespace().map(|cell| cell.parse::<i64>().unwrap_or(0)).collect::<Vec<_>>()
    });
    let cells: Vec<i64> = cells.take(9).collect();
    let cell = |index: usize| cells.get(index).copied().unwrap_or(0);
    let clockwise = (-rotation).rem_euclid(360.0);
    use Orientation as O;
    if !clockwise.is_finite() || !(45.0..315.0).contains(&clockwise) {
        return if cell(4) < 0 { O::VerticalFlip } else { O::Upright };
    }
    if clockwise < 135.0 {
        return if cell(3) > 0 { O::CounterClockwiseFlip } else { O::Clockwise };
    }
    if clockwise >= 225.0 {
        return if cell(3) < 0 { O::ClockwiseFlip } else { O::CounterClockwise };
    }
    match (cell(0) < 0, cell(4) < 0) {
        (true, false) => O::HorizontalFlip,
        (false, true) => O::VerticalFlip,
        _ => O::UpsideDown,
    }
}

fn take_audio(source: &mut SourceInfo, stream: &Stream, begins: Option<f64>) {
    let codec = stream.codec_name.clone().unwrap_or_else(|| "unknown".to_owned());
    let rate = stream.sample_rate.as_deref().and_then(|rate| rate.parse::<u32>().ok()).unwrap_or(0);
    let reason = if is_encrypted(stream) {
        "sound that is encrypted".to_owned()
    } else if codec == "unknown" || stream.channels == 0 || rate == 0 {
        format!("sound that cannot be decoded ({codec})")
    } else if source.audio.len() == AUDIO_TRACKS_MAX {
        format!("more than {AUDIO_TRACKS_MAX} sound tracks")
    } else {
        let starts = seconds(stream.start_time.as_deref());
        let late = starts.zip(begins).is_none_or(|(starts, begins)| starts - begins > 0.000_5);
        source.audio.push(AudioTrack {
            index: stream.index,
            codec,
            channels: stream.channels,
            language: stream.tags.language.as_deref().and_then(language::tag),
            title: title(stream),
            default: stream.disposition.default == 1,
            starts_late: late,
        });
        return;
    };
    source.skipped.push(SkippedTrack { index: stream.index, reason });
}

fn take_subtitle(source: &mut SourceInfo, stream: &Stream) {
    let codec = stream.codec_name.clone().unwrap_or_else(|| "unknown".to_owned());
    let reason = if !TEXT_SUBTITLES.contains(&codec.as_str()) {
        format!("subtitles that are pictures or of an unknown kind ({codec})")
    } else if source.subtitles.len() == SUBTITLE_TRACKS_MAX {
        format!("more than {SUBTITLE_TRACKS_MAX} subtitle tracks")
    } else {
        source.subtitles.push(SubtitleTrack {
            index: stream.index,
            codec,
            language: stream.tags.language.as_deref().and_then(language::tag),
            title: title(stream),
            default: stream.disposition.default == 1,
            forced: stream.disposition.forced == 1,
        });
        return;
    };
    source.skipped.push(SkippedTrack { index: stream.index, reason });
}

fn title(stream: &Stream) -> Option<String> {
    let title = stream.tags.title.as_deref()?.chars().filter(|c| !c.is_control());
    let title: String = title.take(TITLE_CHARS_MAX).collect();
    (!title.trim().is_empty()).then(|| title.trim().to_owned())
}
