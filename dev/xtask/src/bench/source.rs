//! The videos that benches measure with: one that a person names, else the sample, else the demo's clip, repeated; and a long
//! one made of it.

use std::path::{Path, PathBuf};

use veil_testkit::make_clip;

use crate::console::note;
use crate::demo::demo_clip;
use crate::failure::{During, Outcome};
use crate::repo::Repo;

/// The sample to measure with, where the samples are.
const SAMPLE: &str = "media/sintel_trailer-720p.mp4";

/// What the demo's clip is repeated to: visits seek as far as in the sample.
const SAMPLE_SECONDS: u32 = 52;

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
        None => repeated(repo, &demo_clip(repo)?, SAMPLE_SECONDS),
    }
}

/// Returns [`LONG_SECONDS`] of `video` over and over.
pub(super) fn long(repo: &Repo, video: &Path) -> Outcome<PathBuf> {
    repeated(repo, video, LONG_SECONDS)
}

/// Returns so many seconds of `video` over and over, made without encoding unless they are there from an earlier time.
fn repeated(repo: &Repo, video: &Path, seconds: u32) -> Outcome<PathBuf> {
    let stem = video.file_stem().unwrap_or_default().to_string_lossy();
    let path = repo.target.join(format!("bench/{stem}-{seconds}s.mkv"));
    if !path.is_file() {
        note(format_args!("making {}", path.display()));
        make_clip(&path, &repeating(video, seconds)).during("making the source longer")?;
    }
    Ok(path)
}

fn repeating(video: &Path, seconds: u32) -> Vec<String> {
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
        std::fs::write(&video, "").unwrap();
        assert!(named_or_usual(&repo, Some(&video)).unwrap().ends_with("a.mp4"));
    }
}
