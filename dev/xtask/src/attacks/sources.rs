//! The videos that messages are hidden in: pieces of the samples, or what FFmpeg draws where there are none.
//!
//! Owns: sizes and lengths. Each is made once, encoded well enough that a decoder gives what a camera's file gives.

use std::path::{Path, PathBuf};

use veil_testkit::{make_clip, samples};

use super::chains::{Attack, Way};
use crate::failure::{During, Outcome};
use crate::repo::Repo;

/// A video to hide in.
pub(super) struct Source {
    pub(super) name: &'static str,
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) seconds: u32,
    /// Samples and where in them, in seconds; four are shown beside each other.
    places: &'static [(&'static str, u32)],
    /// Whether attacks take long: what nobody promised is left out.
    pub(super) is_large: bool,
    /// The ways to hide in it.
    pub(super) ways: &'static [Way],
    /// Attacks that nothing survives at this size: none of them is promised.
    beyond: &'static [&'static str],
    /// Payload a second that a profile holds, by the project's aims.
    pub(super) aims: &'static [(Way, u64)],
}

/// Frames of each second.
pub(super) const FPS: u32 = 24;

const SINTEL: &str = "media/sintel_trailer-720p.mp4";
const BUNNY: &str = "media/big_buck_bunny_0_30.webm";
const ROBUST: &[Way] = &[Way::SameSize, Way::Scaled, Way::Hard];

/// The sources of a whole run.
pub(super) static SOURCES: [Source; 3] = [
    Source {
        name: "1080p",
        width: 1920,
        height: 1080,
        seconds: 12,
        places: &[(SINTEL, 14), (BUNNY, 8), (SINTEL, 32), (SINTEL, 26)],
        is_large: true,
        ways: ROBUST,
        beyond: &[],
        aims: &[(Way::SameSize, 800), (Way::Scaled, 200)],
    },
    Source {
        name: "720p",
        width: 1280,
        height: 720,
        seconds: 12,
        places: &[(SINTEL, 14)],
        is_large: false,
        ways: ROBUST,
        beyond: &[],
        aims: &[],
    },
    Source {
        name: "360p",
        width: 640,
        height: 360,
        seconds: 20,
        places: &[(BUNNY, 8)],
        is_large: false,
        ways: &Way::ALL,
        beyond: &["H.264, CRF 33"],
        aims: &[],
    },
];

/// The source of a quick run.
pub(super) static QUICK: Source = Source {
    name: "360p",
    width: 640,
    height: 360,
    seconds: 12,
    places: &[(SINTEL, 26)],
    is_large: false,
    // `scaled` is on the grid of `same-size` where pictures are small.
    ways: &[Way::SameSize, Way::Hard, Way::Lossless],
    beyond: &[],
    aims: &[],
};

impl Source {
    /// Frames of it.
    pub(super) fn frames(&self) -> u32 {
        self.seconds * FPS
    }

    /// Whether a way promises to survive an attack, full to the last byte.
    pub(super) fn promises(&self, attack: &Attack, way: Way) -> bool {
        attack.promised.contains(&way) && !self.beyond.contains(&attack.name)
    }

    /// The video's file; it is made unless it is there from an earlier time.
    pub(super) fn file(&self, repo: &Repo) -> Outcome<PathBuf> {
        let folder = samples()
            .filter(|folder| self.places.iter().all(|(sample, _)| folder.join(sample).is_file()));
        let kind = if folder.is_some() { "film" } else { "drawn" };
        let name = format!("attacks/{}-{}s-{kind}.mp4", self.name, self.seconds);
        let path = repo.target.join(name);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).during("making a folder for clips")?;
        }
        make_clip(&path, &self.arguments(folder.as_deref())).during("making a clip")?;
        Ok(path)
    }

    /// Where its pictures come from, in words.
    pub(super) fn origin(&self) -> String {
        let (sintel, bunny) = ("the trailer of Sintel", "Big Buck Bunny");
        let named = |name| self.places.iter().any(|(sample, _)| *sample == name);
        match (self.places.len(), named(SINTEL), named(BUNNY)) {
            (1, true, _) => sintel.to_owned(),
            (1, ..) => bunny.to_owned(),
            (count, ..) => format!("{count} pieces of {sintel} and of {bunny} beside each other"),
        }
    }

    fn arguments(&self, folder: Option<&Path>) -> Vec<String> {
        let mut words: Vec<String> =
            ["-nostdin", "-hide_banner", "-loglevel", "error", "-y"].map(String::from).into();
        for (sample, start) in self.places {
            match folder {
                Some(folder) => {
                    let sample = folder.join(sample).to_string_lossy().into_owned();
                    words.extend(["-ss".into(), start.to_string(), "-i".into(), sample]);
                }
                None => {
                    let drawn =
                        format!("mandelbrot=s=640x360:r={FPS}:start_scale={}", drawn(*start));
                    words.extend(["-f".into(), "lavfi".into(), "-i".into(), drawn]);
                }
            }
        }
        words.extend(["-filter_complex".into(), self.filters(), "-map".into(), "[picture]".into()]);
        words.extend(["-frames:v".into(), self.frames().to_string()]);
        words.extend("-c:v libx264 -preset veryfast -crf 17".split(' ').map(String::from));
        words
    }

    fn filters(&self) -> String {
        let count = self.places.len();
        let tiles = if count == 4 { 2 } else { 1 };
        let (width, height) = (self.width / tiles, self.height / tiles);
        let mut graph = String::new();
        for at in 0..count {
            graph += &format!(
                "[{at}:v]fps={FPS},scale={width}:{height},setsar=1,setpts=N/{FPS}/TB[t{at}];"
            );
        }
        (0..count).for_each(|at| graph += &format!("[t{at}]"));
        let stack = if count == 1 { "null" } else { "xstack=inputs=4:layout=0_0|w0_0|0_h0|w0_h0" };
        graph + stack + ",format=yuv420p[picture]"
    }
}

/// Different pieces are different drawings.
fn drawn(start: u32) -> f64 {
    1.0 + f64::from(start) / 20.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attacks::chains::ATTACKS;

    #[test]
    fn what_is_beyond_a_source_is_an_attack_and_not_promised() {
        for source in SOURCES.iter().chain([&QUICK]) {
            for name in source.beyond {
                let attack = ATTACKS.iter().find(|attack| attack.name == *name).unwrap();
                assert!(!Way::ALL.iter().any(|way| source.promises(attack, *way)), "{name}");
            }
        }
    }

    #[test]
    fn four_pieces_lie_beside_each_other_and_one_fills_the_picture() {
        let four = SOURCES[0].filters();
        assert!(four.contains("[3:v]fps=24,scale=960:540"), "{four}");
        assert!(four.ends_with("|w0_h0,format=yuv420p[picture]"), "{four}");
        let words = QUICK.arguments(None).join(" ");
        assert!(words.contains("mandelbrot=s=640x360:r=24:start_scale=2.3"), "{words}");
        assert!(words.contains("[t0]null,format") && words.contains("-frames:v 288"), "{words}");
    }
}
