//! The ladder: which sizes a picture is offered in, and at what rate.
//!
//! Owns: the rungs, their caps and their H.264 levels. Refuses to know: FFmpeg's options. A pure
//! function of the source and of what was asked for.
//!
//! Invariant: no rung is larger than the source; all have even sides and the aspect of the source;
//! they rise.

use std::str::FromStr;

use crate::error::Refusal;
use crate::probe::{Rate, SourceInfo};

/// The rungs of an automatic ladder, by the short side of the picture.
const SHORT_SIDES: [u32; 5] = [480, 720, 1080, 1440, 2160];

/// A source this much above a rung is worth a rung of its own; below that it takes the rung's place,
/// so that no ladder has two rungs that look the same.
const OWN_RUNG_GAIN: f64 = 1.25;

/// Heights that may be asked for.
const HEIGHT_MIN: u32 = 144;
const HEIGHT_MAX: u32 = 2160;

/// Most rungs that may be asked for: each is an encoder.
const RUNGS_MAX: usize = 8;

/// Longest side of a rung: what decoders of H.264 in browsers and telephones take.
const LONG_SIDE_MAX: u32 = 4096;

/// Bit rate cap of a 1280 × 720 picture at up to 30 frames a second. Quality is constant (CRF);
/// the cap is for what is hard to compress.
const CAP_720P_BPS: f64 = 3_500_000.0;

/// Caps grow slower than the area: larger pictures have more that is smooth.
const CAP_EXPONENT: f64 = 0.75;

/// What ladder is wanted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum LadderRequest {
    /// The standard rungs that the source fills.
    #[default]
    Auto,
    /// These short sides; those above the source become the source's own.
    Heights(Vec<u32>),
}

impl FromStr for LadderRequest {
    type Err = Refusal;

    /// Reads `auto` or `480,720,1080`.
    fn from_str(text: &str) -> Result<Self, Refusal> {
        if text.trim().eq_ignore_ascii_case("auto") {
            return Ok(Self::Auto);
        }
        let height = |part: &str| {
            let part = part.trim().trim_end_matches(['p', 'P']);
            part.parse().map_err(|_| Refusal::Ladder(format!("`{part}` is not a height")))
        };
        let heights = text.split(',').map(height).collect::<Result<Vec<u32>, _>>()?;
        check(&heights)?;
        Ok(Self::Heights(heights))
    }
}

fn check(heights: &[u32]) -> Result<(), Refusal> {
    if heights.is_empty() || heights.len() > RUNGS_MAX {
        return Err(Refusal::Ladder(format!(
            "it has {} rungs, not 1 to {RUNGS_MAX}",
            heights.len()
        )));
    }
    let fits =
        |height: &u32| (HEIGHT_MIN..=HEIGHT_MAX).contains(height) && height.is_multiple_of(2);
    match heights.iter().find(|height| !fits(height)) {
        Some(height) => Err(Refusal::Ladder(format!(
            "{height} is not an even height from {HEIGHT_MIN} to {HEIGHT_MAX}"
        ))),
        None => Ok(()),
    }
}

/// One size of the ladder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rung {
    /// Width in pixels, even.
    pub width: u32,
    /// Height in pixels, even.
    pub height: u32,
    /// Constant rate factor of x264: lower is better.
    pub crf: u8,
    /// Peak bit rate over one second of buffer, in bits a second.
    pub max_bps: u32,
    /// H.264 level, as `-level` takes it.
    pub level: &'static str,
}

/// The rungs for `source`, from the smallest; none when it has no picture.
///
/// # Errors
/// [`Refusal::Ladder`] when the request makes no sense.
pub fn ladder(source: &SourceInfo, request: &LadderRequest) -> Result<Vec<Rung>, Refusal> {
    let Some(video) = &source.video else { return Ok(Vec::new()) };
    let (width, height) = (video.display_width, video.display_height);
    let short = width.min(height);
    let mut sides = match request {
        LadderRequest::Auto => automatic(short),
        LadderRequest::Heights(heights) => {
            check(heights)?;
            heights.iter().map(|height| (*height).min(short)).collect()
        }
    };
    sides.sort_unstable();
    let mut rungs: Vec<Rung> =
        sides.into_iter().map(|side| rung(width, height, side, video.rate)).collect();
    rungs.dedup_by_key(|rung| (rung.width, rung.height));
    Ok(rungs)
}

fn automatic(short: u32) -> Vec<u32> {
    let mut sides: Vec<u32> = SHORT_SIDES.into_iter().filter(|side| *side <= short).collect();
    match sides.last() {
        None => sides.push(short),
        Some(&top) if top < short && top < HEIGHT_MAX => {
            if f64::from(short) < f64::from(top) * OWN_RUNG_GAIN {
                sides.pop();
            }
            sides.push(short.min(HEIGHT_MAX));
        }
        Some(_) => {}
    }
    sides
}

fn rung(width: u32, height: u32, side: u32, rate: Rate) -> Rung {
    let (short, long) = (width.min(height).max(1), width.max(height).max(1));
    let wanted = f64::from(side) / f64::from(short);
    let scale = wanted.min(f64::from(LONG_SIDE_MAX) / f64::from(long)).min(1.0);
    let (width, height) = (even(f64::from(width) * scale), even(f64::from(height) * scale));
    let cap_bps = cap_bps(width, height, rate);
    let crf = if u64::from(width) * u64::from(height) > 1280 * 720 { 23 } else { 22 };
    Rung { width, height, crf, max_bps: cap_bps, level: level(width, height, rate, cap_bps) }
}

/// The nearest even number that is not above, but for rounding: 853.3 becomes 854, 161 becomes 160.
fn even(side: f64) -> u32 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most 4096")]
    let half = if side.fract() == 0.0 { (side / 2.0).floor() } else { (side / 2.0).round() } as u32;
    (half * 2).max(2)
}

fn cap_bps(width: u32, height: u32, rate: Rate) -> u32 {
    let area = f64::from(width) * f64::from(height) / f64::from(1280 * 720);
    let motion = (rate.fps() / 30.0).max(1.0).sqrt();
    let kbps = (CAP_720P_BPS * area.powf(CAP_EXPONENT) * motion / 1000.0).round();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most 30,000")]
    let kbps = kbps.max(100.0) as u32;
    kbps * 1000
}

/// Level, macroblocks a second, macroblocks a frame, decoded picture buffer in macroblocks and bits
/// a second of the Baseline profile (ITU-T H.264, table A-1), from the lowest that we use.
const LEVELS: [(&str, u32, u32, u32, u32); 10] = [
    ("3.0", 40_500, 1_620, 8_100, 10_000_000),
    ("3.1", 108_000, 3_600, 18_000, 14_000_000),
    ("3.2", 216_000, 5_120, 20_480, 20_000_000),
    ("4.0", 245_760, 8_192, 32_768, 20_000_000),
    ("4.2", 522_240, 8_704, 34_816, 50_000_000),
    ("5.0", 589_824, 22_080, 110_400, 135_000_000),
    ("5.1", 983_040, 36_864, 184_320, 240_000_000),
    ("5.2", 2_073_600, 36_864, 184_320, 240_000_000),
    ("6.0", 4_177_920, 139_264, 696_320, 240_000_000),
    ("6.2", 16_711_680, 139_264, 696_320, 800_000_000),
];

/// Reference pictures that x264 keeps with its pyramid of B-frames.
const REFERENCES: u32 = 4;

/// The lowest level that holds the picture, the rate and the cap.
fn level(width: u32, height: u32, rate: Rate, cap_bps: u32) -> &'static str {
    let (columns, rows) = (width.div_ceil(16), height.div_ceil(16));
    let frame = columns * rows;
    let holds = |level: &&(&str, u32, u32, u32, u32)| {
        let (_, per_second, per_frame, buffer, bps) = **level;
        f64::from(frame) * rate.fps() <= f64::from(per_second)
            && frame <= per_frame
            && columns.max(rows).pow(2) <= per_frame * 8
            && frame * REFERENCES <= buffer
            // High profile allows 1.25 times the bits of Baseline.
            && f64::from(cap_bps) <= f64::from(bps) * 1.25
    };
    LEVELS.iter().find(holds).map_or("6.2", |level| level.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::tests_support::picture;

    fn sizes(width: u32, height: u32, request: &str) -> Vec<(u32, u32)> {
        let rungs = ladder(&picture(width, height), &request.parse().unwrap()).unwrap();
        rungs.into_iter().map(|rung| (rung.width, rung.height)).collect()
    }

    #[test]
    fn the_automatic_ladder_fills_the_source_and_never_goes_above_it() {
        let check = |width, height, expected: &[(u32, u32)]| {
            assert_eq!(sizes(width, height, "auto"), expected, "{width}×{height}");
        };
        check(1280, 720, &[(854, 480), (1280, 720)]);
        check(1920, 1080, &[(854, 480), (1280, 720), (1920, 1080)]);
        check(1080, 1920, &[(480, 854), (720, 1280), (1080, 1920)]);
        let full = [(854, 480), (1280, 720), (1920, 1080), (2560, 1440), (3840, 2160)];
        check(3840, 2160, &full);
        check(7680, 4320, &full);
        check(4096, 1716, &[(1146, 480), (1718, 720), (2578, 1080), (4096, 1716)]);
        check(960, 400, &[(960, 400)]);
        check(161, 121, &[(160, 120)]);
        check(16, 16, &[(16, 16)]);
    }

    #[test]
    fn a_source_between_rungs_keeps_its_size_without_a_near_twin() {
        assert_eq!(sizes(1920, 800, "auto"), [(1152, 480), (1920, 800)]);
        assert_eq!(sizes(960, 540, "auto"), [(960, 540)]);
        assert_eq!(sizes(1600, 900, "auto"), [(854, 480), (1280, 720), (1600, 900)]);
    }

    #[test]
    fn heights_that_are_asked_for_are_met_as_far_as_the_source_goes() {
        assert_eq!(sizes(1280, 720, "720,360p"), [(640, 360), (1280, 720)]);
        assert_eq!(sizes(1280, 720, "480,1080,2160"), [(854, 480), (1280, 720)]);
        assert_eq!(sizes(8192, 480, "480"), [(4096, 240)]);
    }

    #[test]
    fn a_ladder_that_makes_no_sense_is_refused() {
        for (request, reason) in [
            ("", "`` is not a height"),
            ("720,big", "`big` is not a height"),
            ("481", "481 is not an even height"),
            ("100", "100 is not an even height"),
            ("4320", "4320 is not an even height"),
            ("480,480,480,480,480,480,480,480,480", "it has 9 rungs"),
        ] {
            let error = request.parse::<LadderRequest>().unwrap_err().to_string();
            assert!(error.contains(reason), "{error}");
        }
    }

    #[test]
    fn levels_and_caps_follow_size_and_rate() {
        let at = |width, height, fps| {
            let rate = Rate { num: fps, den: 1 };
            let rung = rung(width, height, width.min(height), rate);
            (rung.level, rung.max_bps)
        };
        assert_eq!(at(854, 480, 24), ("3.0", 1_906_000));
        assert_eq!(at(854, 480, 30).0, "3.1");
        assert_eq!(at(1280, 720, 30), ("3.1", 3_500_000));
        assert_eq!(at(1280, 720, 60), ("3.2", 4_950_000));
        assert_eq!(at(1920, 1080, 30), ("4.0", 6_430_000));
        assert_eq!(at(1920, 1080, 60), ("4.2", 9_093_000));
        assert_eq!(at(2560, 1440, 30), ("5.0", 9_899_000));
        assert_eq!(at(3840, 2160, 30), ("5.1", 18_187_000));
        assert_eq!(at(3840, 2160, 60), ("5.2", 25_720_000));
        assert_eq!(at(4096, 32, 30).0, "4.0", "a line of 256 macroblocks needs level 4");
    }
}
