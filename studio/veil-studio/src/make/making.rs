//! The order in which a production becomes a video.
//!
//! Owns: the steps from a document to a file, and what is told about it. Refuses to know: the command line, where the file goes.
//!
//! Invariant: `out` is a whole video when [`make`] says so; whatever it left unfinished is gone when it returns or is dropped.

use std::path::PathBuf;

use tokio::sync::watch;
use veil_ffmpeg::produce::join::join;

use super::cache::Cache;
use super::captions::files;
use super::cueing::{captions, on_one_clock};
use super::document::Production;
use super::error::MakeError;
use super::media::Media;
use super::plan::{edges, parts, timeline};
use super::scenes::{Pictures, Rendered};
use super::service::Service;
use super::sound::Loudness;
use super::speaking::{Studio, espeak_version};
use crate::pipeline::Encoder;
use crate::turns::{FrameSize, Resources};

/// What speaks beside recordings, where it is set up.
#[derive(Clone, Debug, Default)]
pub struct Services {
    /// The helper program for espeak-ng.
    pub espeak: Option<PathBuf>,
    /// A Piper server.
    pub piper: Option<Service>,
    /// An interface like `OpenAI`'s.
    pub openai: Option<Service>,
}

/// What to make.
#[derive(Clone, Debug)]
pub struct MakeRequest {
    /// The document.
    pub production: Production,
    /// Where relative names of files begin.
    pub base: PathBuf,
    /// The file to write, which is there already: MP4.
    pub out: PathBuf,
    /// For a look: encoded as quickly as it goes.
    pub draft: bool,
    /// Voices.
    pub services: Services,
}

/// How far it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MakeProgress {
    /// What is done.
    pub step: &'static str,
    /// Frames that are rendered.
    pub frames: u64,
    /// Frames of the video; 0 while that is not known.
    pub total_frames: u64,
}

/// What was made.
#[derive(Clone, Debug)]
pub struct Made {
    /// Pixels in a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Frames a second.
    pub fps: u32,
    /// Frames.
    pub frames: u64,
    /// Scenes.
    pub scenes: usize,
    /// Scenes of whose picture a piece was not in the cache.
    pub rendered: usize,
    /// Pieces that the picture was cut into.
    pub pieces: usize,
    /// Pieces that were not in the cache.
    pub rendered_pieces: usize,
    /// Scenes whose voice was not in the cache.
    pub spoken: usize,
    /// How loud it is, before it was encoded; `None` for silence and for sound out of the cache.
    pub loudness: Option<Loudness>,
    /// Captions as WebVTT; empty where nothing is said.
    pub webvtt: String,
    /// Captions as `SubRip`.
    pub subrip: String,
}

impl Made {
    /// How long it is, in microseconds.
    #[must_use]
    pub fn duration_us(&self) -> u64 {
        self.frames * 1_000_000 / u64::from(self.fps)
    }
}

/// Makes a video.
///
/// Dropping the future stops every process and removes what the run had written, but for `out` and what the cache keeps.
///
/// # Errors
/// [`MakeError`]; what `out` holds then is worth nothing.
pub async fn make(
    encoder: &Encoder,
    cache: &Cache,
    request: &MakeRequest,
    progress: &watch::Sender<MakeProgress>,
) -> Result<Made, MakeError> {
    let tell = |step| progress.send_modify(|progress| progress.step = step);
    tell("reading");
    let production = &request.production;
    let media = Media::look(encoder, production, &request.base).await?;
    let parts = parts(production);
    let (width, height) = production.size();
    let frame = FrameSize::of_8_bit_420(width, height);
    let slots = slots(encoder, frame);
    let cost = Resources::of_making(frame, slots);
    tell("waiting");
    let _turn = encoder.turn(cost).await?;
    let work = cache.work()?;
    tell("speaking");
    let espeak = espeak_version(encoder, &request.services, &parts).await;
    let espeak_version = espeak.as_deref();
    let studio =
        Studio { encoder, cache, work: &work, media: &media, request, slots, espeak_version };
    let (speeches, spoken) = studio.speak(&parts).await?;
    let facts: Vec<_> =
        speeches.iter().map(|speech| speech.as_ref().map(|speech| speech.spoken.clone())).collect();
    let spans = timeline(&parts, &facts, production.fps)?;
    let frames: u64 = spans.iter().map(|span| u64::from(span.frames)).sum();
    progress.send_modify(|progress| progress.total_frames = frames);
    tell("rendering");
    let said = captions(production, &media, &parts, &spans, &speeches);
    let edges = edges(&parts, &spans, production.fps);
    #[rustfmt::skip]
    let pictures = Pictures {
        production, parts: &parts, spans: &spans, cues: &said, edges: &edges, progress,
    };
    let rendered = studio.render(&pictures).await?;
    tell("mixing");
    let sound = work.path().join("sound.m4a");
    let loudness = studio.sound((&parts, &spans, &edges), &speeches, &sound).await?;
    tell("joining");
    let folder = (work.path(), rendered.pieces);
    join(&encoder.launcher, &encoder.tools, folder, &sound, &request.out).await?;
    cache.trim();
    let all = on_one_clock(&said, &spans, production.fps);
    let (webvtt, subrip) = match all.is_empty() {
        true => Default::default(),
        false => (files::webvtt(&all), files::subrip(&all)),
    };
    let (fps, scenes) = (production.fps, parts.len());
    let Rendered { scenes: rendered, pieces, rendered_pieces } = rendered;
    #[rustfmt::skip]
    let made = Made {
        width, height, fps, frames, scenes, rendered, pieces, rendered_pieces, spoken, loudness, webvtt, subrip,
    };
    Ok(made)
}

/// How many pieces are rendered at once: as many as there are processors, and room in the budget.
fn slots(encoder: &Encoder, frame: FrameSize) -> usize {
    let budget = encoder.turns.as_ref().map(|turns| turns.budget());
    let fits = |slots: usize| {
        budget.is_none_or(|budget| {
            Resources::of_making(frame, slots).memory_bytes <= budget.memory_bytes
        })
    };
    let cores =
        budget.map_or(encoder.processors, |budget| usize::try_from(budget.cores).unwrap_or(1));
    let most = encoder.processors.min(cores).max(1);
    (1..=most).rev().find(|slots| fits(*slots)).unwrap_or(1)
}
