//! What is done to videos with messages in them: chains of FFmpeg, and which of them a profile promises to survive.
//!
//! Owns: names, filters, encoders, promises. Refuses to know: how a message is hidden or found.

use std::process::Command;
use std::sync::LazyLock;
use std::time::Duration;

use veil_testkit::run;

/// FFmpeg tells at once what it has.
const LIMIT: Duration = Duration::from_secs(30);

/// A way to hide: a profile of robust mode, or lossless mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    SameSize,
    Scaled,
    Hard,
    Lossless,
}

impl Way {
    pub(super) const ALL: [Self; 4] = [Self::SameSize, Self::Scaled, Self::Hard, Self::Lossless];

    /// The profile's name on the command line; the mode's where it is lossless.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::SameSize => "same-size",
            Self::Scaled => "scaled",
            Self::Hard => "hard",
            Self::Lossless => "lossless",
        }
    }
}

/// An encoder, with what sets its quality.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Encoder {
    /// Preset and constant rate factor.
    X264(&'static str, u8),
    /// Kilobits a second.
    X264Rate(u32),
    X265(u8),
    Av1(u8),
    Vp9(u8),
}

impl Encoder {
    /// What FFmpeg calls it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::X264(..) | Self::X264Rate(_) => "libx264",
            Self::X265(_) => "libx265",
            Self::Av1(_) => "libsvtav1",
            Self::Vp9(_) => "libvpx-vp9",
        }
    }

    /// Whether this FFmpeg has it.
    pub(crate) fn is_there(self) -> bool {
        static KNOWN: LazyLock<String> = LazyLock::new(|| {
            let mut command = Command::new("ffmpeg");
            let command = command.args(["-v", "error", "-hide_banner", "-encoders"]);
            run(command, LIMIT).map(|finished| finished.text()).unwrap_or_default()
        });
        KNOWN.split_whitespace().any(|word| word == self.name())
    }

    /// FFmpeg's words for it.
    pub(crate) fn words(self) -> Vec<String> {
        let settings = match self {
            Self::X264(preset, crf) => format!("-preset {preset} -crf {crf}"),
            Self::X264Rate(kilobits) => {
                format!(
                    "-preset veryfast -b:v {kilobits}k -maxrate {kilobits}k -bufsize {kilobits}k"
                )
            }
            Self::X265(crf) => format!("-preset veryfast -x265-params log-level=error -crf {crf}"),
            Self::Av1(crf) => format!("-preset 10 -crf {crf}"),
            Self::Vp9(crf) => format!("-deadline realtime -cpu-used 7 -row-mt 1 -b:v 0 -crf {crf}"),
        };
        let words = ["-c:v", self.name(), "-pix_fmt", "yuv420p"].into_iter();
        words.chain(settings.split_whitespace()).map(str::to_owned).collect()
    }
}

/// One thing that is done to a video.
pub(super) struct Attack {
    pub(super) name: &'static str,
    /// Filters and an encoder, one after the other; none for a copy.
    pub(super) steps: &'static [(&'static str, Encoder)],
    /// The ways that promise to survive it, full to the last byte that `capacity` names.
    pub(super) promised: &'static [Way],
    /// Part of quick runs too.
    pub(super) is_quick: bool,
}

const ALL_ROBUST: &[Way] = &[Way::SameSize, Way::Scaled, Way::Hard];
const NOT_SAME_SIZE: &[Way] = &[Way::Scaled, Way::Hard];
const HARD: &[Way] = &[Way::Hard];
const NOBODY: &[Way] = &[];

const CRF_23: Encoder = Encoder::X264("veryfast", 23);
const CRF_26: Encoder = Encoder::X264("veryfast", 26);
const CRF_28: Encoder = Encoder::X264("veryfast", 28);

/// The table's rows.
pub(super) static ATTACKS: [Attack; 29] = [
    slow("copied", &[], &Way::ALL),
    slow("H.264, CRF 23", &[("null", CRF_23)], ALL_ROBUST),
    slow("H.264, CRF 23, medium", &[("null", Encoder::X264("medium", 23))], ALL_ROBUST),
    quick("H.264, CRF 28", &[("null", CRF_28)], ALL_ROBUST),
    slow("H.264, CRF 28, medium", &[("null", Encoder::X264("medium", 28))], ALL_ROBUST),
    slow("H.264, CRF 33", &[("null", Encoder::X264("veryfast", 33))], NOT_SAME_SIZE),
    slow("H.264, CRF 33, medium", &[("null", Encoder::X264("medium", 33))], HARD),
    slow("480 lines, CRF 28", &[("scale=-2:480", CRF_28)], NOT_SAME_SIZE),
    slow("480 lines, 700 kb/s", &[("scale=-2:480", Encoder::X264Rate(700))], HARD),
    slow("360 lines, CRF 28", &[("scale=-2:360", CRF_28)], HARD),
    slow("30 frames a second, CRF 28", &[("fps=30", CRF_28)], NOT_SAME_SIZE),
    slow(
        "480 lines, 30 frames a second, CRF 28",
        &[("scale=-2:480,fps=30", CRF_28)],
        NOT_SAME_SIZE,
    ),
    slow("15 frames a second, CRF 28", &[("fps=15", CRF_28)], HARD),
    slow("HEVC, CRF 28", &[("null", Encoder::X265(28))], NOT_SAME_SIZE),
    slow("AV1, CRF 40", &[("null", Encoder::Av1(40))], HARD),
    slow("VP9, CRF 36", &[("null", Encoder::Vp9(36))], HARD),
    quick("1.37 s less at the start, CRF 28", &[(TRIM, CRF_28)], HARD),
    quick("1.8 s cut out of the middle, CRF 28", &[(CUT, CRF_28)], HARD),
    quick("contrast 1.15, brightness 0.05, CRF 26", &[(BRIGHTER, CRF_26)], HARD),
    slow("contrast 0.87, CRF 26", &[("eq=contrast=0.87", CRF_26)], HARD),
    slow("blurred (σ 1.5), CRF 23", &[("gblur=sigma=1.5", CRF_23)], HARD),
    slow("sharpened, CRF 23", &[("unsharp=5:5:1", CRF_23)], HARD),
    slow("noise (±12), CRF 28", &[("noise=alls=12:allf=t", CRF_28)], HARD),
    slow("encoded twice, CRF 26 and 28", &[("null", CRF_26), ("null", CRF_28)], HARD),
    slow("480 lines, then 720, CRF 28 twice", &[("scale=-2:480", CRF_28), (BACK, CRF_28)], HARD),
    slow("bars above and below, CRF 23", &[("pad=iw:ih*5/4:0:(oh-ih)/2", CRF_23)], NOBODY),
    slow("a twentieth cropped, CRF 23", &[("crop=iw*19/20:ih*19/20", CRF_23)], NOBODY),
    slow("turned by half, CRF 23", &[("hflip,vflip", CRF_23)], NOBODY),
    quick("mirrored, CRF 23", &[("hflip", CRF_23)], NOBODY),
];

const TRIM: &str = "trim=start=1.37,setpts=PTS-STARTPTS";
const CUT: &str = "select='not(between(t,4,5.8))',setpts=N/24/TB";
const BRIGHTER: &str = "eq=contrast=1.15:brightness=0.05";
const BACK: &str = "scale=-2:720";

const fn quick(
    name: &'static str,
    steps: &'static [(&'static str, Encoder)],
    promised: &'static [Way],
) -> Attack {
    Attack { name, steps, promised, is_quick: true }
}

const fn slow(
    name: &'static str,
    steps: &'static [(&'static str, Encoder)],
    promised: &'static [Way],
) -> Attack {
    Attack { name, steps, promised, is_quick: false }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_given_once_and_lossless_promises_to_survive_copying_alone() {
        for (at, attack) in ATTACKS.iter().enumerate() {
            assert!(ATTACKS[..at].iter().all(|other| other.name != attack.name), "{}", attack.name);
            let lossless = attack.promised.contains(&Way::Lossless);
            assert_eq!(lossless, attack.steps.is_empty(), "{}", attack.name);
        }
    }

    #[test]
    fn an_encoder_is_given_its_settings() {
        let words = Encoder::X264("medium", 23).words().join(" ");
        assert_eq!(words, "-c:v libx264 -pix_fmt yuv420p -preset medium -crf 23");
    }
}
