//! Small luma pictures of a video, ten a second: what a mark or a likeness is looked for in.
//!
//! Owns: what of a video is decoded for that, and how it is scaled. Refuses to know: what is looked for.
//!
//! Invariants: levels are those of the file, never stretched from one range to another; every picture has [`WIDTH`] × [`HEIGHT`] samples,
//! whatever the shape of the video; pictures are [`RATE`] a second of the video's own time, whatever its rate, steady or not.

use std::ffi::OsString;

use crate::child::{Invocation, Launcher, file_url};
use crate::error::{Error, Refusal};
use crate::graph;
use crate::look;
use crate::probe::{PROBE_ARGS, SourceInfo, VideoTrack, guard_args};
use crate::raw::{Decoding, decoding_jail};
use crate::sandbox::Confinement;
use crate::tools::Tools;

/// Samples in a row.
pub const WIDTH: u32 = 256;

/// Rows.
pub const HEIGHT: u32 = 160;

/// Pictures a second.
pub const RATE: u32 = 10;

/// Bytes of a picture: one a sample, row after row.
pub const PICTURE_BYTES: usize = (WIDTH * HEIGHT) as usize;

/// What of a video is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct View {
    /// From when on, in microseconds from its beginning.
    pub from_us: u64,
    /// How much of it, in microseconds; `None` is up to the end.
    pub length_us: Option<u64>,
    /// Which part of the upright picture; `None` is all of it.
    pub part: Option<Part>,
}

/// A part of an upright picture, as fractions of its width and height.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Part {
    /// Where it begins from the left, from 0 to 1.
    pub x: f64,
    /// Where it begins from the top, from 0 to 1.
    pub y: f64,
    /// Its width, above 0, at most 1 − `x`.
    pub width: f64,
    /// Its height, above 0, at most 1 − `y`.
    pub height: f64,
}

/// Starts decoding; what comes are pictures of [`PICTURE_BYTES`], one after the other.
///
/// # Errors
/// [`Refusal::NoPicture`]; [`Error::Start`] when a pipe or the process can't be made.
pub async fn start(
    launcher: &Launcher,
    tools: &Tools,
    source: &SourceInfo,
    view: View,
) -> Result<Decoding, Error> {
    let video = source.video.as_ref().ok_or(Refusal::NoPicture)?;
    let jail = decoding_jail(&source.path);
    let invocation = Invocation::new(&tools.ffmpeg, Confinement::Full(jail));
    let arguments = |url: &str| arguments(source, video, view, url);
    Decoding::start_with(launcher, invocation, arguments).await
}

/// The picture at a time, upright, with no side longer than `side` pixels, as WebP; `None` when none can be decoded.
///
/// # Errors
/// As [`look::frame`].
pub async fn still(
    launcher: &Launcher,
    tools: &Tools,
    source: &SourceInfo,
    at_us: u64,
    side: u32,
) -> Result<Option<Vec<u8>>, Error> {
    let Some(video) = &source.video else { return Ok(None) };
    let (width, height) = (video.display_width.max(1), video.display_height.max(1));
    let fit = |one: u32| {
        let fitted = u64::from(one) * u64::from(side) / u64::from(width.max(height).max(side));
        (u32::try_from(fitted).unwrap_or(2) / 2 * 2).max(2)
    };
    let filter = graph::stills(video, fit(width), fit(height), tools.tone_maps, RATE);
    look::one(launcher, tools, (source, video), at_us, &["-noautorotate", "-t", "1"], &filter).await
}

fn arguments(source: &SourceInfo, video: &VideoTrack, view: View, url: &str) -> Vec<OsString> {
    let quiet = ["-hide_banner", "-nostdin", "-nostats", "-y", "-loglevel", "level+error"];
    let mut args: Vec<OsString> = quiet.map(OsString::from).into();
    args.extend(guard_args().iter().map(OsString::from));
    args.extend(PROBE_ARGS.iter().map(OsString::from));
    args.extend(["-noautorotate", "-reinit_filter:v", "0"].map(OsString::from));
    if view.from_us > 0 {
        args.extend([OsString::from("-ss"), format!("{}us", view.from_us).into()]);
    }
    if let Some(length_us) = view.length_us {
        args.extend([OsString::from("-t"), format!("{length_us}us").into()]);
    }
    args.extend(["-i".into(), file_url(&source.path)]);
    let (index, filter) = (format!("0:{}", video.index), filter(video, view.part));
    let output = ["-map", &index, "-vf", &filter, "-fps_mode", "passthrough", "-f", "rawvideo"];
    args.extend(output.map(OsString::from));
    args.push(url.into());
    args
}

/// From a decoded picture to small luma. `extractplanes` takes the plane as it is, where `format=gray` would stretch it to the full range.
fn filter(video: &VideoTrack, part: Option<Part>) -> String {
    let steady = format!("fps={RATE}:start_time=0");
    let lying = video.orientation.swaps_axes();
    let turn = graph::turn(video.orientation).map(|turn| format!(",{turn}")).unwrap_or_default();
    let small = |width: u32, height: u32| {
        format!(
            "scale=w={width}:h={height}:flags=area:in_range=tv:out_range=tv:out_color_matrix=bt709,format=yuv420p"
        )
    };
    let luma = "setsar=1,extractplanes=y";
    let Some(part) = part else {
        let (width, height) = if lying { (HEIGHT, WIDTH) } else { (WIDTH, HEIGHT) };
        return format!("{steady},{}{turn},{luma}", small(width, height));
    };
    // Pictures may change their size midway; what is cut out is counted in pixels of one size.
    let VideoTrack { width, height, .. } = *video;
    let (across, down) = if lying { (height, width) } else { (width, height) };
    let cut = cut(part, across, down);
    format!("{steady},{}{turn},{cut},{},{luma}", small(width, height), small(WIDTH, HEIGHT))
}

fn cut(part: Part, width: u32, height: u32) -> String {
    let pixels = |fraction: f64, all: u32| {
        let pixels = (fraction.clamp(0.0, 1.0) * f64::from(all) / 2.0).round();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a fraction of 32 bits"
        )]
        let pixels = pixels as u32 * 2;
        pixels
    };
    let x = pixels(part.x, width).min(width.saturating_sub(2));
    let y = pixels(part.y, height).min(height.saturating_sub(2));
    let across = pixels(part.width, width).clamp(2, (width - x).max(2));
    let down = pixels(part.height, height).clamp(2, (height - y).max(2));
    format!("crop=w={across}:h={down}:x={x}:y={y}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::Orientation;
    use crate::probe::tests_support;

    fn video() -> VideoTrack {
        tests_support::picture(1920, 1080).video.unwrap()
    }

    #[test]
    fn luma_is_taken_as_it_is() {
        let filter = filter(&video(), None);
        assert_eq!(
            filter,
            "fps=10:start_time=0,scale=w=256:h=160:flags=area:in_range=tv:out_range=tv:\
             out_color_matrix=bt709,format=yuv420p,setsar=1,extractplanes=y"
        );
    }

    #[test]
    fn a_turned_picture_is_scaled_lying_down_and_cut_standing() {
        let turned = VideoTrack { orientation: Orientation::Clockwise, ..video() };
        assert!(filter(&turned, None).contains("scale=w=160:h=256:"));
        let part = Part { x: 0.0, y: 0.25, width: 1.0, height: 0.5 };
        let cut = filter(&turned, Some(part));
        assert!(cut.contains("transpose=clock,crop=w=1080:h=960:x=0:y=480,scale=w=256"), "{cut}");
    }

    #[test]
    fn a_part_is_never_empty_and_never_outside() {
        let whole = Part { x: 0.0, y: 0.0, width: 1.0, height: 1.0 };
        assert_eq!(cut(whole, 1920, 1080), "crop=w=1920:h=1080:x=0:y=0");
        let nothing = Part { x: 1.0, y: 1.0, width: 0.0, height: f64::NAN };
        assert_eq!(cut(nothing, 64, 64), "crop=w=2:h=2:x=62:y=62");
        let beyond = Part { x: 0.5, y: 0.9, width: 9.0, height: 9.0 };
        assert_eq!(cut(beyond, 100, 100), "crop=w=50:h=10:x=50:y=90");
    }
}
