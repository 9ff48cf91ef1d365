//! The clips in which messages are hidden: 100 frames of the source, or of four places of it beside each other.

use std::path::{Path, PathBuf};

use veil_testkit::make_clip;

use crate::console::note;
use crate::failure::{During, Outcome};
use crate::repo::Repo;

/// Frames of a clip.
const FRAMES: u32 = 100;

/// Where the pictures of a mosaic come from, in seconds; a shorter source begins again.
const PLACES_S: [u32; 4] = [14, 20, 26, 32];

/// Where a picture comes from that stands alone: the sample's begin and end in black elsewhere, and what ends in flat frames is passed through
/// twice.
const PLACE_S: [u32; 1] = [23];

/// A size to measure at.
pub(super) struct Size {
    pub(super) name: &'static str,
    width: u32,
    height: u32,
    /// Pictures beside each other in each direction.
    tiles: u32,
    /// What the original tool took for 200 kB in 100 frames, by its own account.
    pub(super) original_s: f64,
}

/// The sizes that the original tells of, but the smallest.
pub(super) const SIZES: [Size; 3] = [
    Size { name: "720p", width: 1280, height: 720, tiles: 1, original_s: 26.0 },
    Size { name: "1080p", width: 1920, height: 1080, tiles: 2, original_s: 61.0 },
    Size { name: "1440p", width: 2560, height: 1440, tiles: 2, original_s: 110.0 },
];

impl Size {
    fn places_s(&self) -> &'static [u32] {
        if self.tiles == 1 { &PLACE_S } else { &PLACES_S }
    }
}

/// The clip of a size, made once.
pub(super) fn clip(repo: &Repo, size: &Size, source: &Path) -> Outcome<PathBuf> {
    let name = format!("{}-from-{}", size.name, size.places_s()[0]);
    make(repo, &name, source, &filters(size, ""))
}

/// The clip at 1080p with twice as many black frames behind it.
pub(super) fn black_behind(repo: &Repo, source: &Path) -> Outcome<PathBuf> {
    let black = format!(",tpad=stop={}:color=black", 2 * FRAMES);
    make(repo, "1080p-black", source, &filters(&SIZES[1], &black))
}

fn filters(size: &Size, behind: &str) -> String {
    let (width, height) = (size.width / size.tiles, size.height / size.tiles);
    let places = size.places_s();
    let mut graph = format!("[0:v]split={}", places.len());
    (0..places.len()).for_each(|at| graph += &format!("[s{at}]"));
    for (at, place) in places.iter().enumerate() {
        graph += &format!(
            ";[s{at}]trim=start={place},setpts=PTS-STARTPTS,scale={width}:{height},setsar=1[t{at}]"
        );
    }
    graph += ";";
    (0..places.len()).for_each(|at| graph += &format!("[t{at}]"));
    let stack = if places.len() == 1 { "null" } else { "xstack=layout=0_0|w0_0|0_h0|w0_h0" };
    let stack = stack.replace("xstack=", &format!("xstack=inputs={}:", places.len()));
    graph + &format!("{stack},trim=end_frame={FRAMES},format=yuv420p{behind}[picture]")
}

fn make(repo: &Repo, name: &str, source: &Path, filters: &str) -> Outcome<PathBuf> {
    let stem = source.file_stem().unwrap_or_default().to_string_lossy();
    let path = repo.target.join(format!("bench/hide-{stem}-{name}.mp4"));
    if !path.is_file() {
        note(format_args!("making {}", path.display()));
        let source = source.to_string_lossy();
        let arguments = [
            &["-nostdin", "-hide_banner", "-loglevel", "error", "-y", "-stream_loop", "-1"][..],
            &["-i", &source, "-filter_complex", filters, "-map", "[picture]"],
            &["-c:v", "libx264", "-preset", "veryfast", "-crf", "22"],
        ];
        let arguments: Vec<String> = arguments.concat().into_iter().map(str::to_owned).collect();
        make_clip(&path, &arguments).during("making a clip")?;
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_picture_is_the_source_and_four_are_a_mosaic() {
        let one = "[0:v]split=1[s0];[s0]trim=start=23,setpts=PTS-STARTPTS,scale=1280:720,setsar=1[t0];[t0]null,\
            trim=end_frame=100,format=yuv420p[picture]";
        assert_eq!(filters(&SIZES[0], ""), one);
        let four = filters(&SIZES[1], ",x");
        assert!(four.contains("scale=960:540"), "{four}");
        let end = "[t0][t1][t2][t3]xstack=inputs=4:layout=0_0|w0_0|0_h0|w0_h0,trim=end_frame=100,format=yuv420p,x[picture]";
        assert!(four.ends_with(end), "{four}");
    }
}
