//! The videos that benches measure with: one that a person names, else the sample, else the demo's clip over and over; and
//! a long one made of it.

use std::fs;
use std::path::{Path, PathBuf};

use veil_testkit::make_clip;

use crate::console::note;
use crate::demo::demo_clip;
use crate::failure::{During, Outcome};
use crate::repo::Repo;

/// The sample to measure with, where the samples are.
const SAMPLE: &str = "media/sintel_trailer-720p.mp4";

/// About the sample's length, which the demo's clip is brought to: the benches of the player seek that far.
const USUAL_SECONDS: u32 = 60;

/// Length of the long source: ten times the sample's, so that anything that grows with the length shows.
pub(super) const LONG_SECONDS: u32 = 520;

/// Returns `video`, or what is measured with where none is named.
pub(super) fn named_or_usual(repo: &Repo, video: Option<&Path>) -> Outcome<PathBuf> {
    if let Some(video) = video {
        return video.canonicalize().during(format_args!("opening {}", video.display()));
    }
    let sample = veil_testkit::samples().map(|dir| dir.join(SAMPLE)).filter(|path| path.is_file());
    match sample {
        Some(sample) => sample.canonicalize().during("opening the sample"),
        None => looped(repo, &demo_clip(repo)?, USUAL_SECONDS),
    }
}

/// Returns [`LONG_SECONDS`] of `video` over and over.
pub(super) fn long(repo: &Repo, video: &Path) -> Outcome<PathBuf> {
    looped(repo, video, LONG_SECONDS)
}

/// Returns so many seconds of `video` over and over, made without encoding unless it is there from an earlier time.
fn looped(repo: &Repo, video: &Path, seconds: u32) -> Outcome<PathBuf> {
    let stem = video.file_stem().unwrap_or_default().to_string_lossy();
    let folder = repo.target.join("bench");
    let path = folder.join(format!("{stem}-{seconds}s.mkv"));
    if !path.is_file() {
        fs::create_dir_all(&folder).during(format_args!("making {}", folder.display()))?;
        note(format_args!("making {}", path.display()));
        make_clip(&path, &loop_arguments(video, seconds)).during("making a longer source")?;
    }
    Ok(path)
}

fn loop_arguments(video: &Path, seconds: u32) -> Vec<String> {
    let (video, seconds) = (video.to_string_lossy(), seconds.to_string());
    [
        &["-nostdin", "-hide_banner", "-loglevel", "error", "-y", "-stream_loop", "-1"][..],
        &["-i", &video, "-map", "0:v:0", "-map", "0:a:0?", "-c", "copy", "-t", &seconds],
    ]
    .concat()
    .into_iter()
    .map(str::to_owned)
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_named_video_is_taken_and_one_that_is_not_there_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let repo = Repo { root: dir.path().into(), target: dir.path().into() };
        let video = dir.path().join("a.mp4");
        assert!(named_or_usual(&repo, Some(&video)).is_err());
        fs::write(&video, "").unwrap();
        assert!(named_or_usual(&repo, Some(&video)).unwrap().ends_with("a.mp4"));
    }
}
