//! The picture of one scene: a backdrop, captions, fades and a watermark, encoded as it stays.
//!
//! Owns: what a scene's picture is, and how a piece of it is rendered and encoded; [`picture`](self) has the filters, `cut` where a scene may
//! be cut and where in a film a frame lies. Refuses to know: sound, and what the captions say: they are a file, [`CAPTIONS`], in the piece's folder.
//!
//! Invariants: a piece has exactly the frames that were asked for, and they are those that the whole scene has there; all pieces of one size,
//! rate, quality and encoder have the same parameter sets, so that they are joined without encoding them again.

mod cut;
mod picture;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use tokio::sync::watch;

use super::still::Still;
use super::{Job, words};
use crate::child::Launcher;
use crate::error::Error;
use crate::probe::SourceInfo;
use crate::progress::Progress;
use crate::tools::Tools;

/// The name of a piece's captions, in its folder: Advanced `SubStation` Alpha of the size of the picture, timed from the scene's beginning.
pub const CAPTIONS: &str = "captions.ass";

/// What errors call the step.
const STEP: &str = "rendering a scene";

/// Ticks of a second in the file: a multiple of every rate.
const TIMESCALE: &str = "90000";

/// What a second of picture may take at most, beside a raw frame for each: twenty times what a busy scene has.
const ROOM_BYTES: u64 = 1 << 20;

/// One scene's picture.
#[derive(Debug, Clone)]
pub struct Scene {
    /// Pixels in a row, even.
    pub width: u32,
    /// Rows, even.
    pub height: u32,
    /// Frames a second, a divisor of 90,000.
    pub fps: u32,
    /// Frames, one at least.
    pub frames: u32,
    /// What is behind everything.
    pub backdrop: Backdrop,
    /// Frames over which it comes out of black.
    pub fade_in: u32,
    /// Frames over which it goes into black.
    pub fade_out: u32,
    /// A picture on top of everything.
    pub watermark: Option<Watermark>,
    /// For a look, or to keep.
    pub quality: Quality,
}

/// What is behind everything.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Backdrop {
    /// A gradient between two colours, red, green and blue of each, that moves slowly.
    Gradient([[u8; 3]; 2]),
    /// A picture that fills the frame, and moves.
    Still(Still, Motion),
    /// A video, from so many microseconds on, again and again until the scene is over.
    Film(Box<SourceInfo>, Fit, u64),
}

/// How a still picture moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Motion {
    /// Not at all.
    Still,
    /// Nearer.
    ZoomIn,
    /// Farther.
    ZoomOut,
    /// The eye goes from left to right.
    PanRight,
    /// The eye goes from right to left.
    PanLeft,
}

/// How a video of another shape fills the frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fit {
    /// It fills it, and its edges are cut off.
    Crop,
    /// All of it is seen, between bars of black.
    Pad,
    /// All of it is seen, before itself, large and blurred.
    BlurPad,
}

/// A picture on top of everything, in a corner.
#[derive(Debug, Clone)]
pub struct Watermark {
    /// The picture.
    pub still: Still,
    /// At the right, or at the left.
    pub right: bool,
    /// At the bottom, or at the top.
    pub bottom: bool,
    /// Its width, in thousandths of the frame's.
    pub width_permille: u32,
    /// How much of it is seen, in thousandths.
    pub opacity_permille: u32,
}

/// How a scene is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quality {
    /// As quickly as it goes.
    Draft,
    /// To keep.
    Full,
}

/// A stretch of a scene, which is a file of its own.
#[derive(Debug, Clone, Copy)]
pub struct Piece<'s> {
    /// The scene.
    pub scene: &'s Scene,
    /// Frames of the scene before it.
    pub first: u32,
    /// Its frames, one at least.
    pub frames: u32,
    /// The piece's folder has [`CAPTIONS`].
    pub captions: bool,
    /// The scene before, which goes on behind its end while this one appears over all frames of the piece.
    pub before: Option<&'s Scene>,
    /// Threads that encode.
    pub threads: u32,
}

impl Scene {
    fn file(&self) -> Option<PathBuf> {
        match &self.backdrop {
            Backdrop::Gradient(_) => None,
            Backdrop::Still(still, _) => Some(still.path.clone()),
            Backdrop::Film(source, ..) => Some(source.path.clone()),
        }
    }
}

impl Piece<'_> {
    /// Renders the piece into `out`, a file that is there: H.264 in MP4 without sound. `folder` has what it reads by name.
    ///
    /// # Errors
    /// [`Error::Failed`], [`Error::Stalled`], [`Error::Start`], [`Error::Sandbox`].
    pub async fn render(
        &self,
        launcher: &Launcher,
        tools: &Tools,
        (folder, out): (&Path, &Path),
        progress: &watch::Sender<Progress>,
    ) -> Result<(), Error> {
        let folder = tokio::fs::canonicalize(folder).await.map_err(Error::Read)?;
        let scene = self.scene;
        let mut read: Vec<PathBuf> = scene.file().into_iter().collect();
        read.extend(self.before.and_then(Scene::file));
        read.extend(scene.watermark.iter().map(|mark| mark.still.path.clone()));
        if self.captions {
            read.push(folder.join(CAPTIONS));
        }
        let frame = u64::from(scene.width) * u64::from(scene.height) * 3 / 2;
        let job = Job {
            step: STEP,
            args: self.arguments(tools),
            read,
            folder: Some(&folder),
            fonts: self.captions,
            out,
            bytes_max: frame * u64::from(self.frames) + ROOM_BYTES,
        };
        job.run(launcher, tools, progress).await?;
        let made = progress.borrow().frames;
        if made == u64::from(self.frames) {
            return Ok(());
        }
        let stderr = format!("{made} of {} frames came out", self.frames);
        Err(Error::Failed { step: STEP, stderr })
    }

    fn arguments(&self, tools: &Tools) -> Vec<OsString> {
        let Scene { fps, quality, .. } = self.scene;
        let mut args = self.inputs();
        args.extend(words(["-filter_complex", &self.graph(tools), "-map", "[out]", "-an", "-sn"]));
        args.extend(words(["-frames:v", &self.frames.to_string(), "-c:v", "libx264"]));
        let speed = match quality {
            Quality::Draft => ["-preset", "ultrafast", "-crf", "28"],
            Quality::Full => ["-preset", "veryfast", "-crf", "20"],
        };
        args.extend(words(speed));
        // A piece begins with a picture of its own; within it there is one every two seconds.
        let (group, threads) = ((fps * 2).to_string(), self.threads.to_string());
        args.extend(words(["-g", &group, "-threads", &threads, "-pix_fmt", "yuv420p"]));
        args.extend(words(["-color_range", "tv", "-colorspace", "bt709"]));
        args.extend(words(["-color_primaries", "bt709", "-color_trc", "bt709"]));
        args.extend(words(["-map_metadata", "-1", "-video_track_timescale", TIMESCALE]));
        args.extend(words(["-fps_mode", "cfr", "-f", "mp4"]));
        args
    }
}
