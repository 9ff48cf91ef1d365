//! Import: probe → package → seal → publish, and nothing visible before the end.
//!
//! The only place that knows the order. Each rendition flows through a task of its own, a segment
//! at a time, from the encoder's pipe through the splitter and the sealer into the bucket.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;
use veil_ffmpeg::frames;
use veil_ffmpeg::{LadderRequest, Launcher, Plan, Slots, SourceInfo, Tools, probe};
use veil_seal::id::TitleId;
use veil_seal::object::Kind;
use veil_seal::schedule::TitleKey;

use crate::bucket::Bucket;
use crate::catalogue::{Title, TitleFacts, check_name};
use crate::error::MAX_NAME_CHARS;
use crate::keystore::os_rng;
use crate::manifest::{self, Chapter, ImageFacts, Media, Rendition, TitleManifest};
use crate::marking::{MarkStrength, Secrets};
use crate::place::Place;
use crate::stages::publish::Publication;
use crate::stages::seal::Sealer;
use crate::sweep::TitleLock;
use crate::tracks::{self, Collected, Desk};
use crate::turns::{FrameSize, Resources, Turn, TurnError, Turns};
use crate::{Studio, StudioError, time};

/// The first key epoch of a title.
const FIRST_EPOCH: u32 = 1;

/// How long a failed import tries to delete what it wrote, when the store may be what failed.
const TIDY_LIMIT: Duration = Duration::from_secs(30);

/// What to import.
#[derive(Clone, Debug)]
pub struct ImportRequest {
    /// The source; it is only read.
    pub source: PathBuf,
    /// What to call it; `None` for the file's name.
    pub name: Option<String>,
    /// Which renditions to make.
    pub ladder: LadderRequest,
    /// Where to publish it.
    pub place: Place,
    /// Whether each rendition of picture and sound becomes one object, instead of one a segment.
    pub single_file: bool,
    /// How strongly its picture is marked; `None` leaves it as it is.
    pub mark: Option<MarkStrength>,
    /// The title's id, for who has to find it again after a crash; `None` draws one.
    pub id: Option<TitleId>,
}

/// FFmpeg, and how to start it.
#[derive(Clone, Debug)]
pub struct Encoder {
    /// Starts children in the sandbox.
    pub launcher: Launcher,
    /// The programs.
    pub tools: Tools,
    /// Processors of this machine.
    pub processors: usize,
    /// With whom hiding and revealing share the machine; `None` is nobody.
    pub turns: Option<Turns>,
}

impl Encoder {
    /// Waits until a run of this cost may begin.
    pub(crate) async fn turn(&self, cost: Resources) -> Result<Option<Turn>, TurnError> {
        match &self.turns {
            Some(turns) => turns.take(cost).await.map(Some),
            None => Ok(None),
        }
    }
}

/// How far an import is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ImportProgress {
    /// What is being done, for a person.
    pub step: &'static str,
    /// Microseconds of the source that are encoded.
    pub done_us: u64,
    /// Length of the source in microseconds; 0 when unknown.
    pub duration_us: u64,
    /// Frames encoded a second.
    pub fps: f64,
}

/// A published title.
#[derive(Clone, Debug)]
pub struct Imported {
    /// Its id.
    pub id: TitleId,
    /// What it is called.
    pub name: String,
    /// What it measures.
    pub facts: TitleFacts,
    /// What was left out of the source, and why.
    pub notes: Vec<String>,
}

/// What an import makes of what.
struct Work<'w> {
    source: &'w SourceInfo,
    plan: &'w Plan,
    single_file: bool,
    secrets: Option<Secrets>,
}

struct Draft {
    title: Title,
    sealer: Arc<Sealer>,
    bucket: Bucket,
    _lock: TitleLock,
}

impl Studio {
    /// Imports a source as a new title.
    ///
    /// Dropping the future stops the encoder; [`Studio::sweep`] then deletes what was written.
    ///
    /// # Errors
    /// [`StudioError`]; whatever was written before is deleted again, and the title is not listed.
    pub async fn import(
        &self,
        request: &ImportRequest,
        encoder: &Encoder,
        progress: &watch::Sender<ImportProgress>,
        now: Timestamp,
    ) -> Result<Imported, StudioError> {
        let name = request.name.clone().unwrap_or_else(|| name_of(&request.source));
        check_name(&name)?;
        if request.mark.is_some() && request.single_file {
            return Err(StudioError::MarkedSingleFile);
        }
        self.catalogue().refuse_taken(&name).await?;
        progress.send_modify(|state| state.step = "reading");
        Self::make_folder(&request.place)?;
        self.bucket_at(&request.place).await?.reach().await?;
        let Encoder { launcher, tools, processors, .. } = encoder;
        let source = probe(launcher, tools, &request.source).await?;
        let plan = Plan::new(&source, &request.ladder, tools, *processors);
        let mut plan = plan.map_err(veil_ffmpeg::Error::from)?;
        let secrets = request.mark.map(Secrets::random);
        if secrets.is_some() {
            let video = source.video.as_ref().ok_or(StudioError::NothingToMark)?;
            plan.slots = Some(Slots::new(video.rate, source.duration_us));
        }
        progress.send_modify(|state| state.step = "waiting");
        let _turn = encoder.turn(cost(&source, &plan, *processors)).await?;
        let id = request.id.unwrap_or_else(|| TitleId::random(&mut os_rng()));
        let draft = self.begin((id, name), &request.place, secrets.as_ref(), now).await?;
        let single_file = request.single_file;
        let work = Work { source: &source, plan: &plan, single_file, secrets };
        match self.fill(&draft, &work, encoder, progress).await {
            Ok((facts, notes)) => Ok(Imported { id, name: draft.title.name, facts, notes }),
            Err(error) => {
                // The first error is the one to tell; what can't be deleted now is swept later.
                let _ = tokio::time::timeout(TIDY_LIMIT, self.delete_title(id)).await;
                Err(error)
            }
        }
    }

    /// Draws the title's key and notes it as *importing*, under a lock that dies with us.
    async fn begin(
        &self,
        (id, name): (TitleId, String),
        place: &Place,
        secrets: Option<&Secrets>,
        now: Timestamp,
    ) -> Result<Draft, StudioError> {
        let taken = || StudioError::Damaged { what: "the lock", id: id.to_string() };
        let lock = self.lock_title(id)?.ok_or_else(taken)?;
        let key = TitleKey::random(&mut os_rng());
        let title = Title {
            id,
            name,
            epoch: FIRST_EPOCH,
            sealed_key: self.keystore().seal(id, FIRST_EPOCH, &key)?,
            created_at: time::text(now),
            facts: TitleFacts::default(),
        };
        let bucket = self.bucket_at(place).await?;
        self.catalogue().insert_title(&title, place).await?;
        let sealer = match secrets {
            Some(secrets) => Sealer::marked(id, key, secrets.mark_key()),
            None => Sealer::new(id, key),
        };
        Ok(Draft { title, sealer: Arc::new(sealer), bucket, _lock: lock })
    }

    async fn fill(
        &self,
        draft: &Draft,
        work: &Work<'_>,
        encoder: &Encoder,
        progress: &watch::Sender<ImportProgress>,
    ) -> Result<(TitleFacts, Vec<String>), StudioError> {
        let &Work { source, plan, single_file, ref secrets } = work;
        let sealer = &draft.sealer;
        let publication = Arc::new(Publication::new(draft.bucket.clone(), sealer));
        let desk =
            Desk { sealer: Arc::clone(sealer), publication: Arc::clone(&publication), single_file };
        let duration_us = source.duration_us.unwrap_or(0);
        progress.send_modify(|state| (state.step, state.duration_us) = ("encoding", duration_us));
        let runs = encoder.start(source, plan, secrets.as_ref()).await?;
        let (mut collected, extras) = tokio::try_join!(
            tracks::collect(runs, &desk, source, plan, progress),
            put_extras(&desk, source, encoder),
        )?;
        progress.send_modify(|state| state.step = "publishing");
        let mut notes: Vec<String> =
            source.skipped.iter().map(|track| track.reason.clone()).collect();
        notes.extend(extras.notes.iter().chain(&collected.notes).cloned());
        let likeness = collected.likeness.take();
        let manifest = describe(&draft.title.name, source, collected, extras)?;
        let json = serde_json::to_vec(&manifest).map_err(|error| json_failed(&error))?;
        desk.put(Kind::Manifest, 0, 0, &json).await?;
        publication.finish(sealer, &manifest).await?;
        let facts = facts(&manifest, &publication);
        if let Some(secrets) = secrets {
            self.note_marks(&draft.title, secrets, plan, &manifest).await?;
        }
        if let Some(likeness) = &likeness {
            self.catalogue().keep_likeness(draft.title.id, likeness).await?;
        }
        self.catalogue().note_files(draft.title.id, &publication.files()).await?;
        self.catalogue().publish_title(draft.title.id, &facts).await?;
        Ok((facts, notes))
    }
}

fn cost(source: &SourceInfo, plan: &Plan, processors: usize) -> Resources {
    let decoded = source.video.as_ref().map_or(FrameSize::of_8_bit_420(0, 0), |video| {
        FrameSize::of_8_bit_420(video.width, video.height)
    });
    let rungs: Vec<FrameSize> =
        plan.rungs.iter().map(|rung| FrameSize::of_8_bit_420(rung.width, rung.height)).collect();
    let cost = Resources::of_importing(decoded, &rungs, processors);
    match (plan.slots, rungs.last()) {
        (Some(_), Some(top)) => cost.marked(*top, &rungs, processors),
        _ => cost,
    }
}

/// What is taken out of the source beside its renditions.
struct Extras {
    poster: Option<ImageFacts>,
    subtitles: Vec<Rendition>,
    notes: Vec<String>,
}

async fn put_extras(
    desk: &Desk,
    source: &SourceInfo,
    encoder: &Encoder,
) -> Result<Extras, StudioError> {
    let poster = put_poster(desk, source, encoder).await?;
    let (texts, skipped) = frames::subtitles(&encoder.launcher, &encoder.tools, source).await?;
    let notes = skipped.into_iter().map(|track| track.reason).collect();
    let mut subtitles = Vec::new();
    for (id, text) in (manifest::FIRST_SUBTITLES..).zip(texts) {
        desk.put(Kind::Segment, id, 0, &text.webvtt).await?;
        subtitles.push(subtitles_rendition(id, &text, subtitles.len()));
    }
    Ok(Extras { poster, subtitles, notes })
}

async fn put_poster(
    desk: &Desk,
    source: &SourceInfo,
    encoder: &Encoder,
) -> Result<Option<ImageFacts>, StudioError> {
    let poster = frames::poster(&encoder.launcher, &encoder.tools, source).await?;
    let Some(poster) = poster else { return Ok(None) };
    desk.put(Kind::Poster, 0, 0, &poster.bytes).await?;
    Ok(Some(ImageFacts {
        media_type: "image/webp".into(),
        width: poster.width,
        height: poster.height,
        length: poster.bytes.len() as u64,
    }))
}

/// One segment as long as the title; its duration is filled in when that is known.
fn subtitles_rendition(id: u16, text: &frames::Subtitles, index: usize) -> Rendition {
    let track = &text.track;
    let (title, language) = (track.title.as_deref(), track.language.as_deref());
    let label = tracks::label(title, language, index, track.default && index == 0);
    Rendition {
        id,
        codecs: "wvtt".into(),
        init_length: None,
        bandwidth_bps: 0,
        average_bandwidth_bps: 0,
        single_file: false,
        marked: false,
        segments: vec![(0, text.webvtt.len() as u64)],
        media: Media::Subtitles { forced: track.forced, label },
    }
}

fn describe(
    name: &str,
    source: &SourceInfo,
    collected: Collected,
    extras: Extras,
) -> Result<TitleManifest, StudioError> {
    let Collected { mut renditions, storyboard, .. } = collected;
    let Extras { poster, mut subtitles, .. } = extras;
    let duration_us = renditions.iter().map(Rendition::duration_us).max().unwrap_or(0);
    if duration_us == 0 {
        return Err(StudioError::Nothing);
    }
    for segment in subtitles.iter_mut().flat_map(|rendition| &mut rendition.segments) {
        segment.0 = duration_us;
    }
    renditions.append(&mut subtitles);
    renditions.sort_by_key(|rendition| rendition.id);
    let (v, title) = (manifest::VERSION, name.to_owned());
    let chapters = chapters(source, duration_us);
    Ok(TitleManifest { v, title, duration_us, poster, storyboard, chapters, renditions })
}

/// The source's chapters that begin within the title.
fn chapters(source: &SourceInfo, duration_us: u64) -> Vec<Chapter> {
    let within = source.chapters.iter().filter(|chapter| chapter.start_us < duration_us);
    within.map(|it| Chapter { start_us: it.start_us, title: it.title.clone() }).collect()
}

fn facts(manifest: &TitleManifest, publication: &Publication) -> TitleFacts {
    let largest = manifest.renditions.iter().filter_map(|rendition| match rendition.media {
        Media::Video { width, height, .. } => Some((i64::from(width), i64::from(height))),
        _ => None,
    });
    let (width, height) = largest.max_by_key(|(width, height)| width * height).unwrap_or((0, 0));
    let (object_count, sealed_bytes) = publication.written();
    TitleFacts {
        duration_us: i64::try_from(manifest.duration_us).unwrap_or(i64::MAX),
        width,
        height,
        object_count,
        sealed_bytes,
        has_poster: manifest.poster.is_some(),
        single_file: manifest.renditions.iter().any(|rendition| rendition.single_file),
        marked: manifest.renditions.iter().any(|rendition| rendition.marked),
    }
}

/// The file's name without its extension, made fit to be a title's name.
fn name_of(source: &std::path::Path) -> String {
    let stem = source.file_stem().unwrap_or_default().to_string_lossy();
    let clean: String = stem.chars().filter(|c| !c.is_control()).take(MAX_NAME_CHARS).collect();
    clean.trim().to_owned()
}

fn json_failed(error: &serde_json::Error) -> StudioError {
    StudioError::Worker(format!("the title manifest cannot be written: {error}"))
}
