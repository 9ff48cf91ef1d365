//! Videos to test with: the shared samples when they are there, and clips that FFmpeg makes.
//!
//! A clip is made once, kept below `target`, and appears under its name only when it is whole, so tests that run in
//! parallel may ask for the same one. Nothing here is ever committed.

use std::fs;
use std::io::{self, Error};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::place::{cache_dir, locked, workspace_root};
use crate::spawn::run;

/// Longest that FFmpeg may take for one clip, on a machine that does other things as well.
const CLIP_LIMIT: Duration = Duration::from_secs(300);

/// How a clip's picture is coded; the container and the sound follow from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Codec {
    /// H.264 and AAC in MP4.
    H264,
    /// HEVC and AAC in MP4.
    Hevc,
    /// VP9 and Opus in WebM.
    Vp9,
    /// MPEG-2 and MP2 in a transport stream.
    Mpeg2,
    /// ProRes and PCM in MOV.
    Prores,
}

impl Codec {
    /// Returns the file extension and FFmpeg's options for picture and sound.
    fn settings(self) -> (&'static str, &'static [&'static str]) {
        match self {
            Self::H264 => ("mp4", &["-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac"]),
            Self::Hevc => ("mp4", &["-c:v", "libx265", "-preset", "ultrafast", "-c:a", "aac"]),
            Self::Vp9 => ("webm", &["-c:v", "libvpx-vp9", "-cpu-used", "8", "-c:a", "libopus"]),
            Self::Mpeg2 => ("ts", &["-c:v", "mpeg2video", "-c:a", "mp2"]),
            Self::Prores => ("mov", &["-c:v", "prores", "-c:a", "pcm_s16le"]),
        }
    }
}

/// What a generated clip is like; [`Default`] is 4 s of 640×360 at 30 frames/s, H.264 with sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClipSpec {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Length in seconds.
    pub seconds: u32,
    /// Frames per second.
    pub fps: u32,
    /// Whether there is a sound track (a stereo tone with a beat).
    pub audio: bool,
    /// Codec, and with it the container.
    pub codec: Codec,
}

impl Default for ClipSpec {
    fn default() -> Self {
        Self { width: 640, height: 360, seconds: 4, fps: 30, audio: true, codec: Codec::H264 }
    }
}

impl ClipSpec {
    fn file_name(&self) -> String {
        let sound = if self.audio { "sound" } else { "silent" };
        let (extension, _) = self.codec.settings();
        let codec = format!("{:?}", self.codec).to_ascii_lowercase();
        format!(
            "{}x{}-{}fps-{}s-{codec}-{sound}.{extension}",
            self.width, self.height, self.fps, self.seconds
        )
    }

    fn arguments(&self) -> Vec<String> {
        let Self { width, height, seconds, fps, .. } = self;
        let mut arguments: Vec<String> =
            ["-nostdin", "-hide_banner", "-loglevel", "error", "-y"].map(String::from).into();
        let mut input = |source: String| {
            arguments.extend(["-f".into(), "lavfi".into(), "-i".into(), source]);
        };
        input(format!("testsrc2=size={width}x{height}:rate={fps}:duration={seconds}"));
        if self.audio {
            let tones = "0.2*sin(440*2*PI*t)*lt(mod(t\\,1)\\,0.5)|0.2*sin(660*2*PI*t)";
            input(format!("aevalsrc={tones}:s=48000:d={seconds}"));
        }
        let (_, codec) = self.codec.settings();
        arguments.extend(codec.iter().map(|option| (*option).to_owned()));
        let picture = if self.codec == Codec::Prores { "yuv422p10le" } else { "yuv420p" };
        arguments.extend(["-pix_fmt".into(), picture.into()]);
        arguments
    }
}

/// Returns the folder of shared samples: `VEILCAST_SAMPLES`, else `../shared/samples` beside the workspace, if it
/// is there.
///
/// # Panics
///
/// When `VEILCAST_SAMPLES` names a folder that is not there: someone expects the samples to be used.
#[must_use]
pub fn samples() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("VEILCAST_SAMPLES") {
        let dir = workspace_root().join(named);
        assert!(dir.is_dir(), "VEILCAST_SAMPLES names {}, which is no folder", dir.display());
        return Some(dir);
    }
    Some(workspace_root().join("../shared/samples")).filter(|dir| dir.is_dir())
}

/// Returns the sample at `name` below the samples folder, such as `media/sintel_trailer-720p.mp4`; where it is not
/// there, a clip.
#[must_use]
pub fn sample_or_clip(name: &str, spec: ClipSpec) -> PathBuf {
    let sample = samples().map(|dir| dir.join(name)).filter(|path| path.is_file());
    sample.unwrap_or_else(|| clip(spec))
}

/// Returns a clip made by FFmpeg; it is shared between tests, so it must not be changed.
///
/// # Panics
///
/// When FFmpeg is missing or fails.
#[must_use]
#[expect(clippy::panic, reason = "a test without its video has failed")]
pub fn clip(spec: ClipSpec) -> PathBuf {
    let made = cache_dir().and_then(|dir| {
        let path = dir.join(spec.file_name());
        make_clip(&path, &spec.arguments())?;
        Ok(path)
    });
    made.unwrap_or_else(|error| panic!("making the clip {spec:?}: {error}"))
}

/// Runs FFmpeg with `arguments` and puts what it makes at `path`, whole or not at all; does nothing when `path` is
/// already there.
///
/// # Errors
///
/// When FFmpeg is missing, fails or takes longer than five minutes; with the end of what it wrote.
pub fn make_clip(path: &Path, arguments: &[String]) -> io::Result<()> {
    let name = path.file_name().and_then(|name| name.to_str());
    let name = name.ok_or_else(|| Error::other("a clip needs a name in UTF-8"))?;
    locked(&format!("clip-{name}"), || {
        if path.is_file() {
            return Ok(());
        }
        let part = path.with_file_name(format!("part-{name}"));
        run(Command::new("ffmpeg").args(arguments).arg(&part), CLIP_LIMIT)?.success()?;
        fs::rename(part, path)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn check(spec: ClipSpec, codec_name: &str) {
        let path = clip(spec);
        let mut ffprobe = Command::new("ffprobe");
        ffprobe.args(["-v", "error", "-of", "json", "-show_streams", "-show_format"]).arg(&path);
        let report = run(&mut ffprobe, CLIP_LIMIT).unwrap().success().unwrap();
        let report: Value = serde_json::from_slice(&report.stdout).unwrap();
        let streams = report["streams"].as_array().unwrap();
        assert_eq!(streams.len(), 1 + usize::from(spec.audio));
        assert_eq!(streams[0]["codec_name"], codec_name);
        assert_eq!(streams[0]["width"], spec.width);
        assert_eq!(streams[0]["height"], spec.height);
        let seconds: f64 = report["format"]["duration"].as_str().unwrap().parse().unwrap();
        assert!((seconds - f64::from(spec.seconds)).abs() < 0.2, "{seconds} s");
    }

    #[test]
    fn every_codec_gives_a_clip_of_the_asked_shape() {
        let small = ClipSpec { width: 160, height: 90, seconds: 1, ..ClipSpec::default() };
        check(small, "h264");
        check(ClipSpec { codec: Codec::Hevc, ..small }, "hevc");
        check(ClipSpec { codec: Codec::Vp9, ..small }, "vp9");
        check(ClipSpec { codec: Codec::Mpeg2, height: 96, fps: 25, ..small }, "mpeg2video");
        check(ClipSpec { codec: Codec::Prores, audio: false, ..small }, "prores");
    }

    #[test]
    fn a_clip_that_fails_leaves_nothing_under_its_name() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("broken.mp4");
        let error = make_clip(&path, &["-loglevel".into(), "error".into()]).unwrap_err();
        assert!(error.to_string().contains("ended with"), "{error}");
        assert!(!path.exists());
    }

    #[test]
    fn a_missing_sample_is_replaced_by_a_clip() {
        let spec = ClipSpec { width: 160, height: 90, seconds: 1, ..ClipSpec::default() };
        assert_eq!(sample_or_clip("media/no-such-sample.mp4", spec), clip(spec));
    }
}
