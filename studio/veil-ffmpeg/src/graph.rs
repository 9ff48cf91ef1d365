//! The filter graph: from a decoded picture to upright, square, 8-bit BT.709 in the studio range.
//!
//! Owns: the order of the filters and the colour conversions. Refuses to know: encoders, pipes.
//!
//! Invariant: the first filter that looks at a picture is `scale` with a fixed size: sources change
//! their size midway, and FFmpeg is told not to rebuild the graph then (that would restart its
//! clock). Everything after it sees one size and one format.

use crate::probe::{Dynamics, Matrix, Orientation, VideoTrack};

/// Brightness, in candela a square metre, that becomes the reference white of SDR.
const REFERENCE_WHITE: u32 = 100;

/// What every picture is tagged as in the end.
pub(crate) const TAGS: &str =
    "setsar=1,setparams=range=tv:color_primaries=bt709:color_trc=bt709:colorspace=bt709";

/// The chain from `video` to `width` × `height` (upright) at the constant rate of the ladder.
pub(crate) fn picture(video: &VideoTrack, width: u32, height: u32, has_zscale: bool) -> String {
    // `start_time=0` repeats the first frame up to when it is due, so that all tracks start at 0.
    let steady = Some(format!("fps={}:start_time=0", video.rate));
    // What is dropped need not be converted; what is repeated need not be converted twice.
    let thins_out = video.source_fps > video.rate.fps() * 1.05;
    let (before, after) = if thins_out { (steady, None) } else { (None, steady) };
    chain(video, width, height, has_zscale, before)
        .into_iter()
        .chain(after)
        .collect::<Vec<_>>()
        .join(",")
}

/// The chain to a few stills a second.
pub(crate) fn stills(
    video: &VideoTrack,
    width: u32,
    height: u32,
    has_zscale: bool,
    per_second: u32,
) -> String {
    let thin = Some(format!("fps={per_second}:start_time=0"));
    chain(video, width, height, has_zscale, thin).join(",")
}

/// `has_zscale`: this FFmpeg can convert primaries and transfers.
fn chain(
    video: &VideoTrack,
    width: u32,
    height: u32,
    has_zscale: bool,
    thin: Option<String>,
) -> Vec<String> {
    let deinterlaced = video.interlaced.then(|| deinterlace(video));
    let lying = video.orientation.swaps_axes();
    let (width, height) = if lying { (height, width) } else { (width, height) };
    let mut steps: Vec<String> = deinterlaced.into_iter().chain(thin).collect();
    steps.push(convert(video, width, height, has_zscale));
    steps.extend(turn(video.orientation).map(str::to_owned));
    steps.push(TAGS.to_owned());
    steps
}

fn deinterlace(video: &VideoTrack) -> String {
    let VideoTrack { width, height, pixel_format, .. } = video;
    format!(
        "scale=w={width}:h={height},format={pixel_format},bwdif=mode=send_frame:deint=interlaced"
    )
}

fn convert(video: &VideoTrack, width: u32, height: u32, has_zscale: bool) -> String {
    let range = if video.full_range { "pc" } else { "tv" };
    let scale = |input: &str, output: &str| {
        format!(
            "scale=w={width}:h={height}:flags=bicubic:in_range={range}:out_range=tv{input}:out_color_matrix={output}"
        )
    };
    let transfer = match video.dynamics {
        Dynamics::Pq => "smpte2084",
        Dynamics::Hlg => "arib-std-b67",
        Dynamics::Sdr => "bt709",
    };
    // Wide colours go through zscale, which knows primaries and transfers; swscale knows matrices.
    let wide = has_zscale && (video.wide_gamut || video.dynamics != Dynamics::Sdr);
    if !wide {
        let input = match video.matrix {
            Matrix::Rgb => "",
            Matrix::Bt601 => ":in_color_matrix=bt601",
            Matrix::Bt709 => ":in_color_matrix=bt709",
            Matrix::Bt2020 => ":in_color_matrix=bt2020",
        };
        return format!("{},format=yuv420p", scale(input, "bt709"));
    }
    let input = match video.matrix {
        Matrix::Rgb => "",
        _ => ":in_color_matrix=bt2020",
    };
    let first = scale(input, "bt2020");
    let tagged = format!("rin=tv:min=2020_ncl:pin=2020:tin={transfer}");
    match video.dynamics {
        Dynamics::Sdr => {
            format!(
                "{first},format=yuv420p10le,zscale={tagged}:m=709:p=709:t=709:r=tv,format=yuv420p"
            )
        }
        // Mapped in linear light, in the primaries of the result (BT.2390 leaves the curve open).
        _ => format!(
            "{first},format=yuv420p10le,zscale={tagged}:t=linear:npl={REFERENCE_WHITE},format=gbrpf32le,\
             zscale=p=709,tonemap=tonemap=hable:desat=0,zscale=m=709:t=709:r=tv,format=yuv420p"
        ),
    }
}

/// The filter that puts a picture upright.
pub(crate) fn turn(orientation: Orientation) -> Option<&'static str> {
    Some(match orientation {
        Orientation::Upright => return None,
        Orientation::Clockwise => "transpose=clock",
        Orientation::ClockwiseFlip => "transpose=clock_flip",
        Orientation::UpsideDown => "hflip,vflip",
        Orientation::CounterClockwise => "transpose=cclock",
        Orientation::CounterClockwiseFlip => "transpose=cclock_flip",
        Orientation::HorizontalFlip => "hflip",
        Orientation::VerticalFlip => "vflip",
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::Rate;
    use crate::probe::tests_support;

    fn video() -> VideoTrack {
        tests_support::picture(1920, 1080).video.unwrap()
    }

    #[test]
    fn a_plain_picture_is_scaled_tagged_and_made_steady() {
        assert_eq!(
            picture(&video(), 1280, 720, true),
            "scale=w=1280:h=720:flags=bicubic:in_range=tv:out_range=tv:in_color_matrix=bt709:\
             out_color_matrix=bt709,format=yuv420p,setsar=1,setparams=range=tv:color_primaries=bt709:\
             color_trc=bt709:colorspace=bt709,fps=30/1:start_time=0"
        );
    }

    #[test]
    fn a_turned_picture_is_scaled_lying_down_and_then_turned() {
        let turned = VideoTrack { orientation: Orientation::Clockwise, ..video() };
        let chain = picture(&turned, 720, 1280, true);
        assert!(chain.starts_with("scale=w=1280:h=720:"), "{chain}");
        assert!(chain.contains("format=yuv420p,transpose=clock,setsar"), "{chain}");
    }

    #[test]
    fn frames_that_are_too_many_are_dropped_before_the_work() {
        let fast = VideoTrack { source_fps: 120.0, rate: Rate { num: 60, den: 1 }, ..video() };
        assert!(picture(&fast, 1280, 720, true).starts_with("fps=60/1:start_time=0,scale="));
    }

    #[test]
    fn high_dynamic_range_is_mapped_and_full_range_narrowed() {
        let bright = VideoTrack {
            dynamics: Dynamics::Pq,
            matrix: Matrix::Bt2020,
            full_range: true,
            ..video()
        };
        let chain = picture(&bright, 1280, 720, true);
        assert!(chain.contains("in_range=pc:out_range=tv"), "{chain}");
        assert!(chain.contains("tin=smpte2084:t=linear"), "{chain}");
        assert!(chain.contains("tonemap=tonemap=hable"), "{chain}");
    }
}
