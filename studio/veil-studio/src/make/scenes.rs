//! Every scene rendered: its picture with captions, in pieces, each of them new or out of the cache.
//!
//! Owns: what the pieces of a picture are made of and kept by, and how far all of them are. Refuses to know: filters and encoders.
//!
//! Invariant: a piece is kept as soon as it is whole; what is killed loses the pieces that are under way, and no other.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use serde_json::json;
use tokio::sync::watch;
use veil_ffmpeg::Progress;
use veil_ffmpeg::produce::join::piece_name;
use veil_ffmpeg::produce::scene::{self, Backdrop, CAPTIONS, Piece, Quality, Scene, Watermark};

use super::cache::Key;
use super::captions::Cue;
use super::captions::ass::{Layout, Overlay, draw};
use super::document::{Background, Corner, Fit, Motion, Production};
use super::error::{Fault, MakeError};
use super::limits::rgb;
use super::making::MakeProgress;
use super::media::{Looked, Medium};
use super::plan::{Edges, Part, Span};
use super::speaking::Studio;

/// What the pictures of all scenes have in common.
pub(super) struct Pictures<'p> {
    pub(super) production: &'p Production,
    pub(super) parts: &'p [Part<'p>],
    pub(super) spans: &'p [Span],
    /// Captions of each scene, timed from its beginning.
    pub(super) cues: &'p [Vec<Cue>],
    /// Transitions of each scene.
    pub(super) edges: &'p [Edges],
    pub(super) progress: &'p watch::Sender<MakeProgress>,
}

/// A scene's picture, and what its backdrop is, for keys.
struct Drawn {
    scene: Scene,
    backdrop_is: serde_json::Value,
}

/// A piece of the picture: frames of a scene.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cut {
    scene: usize,
    first: u32,
    frames: u32,
    /// The scene appears in it over the scene before.
    dissolves: bool,
}

/// Which pictures were not in the cache.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Rendered {
    /// Scenes of which any piece was rendered.
    pub(super) scenes: usize,
    /// Pieces of all scenes.
    pub(super) pieces: usize,
    /// Pieces that were rendered.
    pub(super) rendered_pieces: usize,
}

/// Cuts scenes into pieces, in order.
fn cuts(drawn: &[Drawn], edges: &[Edges]) -> Vec<Cut> {
    let mut cuts = Vec::new();
    for (at, (Drawn { scene, .. }, edges)) in drawn.iter().zip(edges).enumerate() {
        let mut first = 0;
        let dissolve = (edges.dissolve > 0).then_some(edges.dissolve);
        let borders = scene.borders(edges.dissolve);
        for border in dissolve.into_iter().chain(borders).chain([scene.frames]) {
            let dissolves = first < edges.dissolve;
            cuts.push(Cut { scene: at, first, frames: border - first, dissolves });
            first = border;
        }
    }
    cuts
}

/// How far all pieces are.
struct Done<'d> {
    frames: Vec<AtomicU64>,
    progress: &'d watch::Sender<MakeProgress>,
}

impl Done<'_> {
    fn tell(&self, at: usize, frames: u64) {
        self.frames[at].store(frames, Ordering::Relaxed);
        let frames = self.frames.iter().map(|frames| frames.load(Ordering::Relaxed)).sum();
        self.progress.send_modify(|progress| progress.frames = frames);
    }
}

impl Studio<'_> {
    /// Renders the picture, in pieces, into the run's folder.
    pub(super) async fn render(&self, pictures: &Pictures<'_>) -> Result<Rendered, MakeError> {
        let scenes = 0..pictures.parts.len();
        let drawn: Result<Vec<Drawn>, MakeError> =
            scenes.map(|at| self.picture(pictures, at)).collect();
        let drawn = drawn?;
        let cuts = cuts(&drawn, pictures.edges);
        let at_once = self.slots.min(cuts.len()).max(1);
        let threads = self.encoder.processors.div_ceil(at_once);
        let threads = u32::try_from(threads).unwrap_or(1);
        let frames = cuts.iter().map(|_| AtomicU64::new(0)).collect();
        let done = Done { frames, progress: pictures.progress };
        let each =
            (0..cuts.len()).map(|at| self.piece(pictures, &drawn, (at, cuts[at]), threads, &done));
        let made: Vec<(usize, bool)> =
            stream::iter(each).buffer_unordered(self.slots).try_collect().await?;
        let rendered = || made.iter().filter(|(_, made)| *made).map(|(scene, _)| *scene);
        let scenes = rendered().collect::<BTreeSet<_>>().len();
        Ok(Rendered { scenes, pieces: cuts.len(), rendered_pieces: rendered().count() })
    }

    /// Renders a piece; returns its scene, and `false` where it was in the cache.
    async fn piece(
        &self,
        pictures: &Pictures<'_>,
        drawn: &[Drawn],
        (at, cut): (usize, Cut),
        threads: u32,
        done: &Done<'_>,
    ) -> Result<(usize, bool), MakeError> {
        let Drawn { scene, .. } = &drawn[cut.scene];
        let before = cut.dissolves.then(|| &drawn[cut.scene - 1]);
        let overlay = self.overlay(pictures, cut);
        let key = self.piece_key(pictures, &drawn[cut.scene], (cut, before), overlay.as_deref());
        let out = self.work.path().join(piece_name(at));
        if self.cache.find(&key, "mp4", &out) {
            done.tell(at, u64::from(cut.frames));
            return Ok((cut.scene, false));
        }
        let folder = self.work.path().join(format!("piece-{at:05}"));
        std::fs::create_dir(&folder).map_err(MakeError::io("cannot make", &folder))?;
        if let Some(overlay) = &overlay {
            let captions = folder.join(CAPTIONS);
            std::fs::write(&captions, overlay).map_err(MakeError::io("cannot write", &captions))?;
        }
        let made = self.work.file(&format!("made-{at:05}.mp4"))?;
        let piece = Piece {
            scene,
            first: cut.first,
            frames: cut.frames,
            captions: overlay.is_some(),
            before: before.map(|drawn| &drawn.scene),
            threads,
        };
        let place = &pictures.parts[cut.scene].place;
        self.encode(&piece, (&folder, &made), |frames| done.tell(at, frames))
            .await
            .map_err(|source| MakeError::Media { path: place.clone(), source })?;
        std::fs::rename(&made, &out).map_err(MakeError::io("cannot write", &out))?;
        self.cache.keep(&key, "mp4", &out)?;
        Ok((cut.scene, true))
    }

    /// What a piece is kept by: everything that is seen in it, and how it is encoded.
    fn piece_key(
        &self,
        pictures: &Pictures<'_>,
        Drawn { scene, backdrop_is }: &Drawn,
        (cut, before): (Cut, Option<&Drawn>),
        overlay: Option<&str>,
    ) -> Key {
        let version = &self.encoder.tools.version;
        let size = (scene.width, scene.height, scene.fps, scene.frames);
        let span = (cut.first, cut.frames);
        // No fade is longer than the piece that it lies in.
        let last = cut.first + cut.frames == scene.frames;
        let fade_in = if cut.first == 0 { scene.fade_in } else { 0 };
        let fade_out = if last { scene.fade_out } else { 0 };
        let before_is = before.map(|drawn| (&drawn.backdrop_is, drawn.scene.frames));
        let mark = pictures.production.watermark.as_ref();
        let mark_is = mark.map(|mark| (mark, self.hash(&mark.file)));
        let looks = (backdrop_is, before_is, overlay, mark_is, (fade_in, fade_out));
        Key::of("piece/1", &json!([version, size, span, looks, self.request.draft]))
    }

    async fn encode(
        &self,
        piece: &Piece<'_>,
        places: (&Path, &Path),
        tell: impl Fn(u64),
    ) -> Result<(), veil_ffmpeg::Error> {
        let (sender, mut updates) = watch::channel(Progress::default());
        let render = piece.render(&self.encoder.launcher, &self.encoder.tools, places, &sender);
        tokio::pin!(render);
        let result = loop {
            tokio::select! {
                result = &mut render => break result,
                _ = updates.changed() => tell(updates.borrow_and_update().frames),
            }
        };
        tell(u64::from(piece.frames));
        result
    }

    /// What is drawn over a piece.
    fn overlay(&self, pictures: &Pictures<'_>, cut: Cut) -> Option<String> {
        let Pictures { production, parts, spans, cues, .. } = pictures;
        let part = &parts[cut.scene];
        let layout = Layout::new(production.format, production.size(), part.captions);
        let us = |frames: u32| u64::from(frames) * 1_000_000 / u64::from(production.fps);
        let overlay = Overlay {
            heading: part.heading.as_deref(),
            cues: &cues[cut.scene],
            captions: part.captions,
            scene_us: us(spans[cut.scene].frames),
            seen_us: (us(cut.first), us(cut.first + cut.frames)),
        };
        draw(&layout, &overlay)
    }

    /// A scene's picture, and what its backdrop is.
    fn picture(&self, pictures: &Pictures<'_>, at: usize) -> Result<Drawn, MakeError> {
        let Pictures { production, parts, spans, edges, .. } = pictures;
        let (width, height) = production.size();
        let (backdrop, backdrop_is) = self.backdrop(&parts[at])?;
        let scene = Scene {
            width,
            height,
            fps: production.fps,
            frames: spans[at].frames,
            backdrop,
            fade_in: edges[at].fade_in,
            fade_out: edges[at].fade_out,
            watermark: self.watermark(production)?,
            quality: if self.request.draft { Quality::Draft } else { Quality::Full },
        };
        Ok(Drawn { scene, backdrop_is })
    }

    fn backdrop(&self, part: &Part<'_>) -> Result<(Backdrop, serde_json::Value), MakeError> {
        let lost = || Fault::new(part.place.clone(), "its background is lost");
        let hash = match part.background {
            Some(Background::Image { file, .. } | Background::Video { file, .. }) => {
                self.hash(file)
            }
            _ => None,
        };
        // How loud a film is heard changes no picture.
        let shown = match part.background {
            Some(Background::Video { fit, start, .. }) => json!([fit, start]),
            other => json!(other),
        };
        let is = json!([shown, part.background.is_none().then_some(part.colours), hash]);
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
            Some(Background::Video { file, fit, start, .. }) => match self.medium(file) {
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
