//! From the encoder's pipes to sealed objects: one task a rendition.
//!
//! Owns: which task reads which pipe, and whose error is told when several fail. A track's task
//! holds one segment and the list of segment lengths, however long the video is.

mod runs;
mod twins;

use std::sync::Arc;

use tokio::io::AsyncRead;
use tokio::sync::watch;
use tokio::task::JoinSet;
use veil_ffmpeg::storyboard::Sheets;
use veil_ffmpeg::{Packaging, Plan, Progress, Role, SourceInfo};
use veil_hls::cmaf::{self, CmafError, Piece, SEGMENT_TARGET_US};
use veil_seal::chunks;
use veil_seal::object::{Kind, Variant};

use crate::StudioError;
use crate::manifest::{self, Label, Media, Rendition, SegmentFacts, StoryboardFacts};
use crate::pipeline::ImportProgress;
use crate::stages::package::{Pieces, bit_rates};
use crate::stages::publish::{Publication, RenditionFile};
use crate::stages::seal::Sealer;
use crate::trace::likeness::Likeness;

pub(crate) use runs::{MarkedRuns, Runs};

/// The most segments of a rendition: more than a day of them.
const MAX_SEGMENTS: u32 = 1 << 16;
/// The most sheets of a storyboard.
const MAX_SHEETS: u32 = 1 << 10;

/// Seals and publishes: plaintext goes in, and only sealed objects come out.
#[derive(Clone)]
pub(crate) struct Desk {
    pub(crate) sealer: Arc<Sealer>,
    pub(crate) publication: Arc<Publication>,
    /// Whether a rendition of picture or sound becomes one object.
    pub(crate) single_file: bool,
}

impl Desk {
    /// Seals and publishes both variants of a slot's segment.
    async fn put_variants(
        &self,
        rendition: u16,
        slot: u32,
        [first, second]: &[Vec<u8>; 2],
    ) -> Result<(), StudioError> {
        for (variant, plaintext) in [(Variant::A, first), (Variant::B, second)] {
            let object = self.sealer.seal_variant(rendition, slot, variant, plaintext)?;
            self.publication.put(object).await?;
        }
        Ok(())
    }

    pub(crate) async fn put(
        &self,
        kind: Kind,
        rendition: u16,
        index: u32,
        plaintext: &[u8],
    ) -> Result<(), StudioError> {
        let object = self.sealer.seal(kind, rendition, index, plaintext)?;
        self.publication.put(object).await
    }

    /// Begins a rendition of picture or sound.
    async fn begin(&self, rendition: u16) -> Result<Destination<'_>, StudioError> {
        if !self.single_file {
            return Ok(Destination::Objects(self));
        }
        let name = self.sealer.name(Kind::RenditionFile, rendition, 0);
        let file = Box::new(self.publication.begin_file(name).await?);
        Ok(Destination::File { desk: self, file })
    }
}

/// Where the objects of a rendition go: each its own way, or one after the other into one file.
enum Destination<'d> {
    Objects(&'d Desk),
    File { desk: &'d Desk, file: Box<RenditionFile<'d>> },
}

impl Destination<'_> {
    /// Seals the next object. The order of calls is the order in a file.
    async fn put(
        &mut self,
        kind: Kind,
        rendition: u16,
        index: u32,
        plaintext: &[u8],
    ) -> Result<(), StudioError> {
        match self {
            Self::Objects(desk) => desk.put(kind, rendition, index, plaintext).await,
            Self::File { desk, file } => {
                file.append(&desk.sealer.seal(kind, rendition, index, plaintext)?).await
            }
        }
    }

    async fn finish(self) -> Result<(), StudioError> {
        match self {
            Self::Objects(_) => Ok(()),
            Self::File { file, .. } => file.finish().await,
        }
    }

    async fn abort(self) {
        if let Self::File { file, .. } = self {
            // The first error is the one to tell; what can't be taken back now is swept later.
            let _ = file.abort().await;
        }
    }
}

/// What all tasks of an import found.
#[derive(Default)]
pub(crate) struct Collected {
    pub(crate) renditions: Vec<Rendition>,
    pub(crate) storyboard: Option<StoryboardFacts>,
    /// What a picture that was marked looks like.
    pub(crate) likeness: Option<Likeness>,
    /// What was left out, and why.
    pub(crate) notes: Vec<String>,
}

/// What one task found.
enum Found {
    Track {
        role: Role,
        track: Track,
    },
    Sheets(Vec<u64>),
    /// All frames passed, marked, to both encoders.
    Frames(Likeness),
}

/// A rendition as it came out of the encoder.
struct Track {
    info: cmaf::TrackInfo,
    init_length: u64,
    single_file: bool,
    marked: bool,
    segments: Vec<SegmentFacts>,
}

/// Reads all pipes of a packaging run to their ends, seals and publishes what comes out of them.
///
/// A pipe that ends too early is the encoder's failure, so its own error is told first; an error of
/// ours stops the encoder at once.
pub(crate) async fn collect(
    runs: Runs,
    desk: &Desk,
    source: &SourceInfo,
    plan: &Plan,
    progress: &watch::Sender<ImportProgress>,
) -> Result<Collected, StudioError> {
    let mut tasks = JoinSet::new();
    let mut packagings = runs.read(desk, &mut tasks);
    let Some(last) = packagings.last() else { return Err(StudioError::Nothing) };
    let mut updates = last.progress();
    let (mut found, mut cut_short) = (Vec::new(), Vec::new());
    loop {
        tokio::select! {
            done = tasks.join_next() => match done {
                None => break,
                Some(Ok((_, Ok(one)))) => found.push(one),
                Some(Ok((role, Err(error @ (StudioError::Cmaf(_) | StudioError::Pipe(_)))))) => {
                    cut_short.push((role, error));
                }
                Some(Ok((_, Err(error)))) => return Err(error),
                Some(Err(error)) => return Err(StudioError::Worker(error.to_string())),
            },
            Ok(()) = updates.changed() => report(*updates.borrow_and_update(), progress),
        }
    }
    // Who stops reading frames makes those before it fail as well: its own error is told.
    let is_cut = |error: &StudioError| matches!(error, StudioError::Pipe(_));
    if cut_short.iter().any(|(role, error)| role.is_none() && is_cut(error)) {
        packagings.reverse();
    }
    let mut notes = Vec::new();
    let mut complaints = String::new();
    for packaging in packagings {
        complaints += &packaging.finish().await?.complaints;
    }
    for (role, error) in cut_short {
        match (role, error) {
            // A track of the source that decodes to nothing has no rendition; the rest plays.
            (Some(Role::Audio(index)), StudioError::Cmaf(CmafError::Empty)) => {
                notes.push(format!("sound track {} cannot be decoded", index + 1));
            }
            (_, error) => return Err(error),
        }
    }
    let complaints = complaints.trim();
    if !complaints.is_empty() {
        notes.push(format!("FFmpeg left damaged parts out: {complaints}"));
    }
    Ok(Collected { notes, ..assemble(found, source, plan) })
}

type Tasks = JoinSet<(Option<Role>, Result<Found, StudioError>)>;

/// A task for each output of a run.
fn read_outputs(packaging: &mut Packaging, desk: &Desk, tasks: &mut Tasks) {
    for output in packaging.take_outputs() {
        let (role, desk) = (output.role, desk.clone());
        tasks.spawn(async move { (Some(role), read_output(role, output, desk).await) });
    }
}

fn report(encoder: Progress, progress: &watch::Sender<ImportProgress>) {
    progress.send_modify(|state| {
        state.done_us = encoder.position_us;
        state.fps = encoder.fps;
    });
}

async fn read_output(
    role: Role,
    pipe: impl AsyncRead + Unpin,
    desk: Desk,
) -> Result<Found, StudioError> {
    match rendition_id(role) {
        Some(id) => {
            let track = read_track(pipe, id, &desk).await?;
            Ok(Found::Track { role, track })
        }
        None => Ok(Found::Sheets(read_sheets(pipe, &desk).await?)),
    }
}

/// The rendition's number in roles and manifest; the storyboard has none.
fn rendition_id(role: Role) -> Option<u16> {
    let number = |first: u16, index| Some(first.saturating_add(u16::try_from(index).ok()?));
    match role {
        Role::Video(index) => number(1, index),
        Role::Audio(index) => number(manifest::FIRST_AUDIO, index),
        Role::Storyboard => None,
    }
}

async fn read_track(
    pipe: impl AsyncRead + Unpin,
    id: u16,
    desk: &Desk,
) -> Result<Track, StudioError> {
    let mut destination = desk.begin(id).await?;
    match read_pieces(pipe, id, &mut destination).await {
        Ok(track) => destination.finish().await.map(|()| track),
        Err(error) => {
            destination.abort().await;
            Err(error)
        }
    }
}

async fn read_pieces(
    pipe: impl AsyncRead + Unpin,
    id: u16,
    destination: &mut Destination<'_>,
) -> Result<Track, StudioError> {
    let mut pieces = Pieces::new(pipe, SEGMENT_TARGET_US);
    let (mut init, mut segments) = (None, Vec::new());
    while let Some(piece) = pieces.next().await? {
        match piece {
            Piece::Init { bytes, info } => {
                destination.put(Kind::Init, id, 0, &bytes).await?;
                init = Some((info, bytes.len() as u64));
            }
            Piece::Segment { bytes, duration_us, .. } => {
                let index = next_index(segments.len(), MAX_SEGMENTS, "segments")?;
                destination.put(Kind::Segment, id, index, &bytes).await?;
                segments.push((duration_us, bytes.len() as u64));
            }
        }
    }
    let (info, init_length) = init.ok_or(StudioError::Nothing)?;
    let single_file = matches!(destination, Destination::File { .. });
    Ok(Track { info, init_length, single_file, marked: false, segments })
}

async fn read_sheets(pipe: impl AsyncRead + Unpin, desk: &Desk) -> Result<Vec<u64>, StudioError> {
    let mut sheets = Sheets::new(pipe);
    let mut lengths = Vec::new();
    while let Some(sheet) = sheets.next().await? {
        let index = next_index(lengths.len(), MAX_SHEETS, "storyboard sheets")?;
        desk.put(Kind::Storyboard, 0, index, &sheet).await?;
        lengths.push(sheet.len() as u64);
    }
    Ok(lengths)
}

fn next_index(count: usize, limit: u32, what: &'static str) -> Result<u32, StudioError> {
    let index = u32::try_from(count).ok().filter(|index| *index < limit);
    index.ok_or(StudioError::TooMany { what, limit: u64::from(limit) })
}

fn assemble(found: Vec<Found>, source: &SourceInfo, plan: &Plan) -> Collected {
    let mut collected = Collected::default();
    let mut sheets = Vec::new();
    for one in found {
        match one {
            Found::Sheets(lengths) => sheets = lengths,
            Found::Frames(likeness) => collected.likeness = Some(likeness),
            Found::Track { role, track } => {
                collected.renditions.extend(rendition(role, track, source, plan));
            }
        }
    }
    collected.renditions.sort_by_key(|rendition| rendition.id);
    let duration_us = collected.renditions.iter().map(Rendition::duration_us).max().unwrap_or(0);
    collected.storyboard = storyboard(plan, sheets, duration_us);
    collected
}

fn rendition(role: Role, track: Track, source: &SourceInfo, plan: &Plan) -> Option<Rendition> {
    let Track { info, init_length, single_file, marked, segments } = track;
    let sealed: Vec<SegmentFacts> = segments
        .iter()
        .map(|(duration_us, bytes)| (*duration_us, chunks::sealed_len(*bytes).unwrap_or(*bytes)))
        .collect();
    let (bandwidth_bps, average_bandwidth_bps) = bit_rates(&sealed);
    let media = match (role, info.media) {
        (Role::Video(_), cmaf::Media::Video { width, height }) => {
            let frame_rate = source.video.as_ref()?.rate.fps();
            Media::Video { width, height, frame_rate }
        }
        (Role::Audio(index), cmaf::Media::Audio { channels, .. }) => {
            let label = audio_label(plan, index);
            Media::Audio { channels, label }
        }
        _ => return None,
    };
    Some(Rendition {
        id: rendition_id(role)?,
        codecs: info.codecs,
        init_length: Some(init_length),
        bandwidth_bps,
        average_bandwidth_bps,
        single_file,
        marked,
        segments,
        media,
    })
}

/// One track is the default: the first that the source marks, or the first of all.
fn audio_label(plan: &Plan, index: usize) -> Label {
    let marked = plan.audio.iter().position(|track| track.default).unwrap_or(0);
    let track = plan.audio.get(index);
    let title = track.and_then(|track| track.title.as_deref());
    let language = track.and_then(|track| track.language.as_deref());
    label(title, language, index, index == marked)
}

/// A label for people: the track's own title, or its language, or its number.
pub(crate) fn label(
    title: Option<&str>,
    language: Option<&str>,
    index: usize,
    default: bool,
) -> Label {
    let numbered = format!("Track {}", index + 1);
    let name = title.or(language).map_or(numbered, str::to_owned);
    Label { name, language: language.map(str::to_owned), default }
}

fn storyboard(plan: &Plan, sheets: Vec<u64>, duration_us: u64) -> Option<StoryboardFacts> {
    let board = plan.storyboard.as_ref().filter(|_| !sheets.is_empty())?;
    let room = u64::from(board.columns * board.rows) * sheets.len() as u64;
    Some(StoryboardFacts {
        media_type: "image/webp".into(),
        interval_us: board.interval_us,
        tile_width: board.tile_width,
        tile_height: board.tile_height,
        columns: board.columns,
        rows: board.rows,
        tile_count: board.tile_count(duration_us).min(room),
        sheets,
    })
}
