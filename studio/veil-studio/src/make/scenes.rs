//! Every scene rendered: its picture with captions, or out of the cache.
//!
//! Owns: what a scene's picture is made of and kept by, and how far all of them are. Refuses to know: filters and encoders.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use serde_json::json;
use tokio::sync::watch;
use veil_ffmpeg::Progress;
use veil_ffmpeg::produce::join::scene_name;
use veil_ffmpeg::produce::scene::{self, Backdrop, CAPTIONS, Quality, Scene, Watermark};

use super::cache::Key;
use super::captions::Cue;
use super::captions::ass::{Layout, Overlay, draw};
use super::document::{Background, Corner, Fit, Motion, Production};
use super::error::{Fault, MakeError};
use super::limits::rgb;
use super::making::MakeProgress;
use super::media::{Looked, Medium};
use super::plan::{Part, Span, fades};
use super::speaking::Studio;

/// What the pictures of all scenes have in common.
pub(super) struct Pictures<'p> {
    pub(super) production: &'p Production,
    pub(super) parts: &'p [Part<'p>],
    pub(super) spans: &'p [Span],
    /// Captions of each scene, timed from its beginning.
    pub(super) cues: &'p [Vec<Cue>],
    pub(super) progress: &'p watch::Sender<MakeProgress>,
    /// Threads of each encoder.
    pub(super) threads: u32,
}

impl Studio<'_> {
    /// Renders all scenes into the run's folder, and returns how many were not in the cache.
    pub(super) async fn render(&self, pictures: &Pictures<'_>) -> Result<usize, MakeError> {
        let done: Vec<AtomicU64> = pictures.spans.iter().map(|_| AtomicU64::new(0)).collect();
        let each = (0..pictures.parts.len()).map(|at| self.scene(pictures, at, &done));
        let made: Vec<bool> = stream::iter(each).buffer_unordered(self.slots).try_collect().await?;
        Ok(made.into_iter().filter(|made| *made).count())
    }

    async fn scene(
        &self,
        pictures: &Pictures<'_>,
        at: usize,
        done: &[AtomicU64],
    ) -> Result<bool, MakeError> {
        let (part, span) = (&pictures.parts[at], pictures.spans[at]);
        let overlay = self.overlay(pictures, at);
        let (scene, backdrop_is) = self.picture(pictures, at, overlay.is_some())?;
        let mark = pictures.production.watermark.as_ref();
        let mark_is = mark.map(|mark| (mark, self.hash(&mark.file)));
        let size = (scene.width, scene.height, scene.fps, scene.frames);
        let fades = (scene.fade_in, scene.fade_out);
        let version = &self.encoder.tools.version;
        let draft = self.request.draft;
        let key = Key::of(
            "scene/1",
            &json!([version, size, fades, backdrop_is, overlay, mark_is, draft]),
        );
        let out = self.work.path().join(scene_name(at));
        let tell = |frames: u64| {
            done[at].store(frames, Ordering::Relaxed);
            let frames = done.iter().map(|frames| frames.load(Ordering::Relaxed)).sum();
            pictures.progress.send_modify(|progress| progress.frames = frames);
        };
        if self.cache.find(&key, "mp4", &out) {
            tell(u64::from(span.frames));
            return Ok(false);
        }
        let folder = self.work.path().join(format!("scene-{at:05}"));
        std::fs::create_dir(&folder).map_err(MakeError::io("cannot make", &folder))?;
        if let Some(overlay) = &overlay {
            let captions = folder.join(CAPTIONS);
            std::fs::write(&captions, overlay).map_err(MakeError::io("cannot write", &captions))?;
        }
        let made = self.work.file(&format!("made-{at:05}.mp4"))?;
        self.encode(&scene, (&folder, &made), tell)
            .await
            .map_err(|source| MakeError::Media { path: part.place.clone(), source })?;
        std::fs::rename(&made, &out).map_err(MakeError::io("cannot write", &out))?;
        self.cache.keep(&key, "mp4", &out)?;
        Ok(true)
    }

    async fn encode(
        &self,
        scene: &Scene,
        places: (&Path, &Path),
        tell: impl Fn(u64),
    ) -> Result<(), veil_ffmpeg::Error> {
        let (sender, mut updates) = watch::channel(Progress::default());
        let render = scene.render(&self.encoder.launcher, &self.encoder.tools, places, &sender);
        tokio::pin!(render);
        let result = loop {
            tokio::select! {
                result = &mut render => break result,
                _ = updates.changed() => tell(updates.borrow_and_update().frames),
            }
        };
        tell(u64::from(scene.frames));
        result
    }

    /// What is drawn over a scene.
    fn overlay(&self, pictures: &Pictures<'_>, at: usize) -> Option<String> {
        let Pictures { production, parts, spans, cues, .. } = pictures;
        let part = &parts[at];
        let layout = Layout::new(production.format, production.size(), part.captions);
        let scene_us = u64::from(spans[at].frames) * 1_000_000 / u64::from(production.fps);
        let overlay = Overlay {
            heading: part.heading.as_deref(),
            cues: &cues[at],
            captions: part.captions,
            scene_us,
        };
        draw(&layout, &overlay)
    }

    /// A scene's picture, and what its backdrop is, for the key.
    fn picture(
        &self,
        pictures: &Pictures<'_>,
        at: usize,
        captions: bool,
    ) -> Result<(Scene, serde_json::Value), MakeError> {
        let Pictures { production, parts, spans, threads, .. } = pictures;
        let (width, height) = production.size();
        let (fade_in, fade_out) = fades(parts, at, spans[at], production.fps);
        let (backdrop, backdrop_is) = self.backdrop(&parts[at])?;
        let scene = Scene {
            width,
            height,
            fps: production.fps,
            frames: spans[at].frames,
            backdrop,
            captions,
            fade_in,
            fade_out,
            watermark: self.watermark(production)?,
            quality: if self.request.draft { Quality::Draft } else { Quality::Full },
            threads: *threads,
        };
        Ok((scene, backdrop_is))
    }

    fn backdrop(&self, part: &Part<'_>) -> Result<(Backdrop, serde_json::Value), MakeError> {
        let lost = || Fault::new(part.place.clone(), "its background is lost");
        let hash = match part.background {
            Some(Background::Image { file, .. } | Background::Video { file, .. }) => {
                self.hash(file)
            }
            _ => None,
        };
        let is = json!([part.background, part.background.is_none().then_some(part.colours), hash]);
        let backdrop = match part.background {
            None => Backdrop::Gradient(part.colours),
            Some(Background::Gradient { colors: [first, second] }) => {
                let colours = rgb(first).zip(rgb(second)).ok_or_else(lost)?;
                Backdrop::Gradient([colours.0, colours.1])
            }
            Some(Background::Image { file, motion }) => match self.medium(file) {
                Some(Medium::Still(still)) => Backdrop::Still(still.clone(), moves(*motion)),
                _ => return Err(lost().into()),
            },
            Some(Background::Video { file, fit, start }) => match self.medium(file) {
                Some(Medium::Stream(source)) => {
                    #[expect(
                        clippy::cast_possible_truncation,
                        clippy::cast_sign_loss,
                        reason = "a day at most"
                    )]
                    let from_us = (start * 1e6) as u64;
                    let last = source.duration_us.unwrap_or(u64::MAX).saturating_sub(100_000);
                    if from_us > 0 && from_us >= last {
                        let place = format!("{}.background.start", part.place);
                        return Err(Fault::new(place, "the video is not that long").into());
                    }
                    Backdrop::Film(source.clone(), fits(*fit), from_us)
                }
                _ => return Err(lost().into()),
            },
        };
        Ok((backdrop, is))
    }

    fn watermark(&self, production: &Production) -> Result<Option<Watermark>, MakeError> {
        let Some(mark) = &production.watermark else { return Ok(None) };
        let Some(Medium::Still(still)) = self.medium(&mark.file) else {
            return Err(Fault::new("watermark", "its picture is lost").into());
        };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to 1")]
        let permille = |part: f64| (part * 1000.0).round() as u32;
        Ok(Some(Watermark {
            still: still.clone(),
            right: matches!(mark.position, Corner::TopRight | Corner::BottomRight),
            bottom: matches!(mark.position, Corner::BottomLeft | Corner::BottomRight),
            width_permille: permille(mark.width),
            opacity_permille: permille(mark.opacity),
        }))
    }

    fn medium(&self, file: &str) -> Option<&Medium> {
        self.media.get(file).map(|Looked { medium, .. }| medium)
    }

    fn hash(&self, file: &str) -> Option<&str> {
        self.media.get(file).map(|looked| looked.hash.as_str())
    }
}

fn moves(motion: Motion) -> scene::Motion {
    match motion {
        Motion::ZoomIn => scene::Motion::ZoomIn,
        Motion::ZoomOut => scene::Motion::ZoomOut,
        Motion::PanRight => scene::Motion::PanRight,
        Motion::PanLeft => scene::Motion::PanLeft,
        Motion::None => scene::Motion::Still,
    }
}

fn fits(fit: Fit) -> scene::Fit {
    match fit {
        Fit::Crop => scene::Fit::Crop,
        Fit::Pad => scene::Fit::Pad,
        Fit::BlurPad => scene::Fit::BlurPad,
    }
}
