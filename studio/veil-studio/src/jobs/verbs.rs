//! What jobs do: the five verbs, by the functions that the command line calls as well.
//!
//! Owns: what of a job is an argument of which function, and the names of files that come of it. Refuses to know: who waits for it.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::watch;
use veil_seal::SealError;
use veil_seal::id::TitleId;
use veil_seal::identity::Identity;

use super::job::{Progress, Unit};
use super::journal::Journal;
use super::spec::{HideJob, ImportJob, JobSecret, JobSpec, MakeJob, Mode, RevealJob, TraceJob};
use super::store::Claimed;
use super::{JobError, JobId, Jobs, message, secret};
use crate::hide::{
    HideError, HideKeys, HideProgress, HideRequest, PayloadSource, RevealKeys, RobustRequest,
    StructuralSecret, hide, hide_robust, reveal,
};
use crate::keystore::os_rng;
use crate::make::cache::Cache;
use crate::make::{MakeError, MakeProgress, MakeRequest, make, table};
use crate::pipeline::{Encoder, ImportProgress, ImportRequest};
use crate::place::Place;
use crate::trace::{TraceProgress, TraceRequest, page};
use crate::{StudioError, data};

/// More threads than this want more memory than they save time.
const THREADS_MAX: usize = 8;

/// Why an attempt failed, and whether that may pass.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) message: String,
    pub(super) passing: bool,
}

/// An attempt's work.
pub(super) struct Work {
    pub(super) jobs: Jobs,
    pub(super) encoder: Encoder,
    pub(super) claimed: Claimed,
    pub(super) journal: Arc<Journal>,
    pub(super) told: watch::Sender<Progress>,
}

impl Work {
    fn id(&self) -> JobId {
        JobId(self.claimed.id)
    }

    /// Does the verb in a folder of the attempt's own, and makes what came of it durable.
    pub(super) async fn whole(&self, spec: &JobSpec) -> Result<(), Failure> {
        let (folder, attempt) = (self.jobs.folder(self.id()), self.claimed.attempt);
        let part = folder.begin(attempt)?;
        match spec {
            JobSpec::Import(job) => self.import(job).await?,
            JobSpec::Make(job) => self.make(job, &part).await?,
            JobSpec::Hide(job) => self.hide(job, &part).await?,
            JobSpec::Reveal(job) => self.reveal(job, &part).await?,
            JobSpec::Trace(job) => self.trace(job, &part).await?,
        }
        self.told.send_modify(|told| {
            *told = Progress { step: "keeping".to_owned(), ..Progress::default() };
        });
        blocking(move || Ok(folder.finish(attempt)?)).await?;
        let now_ms = self.jobs.now_ms();
        Ok(self.jobs.0.store.step(&self.claimed, spec.kind(), now_ms).await?)
    }

    async fn import(&self, job: &ImportJob) -> Result<(), Failure> {
        let studio = &self.jobs.0.studio;
        if let Some(title) = &self.claimed.title
            && studio.catalogue().find_title(title).await.is_ok()
        {
            self.journal.say("an earlier attempt has published the title");
            return Ok(());
        }
        let now = (self.jobs.0.settings.clock)();
        // What an earlier attempt left of the title has its name.
        for failure in studio.sweep(now).await?.failures {
            self.journal.say(&format!("something is left to be swept later: {failure}"));
        }
        let id = TitleId::random(&mut os_rng());
        self.jobs.0.store.set_title(self.id(), &id.to_string()).await?;
        let request = ImportRequest {
            source: job.source.clone(),
            name: job.name.clone(),
            ladder: job.ladder()?,
            place: job.to.as_deref().map_or(Ok(Place::Own), |to| studio.place(to))?,
            single_file: job.single_file,
            mark: job.mark,
            id: Some(id),
        };
        let (sender, receiver) = watch::channel(ImportProgress::default());
        let import = studio.import(&request, &self.encoder, &sender, now);
        let imported = self.followed(receiver, import).await?;
        for note in &imported.notes {
            self.journal.say(&format!("note: {note}"));
        }
        Ok(())
    }

    async fn make(&self, job: &MakeJob, part: &Path) -> Result<(), Failure> {
        let settings = &self.jobs.0.settings;
        let title = job.name.clone().or_else(|| {
            job.document.get("title").and_then(|title| title.as_str()).map(str::to_owned)
        });
        let stem = table::file_part(title.as_deref().unwrap_or("video").trim());
        let stem = if stem.is_empty() { "video".to_owned() } else { stem };
        let out = create(part, &format!("{stem}.mp4"))?;
        let cache = Cache::open(&self.jobs.0.studio.data().make_cache())?;
        let request = MakeRequest {
            production: job.production()?,
            base: job.base.clone(),
            out,
            draft: job.draft,
            services: settings.services.clone(),
        };
        let (sender, receiver) = watch::channel(MakeProgress::default());
        let made = make(&self.encoder, &cache, &request, &sender);
        let made = self.followed(receiver, made).await?;
        let pieces = format!("{} of {} pieces", made.rendered_pieces, made.pieces);
        self.journal
            .say(&format!("{} of {} scenes rendered, {pieces}", made.rendered, made.scenes));
        for (end, text) in [("vtt", &made.webvtt), ("srt", &made.subrip)] {
            if !text.is_empty() {
                let path = part.join(format!("{stem}.{end}"));
                fs::write(&path, text).map_err(JobError::file("cannot write", path))?;
            }
        }
        Ok(())
    }

    async fn hide(&self, job: &HideJob, part: &Path) -> Result<(), Failure> {
        let (secret, recipients) = (self.secret(job.secret.as_ref())?, job.recipients()?);
        let keys = blocking(move || Ok(HideKeys::new(secret, recipients)?)).await?;
        let out = create(part, &job.output)?;
        let mut payload: Vec<_> = job.payload.iter().cloned().map(PayloadSource::Path).collect();
        if job.message.is_some() {
            let (jobs, folder) = (self.jobs.clone(), self.jobs.folder(self.id()));
            let open = move || message::opened(&jobs.0.studio, &folder);
            payload.insert(0, blocking(open).await?);
        }
        let (carrier, container) = (job.carrier.clone(), job.container()?);
        let (sender, receiver) = watch::channel(HideProgress::default());
        match job.profile.mode() {
            Mode::Lossless(profile) => {
                let (codec, max_rate) = (HideJob::CODEC, HideJob::RATE);
                let threads = self.encoder.processors.min(THREADS_MAX);
                #[rustfmt::skip]
                let request = HideRequest {
                    carrier, payload, keys, out, container, codec, profile, max_rate, threads, verify: true,
                };
                let hidden = hide(&self.encoder, request, &sender);
                self.followed(receiver, hidden).await?;
            }
            Mode::Robust(profile) => {
                #[rustfmt::skip]
                let request = RobustRequest { carrier, payload, keys, out, container, profile, verify: true };
                let hidden = hide_robust(&self.encoder, request, &sender);
                self.followed(receiver, hidden).await?;
            }
        }
        Ok(())
    }

    async fn reveal(&self, job: &RevealJob, part: &Path) -> Result<(), Failure> {
        let secret = self.secret(job.secret.as_ref())?;
        let identity = job.identity.as_deref().map(identity).transpose()?;
        let keys = blocking(move || Ok(RevealKeys::new(secret, identity)?)).await?;
        let (sender, receiver) = watch::channel(HideProgress::default());
        let revealed = reveal(&self.encoder, &job.video, keys, part, &sender);
        self.followed(receiver, revealed).await?;
        Ok(())
    }

    async fn trace(&self, job: &TraceJob, part: &Path) -> Result<(), Failure> {
        let (studio, now) = (&self.jobs.0.studio, (self.jobs.0.settings.clock)());
        let (leak, title) = (job.leak.clone(), job.title.clone());
        let request = TraceRequest { leak, title, epsilon: job.epsilon };
        let (sender, receiver) = watch::channel(TraceProgress::default());
        let traced = studio.trace(&request, &self.encoder, &sender, now);
        let mut report = self.followed(receiver, traced).await?;
        if let Some(name) = &job.name {
            report.leak.name.clone_from(name);
        }
        self.journal.say(&report.sentence());
        let stills = studio.trace_stills(&report, &job.leak, &self.encoder, now).await?;
        let json = serde_json::to_string_pretty(&report);
        let json = json.map_err(|error| JobError::Spec(error.to_string()))?;
        for (name, text) in [("report.html", page::render(&report, &stills)), ("report.json", json)]
        {
            let path = part.join(name);
            fs::write(&path, text).map_err(JobError::file("cannot write", path))?;
        }
        Ok(())
    }

    fn secret(&self, secret: Option<&JobSecret>) -> Result<Option<StructuralSecret>, Failure> {
        let studio = &self.jobs.0.studio;
        Ok(secret.map(|secret| secret::opened(studio, self.id(), secret)).transpose()?)
    }

    /// Waits for work, and tells how far it is.
    async fn followed<P: Clone + Into<Progress>, T, E: Into<Failure>>(
        &self,
        mut updates: watch::Receiver<P>,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, Failure> {
        let mut work = std::pin::pin!(work);
        let mut pace = Pace::default();
        loop {
            tokio::select! {
                result = &mut work => return result.map_err(Into::into),
                Ok(()) = updates.changed() => {
                    let seen = updates.borrow_and_update().clone();
                    let progress = pace.paced(seen.into());
                    if self.told.borrow().step != progress.step {
                        self.journal.say(&progress.step);
                    }
                    self.told.send_replace(progress);
                }
            }
        }
    }
}

/// How quickly a step goes.
#[derive(Default)]
struct Pace {
    step: String,
    /// When the step began, and what was done then.
    from: Option<(Instant, u64)>,
}

impl Pace {
    fn paced(&mut self, mut progress: Progress) -> Progress {
        if progress.step != self.step {
            (self.step, self.from) = (progress.step.clone(), None);
        }
        let (begun, from) = *self.from.get_or_insert_with(|| (Instant::now(), progress.done));
        let seconds = begun.elapsed().as_secs_f64();
        #[expect(clippy::cast_precision_loss, reason = "an estimate")]
        let rate = progress.done.saturating_sub(from) as f64 / seconds;
        if seconds < 1.0 || rate <= 0.0 {
            return progress;
        }
        if progress.unit == Unit::Frames {
            progress.fps = Some((rate * 10.0).round() / 10.0);
        }
        if progress.total > 0 {
            #[expect(clippy::cast_precision_loss, reason = "an estimate")]
            let left = progress.total.saturating_sub(progress.done) as f64 / rate;
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a positive estimate"
            )]
            let left = left.ceil() as u64;
            progress.eta_s = Some(left);
        }
        progress
    }
}

impl From<ImportProgress> for Progress {
    fn from(seen: ImportProgress) -> Self {
        Self {
            step: seen.step.to_owned(),
            done: seen.done_us.min(seen.duration_us),
            total: seen.duration_us,
            unit: Unit::Us,
            fps: (seen.fps > 0.0).then_some(seen.fps),
            eta_s: None,
        }
    }
}

impl From<TraceProgress> for Progress {
    fn from(seen: TraceProgress) -> Self {
        let (done, total) = (seen.done_us.min(seen.total_us), seen.total_us);
        Self { step: seen.step.to_owned(), done, total, unit: Unit::Us, ..Self::default() }
    }
}

impl From<MakeProgress> for Progress {
    fn from(seen: MakeProgress) -> Self {
        let (done, total) = (seen.frames, seen.total_frames);
        Self { step: seen.step.to_owned(), done, total, ..Self::default() }
    }
}

impl From<HideProgress> for Progress {
    fn from(seen: HideProgress) -> Self {
        let (done, total) = (seen.frames, seen.total_frames);
        Self { step: seen.step.to_owned(), done, total, ..Self::default() }
    }
}

/// Makes an empty file in the folder of an attempt.
fn create(part: &Path, name: &str) -> Result<PathBuf, Failure> {
    let path = part.join(name);
    File::create_new(&path).map_err(JobError::file("cannot write", &path))?;
    Ok(path)
}

fn identity(path: &Path) -> Result<Identity, Failure> {
    let text = data::read_secret(path)?;
    let text = text.ok_or(SealError::Malformed { what: "the identity" });
    Ok(text.and_then(|text| Identity::parse(&text)).map_err(StudioError::from)?)
}

/// Runs work that blocks on a thread for that.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    let broken = |_| Failure { message: "a thread broke down".to_owned(), passing: false };
    tokio::task::spawn_blocking(work).await.map_err(broken)?
}

/// An error and what to do about it.
fn told(error: &impl ToString, hint: Option<String>) -> String {
    match hint {
        Some(hint) => format!("{}: {hint}", error.to_string()),
        None => error.to_string(),
    }
}

/// Whether what FFmpeg met may pass.
pub(crate) fn passes(error: &veil_ffmpeg::Error) -> bool {
    use veil_ffmpeg::Error::{Read, Stalled, Start, TimedOut};
    matches!(error, Stalled { .. } | TimedOut { .. } | Start { .. } | Read(_))
}

impl From<StudioError> for Failure {
    fn from(error: StudioError) -> Self {
        let passing = matches!(&error, StudioError::Ffmpeg(error) if passes(error));
        Self { message: told(&error, error.hint()), passing }
    }
}

impl From<MakeError> for Failure {
    fn from(error: MakeError) -> Self {
        let passing = match &error {
            MakeError::Ffmpeg(error) | MakeError::Media { source: error, .. } => passes(error),
            _ => false,
        };
        Self { message: told(&error, error.hint()), passing }
    }
}

impl From<HideError> for Failure {
    fn from(error: HideError) -> Self {
        let passing = matches!(&error, HideError::Ffmpeg(error) if passes(error));
        Self { message: told(&error, error.hint()), passing }
    }
}

impl From<JobError> for Failure {
    fn from(error: JobError) -> Self {
        Self { message: told(&error, error.hint()), passing: matches!(error, JobError::Table(_)) }
    }
}
