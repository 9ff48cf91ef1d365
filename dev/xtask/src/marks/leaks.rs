//! What is done to marked videos: attacks by FFmpeg, and what colluders do together.
//!
//! Owns: names, filters, encoders, strengths and slots. Refuses to know: how a mark is written or read.

use crate::attacks::Encoder;

/// A strength, and how long slots are.
pub(super) struct Column {
    pub(super) name: &'static str,
    pub(super) strength: &'static str,
    pub(super) slot_seconds: u32,
    /// Whether all attacks are tried, or those that tell columns apart.
    has_all: bool,
    pub(super) is_quick: bool,
}

/// One thing that is done to a video.
pub(super) struct Attack {
    pub(super) name: &'static str,
    /// Filters and an encoder, one after the other; none for a copy.
    pub(super) steps: &'static [(&'static str, Encoder)],
    extent: Extent,
}

/// Where an attack is tried.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Extent {
    /// On quick runs too.
    Quick,
    /// In every column.
    Every,
    /// In the first column alone.
    First,
}

/// A long copy, of which somebody is to be named.
pub(super) struct Leak {
    pub(super) name: &'static str,
    pub(super) seconds: usize,
    /// How leakers put their copies together, as `examples/marks.rs` names it.
    pub(super) how: &'static str,
    pub(super) viewers: &'static str,
}

pub(super) static COLUMNS: [Column; 3] = [
    column("standard, 1 s", "standard", 1, true),
    column("standard, 2 s", "standard", 2, false),
    column("strong, 1 s", "strong", 1, false),
];

/// The column of a quick run.
pub(super) static QUICK: Column =
    Column { name: "quick", strength: "strong", slot_seconds: 1, has_all: false, is_quick: true };

pub(super) static LEAKS: [Leak; 4] = [
    leak("one leaker", 90, "alone", "5"),
    leak("two, by turns a slot each", 360, "slots", "5,17"),
    leak("two, by turns a frame each", 360, "frames", "5,17"),
    leak("two, the mean of both", 360, "mean", "5,17"),
];

const CRF_28: Encoder = Encoder::X264("veryfast", 28);
const CRF_30: Encoder = Encoder::X264("veryfast", 30);
const CRF_33: Encoder = Encoder::X264("veryfast", 33);
const CRF_40: Encoder = Encoder::X264("veryfast", 40);

const BRIGHTER: &str = "eq=brightness=0.06:contrast=1.15:gamma=1.2:saturation=1.3";
const LOGO: &str = "drawbox=x=0:y=ih*5/6:w=iw:h=ih/6:color=black:t=fill,drawbox=x=iw*0.78:y=ih*0.03:w=iw*0.19:h=ih*0.17:color=white@0.8:t=fill";

/// The table's rows.
pub(super) static ATTACKS: [Attack; 29] = [
    attack("as it was marked, CRF 23", &[], Extent::Every),
    attack("H.264, CRF 28", &[("null", CRF_28)], Extent::Quick),
    attack("H.264, CRF 33", &[("null", CRF_33)], Extent::Every),
    attack("H.264, CRF 40", &[("null", CRF_40)], Extent::Every),
    attack("480 lines, CRF 28", &[("scale=-2:480", CRF_28)], Extent::Every),
    attack("360 lines, CRF 33", &[("scale=-2:360", CRF_33)], Extent::Every),
    attack("240 lines, CRF 30", &[("scale=-2:240", CRF_30)], Extent::Every),
    attack("HEVC, CRF 32", &[("null", Encoder::X265(32))], Extent::First),
    attack("AV1, CRF 45", &[("null", Encoder::Av1(45))], Extent::First),
    attack(
        "30 frames a second, 480 lines, CRF 28",
        &[("fps=30,scale=-2:480", CRF_28)],
        Extent::First,
    ),
    attack("15 frames a second, CRF 28", &[("fps=15", CRF_28)], Extent::First),
    attack(
        "5.3 s less at the start, CRF 28",
        &[("trim=start=5.3,setpts=PTS-STARTPTS", CRF_28)],
        Extent::First,
    ),
    attack(
        "6 s cut out of the middle, CRF 28",
        &[("select='not(between(t,11,17))',setpts=N/24/TB", CRF_28)],
        Extent::First,
    ),
    attack("6 % faster, CRF 28", &[("setpts=PTS/1.06,fps=24", CRF_28)], Extent::First),
    attack("6 % slower, CRF 28", &[("setpts=PTS*1.06,fps=24", CRF_28)], Extent::First),
    attack("brightness, contrast, gamma, colour, CRF 28", &[(BRIGHTER, CRF_28)], Extent::First),
    attack("grey, CRF 28", &[("hue=s=0", CRF_28)], Extent::First),
    attack("blurred, CRF 28", &[("boxblur=3:1", CRF_28)], Extent::First),
    attack("noise (±20), CRF 28", &[("noise=alls=20:allf=t", CRF_28)], Extent::First),
    attack(
        "noise taken away, sharpened, CRF 28",
        &[("hqdn3d=6:4:9:9,unsharp=5:5:0.8", CRF_28)],
        Extent::First,
    ),
    attack("a logo and a black strip, CRF 28", &[(LOGO, CRF_28)], Extent::First),
    attack("bars above and below, CRF 28", &[("pad=iw:ih*4/3:0:(oh-ih)/2", CRF_28)], Extent::First),
    attack(
        "5 % cropped on each side, CRF 28",
        &[("crop=iw*0.9:ih*0.9,scale=1280:720", CRF_28)],
        Extent::First,
    ),
    attack(
        "cropped to 85 × 88 % at a side, 480 lines, CRF 28",
        &[("crop=iw*0.85:ih*0.88:iw*0.1:ih*0.02,scale=854:480", CRF_28)],
        Extent::Every,
    ),
    attack("turned by 1°, CRF 28", &[("rotate=PI/180", CRF_28)], Extent::First),
    attack("mirrored, CRF 28", &[("hflip", CRF_28)], Extent::First),
    attack(
        "mirrored, cropped to 90 %, 360 lines, CRF 28",
        &[("hflip,crop=iw*0.9:ih*0.9,scale=640:360", CRF_28)],
        Extent::First,
    ),
    attack(
        "480 lines, then 720, CRF 28 and 30",
        &[("scale=-2:480", CRF_28), ("scale=-2:720", CRF_30)],
        Extent::First,
    ),
    attack(
        "three times, CRF 28",
        &[("null", CRF_28), ("null", CRF_28), ("null", CRF_28)],
        Extent::First,
    ),
];

impl Attack {
    /// Whether FFmpeg has what it takes.
    pub(super) fn has_encoders(&self) -> bool {
        self.steps.iter().all(|(_, encoder)| encoder.is_there())
    }
}

impl Column {
    /// Whether an attack is tried here.
    pub(super) fn has(&self, attack: &Attack) -> bool {
        match attack.extent {
            Extent::Quick => true,
            Extent::Every => !self.is_quick,
            Extent::First => self.has_all,
        }
    }

    pub(super) fn slot_us(&self) -> u32 {
        self.slot_seconds * 1_000_000
    }
}

const fn column(
    name: &'static str,
    strength: &'static str,
    slot_seconds: u32,
    has_all: bool,
) -> Column {
    Column { name, strength, slot_seconds, has_all, is_quick: false }
}

const fn leak(
    name: &'static str,
    seconds: usize,
    how: &'static str,
    viewers: &'static str,
) -> Leak {
    Leak { name, seconds, how, viewers }
}

const fn attack(
    name: &'static str,
    steps: &'static [(&'static str, Encoder)],
    extent: Extent,
) -> Attack {
    Attack { name, steps, extent }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_given_once_and_every_column_has_rows() {
        for (at, attack) in ATTACKS.iter().enumerate() {
            assert!(ATTACKS[..at].iter().all(|other| other.name != attack.name), "{}", attack.name);
        }
        let rows = |column: &Column| ATTACKS.iter().filter(|attack| column.has(attack)).count();
        assert_eq!(rows(&COLUMNS[0]), ATTACKS.len());
        assert!(rows(&COLUMNS[1]) > 5 && rows(&QUICK) == 1);
    }
}
