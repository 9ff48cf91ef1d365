//! The order in which a production becomes a video.
//!
//! Owns: the steps from a document to a file, and what is told about it. Refuses to know: the command line, where the file goes.
//!
//! Invariant: `out` is a whole video when [`make`] says so; whatever it left unfinished is gone when it returns or is dropped.

use std::path::PathBuf;

use serde_json::json;
use tokio::sync::watch;
use veil_ffmpeg::produce::join::join;
use veil_ffmpeg::produce::sound::{Mix, Music, RATE_HZ};

use super::cache::{Cache, Key};
use super::captions::ass::Layout;
use super::captions::{Cue, cues, files};
use super::document::{CaptionStyle, Production};
use super::error::MakeError;
use super::media::{Looked, Media, Medium};
use super::plan::{Part, Span, edges, parts, timeline};
use super::scenes::{Pictures, Rendered};
use super::service::Service;
use super::sound::{Loudness, Placed, lay, render};
use super::speaking::{Speech, Studio};
use super::words::{TimedWord, align, words};
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
    let studio = Studio { encoder, cache, work: &work, media: &media, request, slots };
    tell("speaking");
    let (speeches, spoken) = studio.speak(&parts).await?;
    let facts: Vec<_> =
        speeches.iter().map(|speech| speech.as_ref().map(|speech| speech.spoken.clone())).collect();
    let spans = timeline(&parts, &facts, production.fps)?;
    let frames: u64 = spans.iter().map(|span| u64::from(span.frames)).sum();
    progress.send_modify(|progress| progress.total_frames = frames);
    tell("rendering");
    let said = captions(production, &parts, &spans, &speeches);
    let edges = edges(&parts, &spans, production.fps);
    #[rustfmt::skip]
    let pictures = Pictures {
        production, parts: &parts, spans: &spans, cues: &said, edges: &edges, progress,
    };
    let rendered = studio.render(&pictures).await?;
    tell("mixing");
    let sound = work.path().join("sound.m4a");
    let loudness = studio.sound(&spans, &speeches, &sound).await?;
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

/// The captions of each scene, timed from its beginning.
fn captions(
    production: &Production,
    parts: &[Part<'_>],
    spans: &[Span],
    speeches: &[Option<Speech>],
) -> Vec<Vec<Cue>> {
    let each = parts.iter().zip(spans).zip(speeches);
    each.map(|((part, span), speech)| {
        let scene_us = u64::from(span.frames) * 1_000_000 / u64::from(production.fps);
        let timed = timed_words(part, scene_us, speech.as_ref());
        let layout = Layout::new(production.format, production.size(), part.captions);
        let style = match part.captions.style {
            // Files beside the video are written all the same.
            CaptionStyle::None => CaptionStyle::Highlight,
            style => style,
        };
        cues(&timed, layout.room(style), scene_us)
    })
    .collect()
}

fn timed_words(part: &Part<'_>, scene_us: u64, speech: Option<&Speech>) -> Vec<TimedWord> {
    let words = words(&part.text);
    match speech {
        Some(Speech { spoken, .. }) => {
            let (start, end) = spoken.speech_us;
            align(words, &spoken.anchors, (start, end.min(scene_us)))
        }
        None => align(words, &[], (0, scene_us.saturating_sub(300_000))),
    }
}

/// Captions of all scenes, timed from the beginning of the video.
fn on_one_clock(said: &[Vec<Cue>], spans: &[Span], fps: u32) -> Vec<Cue> {
    let mut all = Vec::new();
    for (cues, span) in said.iter().zip(spans) {
        let from = span.first * 1_000_000 / u64::from(fps);
        for cue in cues {
            let mut cue = cue.clone();
            cue.start_us += from;
            cue.end_us += from;
            for word in &mut cue.words {
                word.start_us += from;
                word.end_us += from;
            }
            all.push(cue);
        }
    }
    all
}

impl Studio<'_> {
    /// The sound of the whole, encoded; out of the cache, if nothing of it has changed.
    async fn sound(
        &self,
        spans: &[Span],
        speeches: &[Option<Speech>],
        out: &std::path::Path,
    ) -> Result<Option<Loudness>, MakeError> {
        let production = &self.request.production;
        let samples_at = |frame: u64| frame * u64::from(RATE_HZ) / u64::from(production.fps);
        let samples =
            spans.last().map_or(0, |span| samples_at(span.first + u64::from(span.frames)));
        let heard = || {
            spans.iter().zip(speeches).filter_map(|(span, speech)| Some((span, speech.as_ref()?)))
        };
        let voices: Vec<Placed> = heard()
            .map(|(span, speech)| Placed { pcm: speech.pcm.clone(), at: samples_at(span.first) })
            .collect();
        let keys: Vec<(&str, u64)> =
            heard().map(|(span, speech)| (speech.key.as_str(), samples_at(span.first))).collect();
        let music = production.music.as_ref().and_then(|music| match self.media.get(&music.file) {
            Some(Looked { medium: Medium::Stream(source), hash }) => Some((music, source, hash)),
            _ => None,
        });
        let music_is = music.map(|(music, _, hash)| (music, hash));
        let version = &self.encoder.tools.version;
        let key =
            Key::of("sound/1", &json!([version, samples, keys, production.voice_volume, music_is]));
        if self.cache.find(&key, "m4a", out) {
            return Ok(None);
        }
        let voice = self.work.path().join("voice.pcm");
        lay_in_thread(voices, samples, voice.clone()).await?;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "small and positive"
        )]
        let thousandths = |value: f64| (value * 1000.0).round() as u32;
        let mix = Mix {
            voice,
            volume_permille: thousandths(production.voice_volume),
            music: music.map(|(music, source, _)| Music {
                source: (**source).clone(),
                volume_permille: thousandths(music.volume),
                ducked: music.duck,
                fade_out_ms: thousandths(music.fade_out),
            }),
            samples,
        };
        let made = self.work.file("made.m4a")?;
        let loudness = render(self.encoder, self.work, &mix, &made).await?;
        std::fs::rename(&made, out).map_err(MakeError::io("cannot write", out))?;
        self.cache.keep(&key, "m4a", out)?;
        Ok((loudness.lufs > -70.0).then_some(loudness))
    }
}

async fn lay_in_thread(voices: Vec<Placed>, samples: u64, out: PathBuf) -> Result<(), MakeError> {
    let path = out.clone();
    let laid = tokio::task::spawn_blocking(move || lay(&voices, samples, &out)).await;
    let laid = laid.map_err(|gone| MakeError::Broken(gone.to_string()))?;
    laid.map_err(MakeError::io("cannot write", path))
}
