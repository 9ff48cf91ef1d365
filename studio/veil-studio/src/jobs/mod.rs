//! Jobs: every verb as something that waits, runs, can be followed and stopped, and is done once, whatever happens meanwhile.
//!
//! [`Jobs`] is the door. A job is written down (`store`, the truth), claimed by a worker (`work`), tried (`attempt`), and done by the functions
//! that the command line calls as well (`verbs`). What it made lies in its folder (`folder`), what was said in its log (`journal`).
//!
//! Refuses to know: HTTP, who may do what, the environment (clock, FFmpeg and services are settings).
//!
//! Invariants: what an attempt made counts only if the job is still in that attempt; a job whose process died is taken up again, and what its
//! steps have behind them isn't done again; no row holds a secret in clear; queue, history, events and logs are bounded.

mod attempt;
mod dispatch;
mod ended;
mod error;
mod folder;
mod job;
mod journal;
pub mod limits;
mod message;
mod owner;
mod room;
mod secret;
mod spec;
mod store;
mod verbs;
mod work;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{Notify, broadcast};

pub use self::error::JobError;
pub use self::job::{
    Change, Job, JobEvent, JobId, JobState, NoJobId, OutputFile, Progress, QueueState, Unit,
};
pub use self::spec::{
    HideJob, HideProfile, ImportJob, JobMessage, JobSecret, JobSpec, MakeJob, RevealJob, TraceJob,
    Typed,
};

pub(crate) use self::verbs::passes;

use self::attempt::{Asked, Running};
use self::folder::Folder;
use self::limits::{
    DISK_FREE_MIN_BYTES, EVENTS_BEHIND_MAX, HISTORY_AGE, HISTORY_BYTES_MAX, HISTORY_MAX,
    MEMORY_FREE_MIN_BYTES, PAGE_MAX, PENDING_MAX, PRIORITY_MAX, RATE_PER_MINUTE, STALL_LIMIT,
};
use self::store::{Entry, Store};
use crate::Studio;
use crate::make::Services;
use crate::pipeline::Encoder;

/// What jobs are run with, and their bounds; each is a name in [`limits`].
#[derive(Clone, Debug)]
pub struct JobSettings {
    /// What time it is.
    pub clock: fn() -> Timestamp,
    /// FFmpeg; without it jobs can be looked at and not run.
    pub encoder: Option<Encoder>,
    /// Voices.
    pub services: Services,
    /// Jobs that run at once. They share memory and processors by the encoder's turns as well.
    pub slots: usize,
    /// Hiding, revealing and tracing of one client in a minute, until [`Jobs::set_rate_per_minute`] says otherwise.
    pub rate_per_minute: i64,
    /// Jobs that may wait.
    pub pending_max: i64,
    /// Free disk below which nothing new is begun.
    pub disk_free_min_bytes: u64,
    /// Available memory below which nothing new is begun.
    pub memory_free_min_bytes: u64,
    /// How long a job may stand still.
    pub stall_limit: Duration,
    /// Ended jobs that are kept.
    pub history_max: i64,
    /// Bytes that ended jobs may leave.
    pub history_bytes_max: u64,
    /// How long ended jobs are kept.
    pub history_age: Duration,
}

impl JobSettings {
    /// The usual bounds, two slots, and nothing to run with.
    #[must_use]
    pub fn new(clock: fn() -> Timestamp) -> Self {
        Self {
            clock,
            encoder: None,
            services: Services::default(),
            slots: 2,
            rate_per_minute: RATE_PER_MINUTE,
            pending_max: PENDING_MAX,
            disk_free_min_bytes: DISK_FREE_MIN_BYTES,
            memory_free_min_bytes: MEMORY_FREE_MIN_BYTES,
            stall_limit: STALL_LIMIT,
            history_max: HISTORY_MAX,
            history_bytes_max: HISTORY_BYTES_MAX,
            history_age: HISTORY_AGE,
        }
    }
}

/// A job to submit.
pub struct NewJob {
    /// What is to be done.
    pub spec: JobSpec,
    /// Higher ones come first; 0 as a rule, at most [`limits::PRIORITY_MAX`] either way.
    pub priority: i64,
    /// Who submits it, for the rate: an address or a session.
    pub client: String,
}

/// Which jobs to list.
#[derive(Clone, Debug, Default)]
pub struct JobQuery {
    /// In these states; in any where none is named.
    pub states: Vec<JobState>,
    /// Those before this one; from the newest where nothing is said.
    pub after: Option<JobId>,
    /// So many at most, and [`limits::PAGE_MAX`] at most.
    pub limit: i64,
}

/// The jobs of a studio. Cheap to clone; several processes may have them open.
#[derive(Clone)]
pub struct Jobs(Arc<Inner>);

struct Inner {
    studio: Arc<Studio>,
    settings: JobSettings,
    store: Store,
    rate_per_minute: AtomicI64,
    events: broadcast::Sender<JobEvent>,
    /// The last event that was told.
    told: AtomicI64,
    /// Something has changed: tell it, and see what there is to do.
    changed: Notify,
    running: Mutex<HashMap<JobId, Running>>,
    held: Mutex<Option<String>>,
}

impl Jobs {
    /// Opens the job table of a studio.
    ///
    /// # Errors
    /// [`JobError`] when table or folder can't be opened.
    pub async fn open(studio: Arc<Studio>, settings: JobSettings) -> Result<Self, JobError> {
        let folder = studio.data().jobs();
        let made = std::fs::create_dir_all(folder.join(owner::FOLDER));
        made.map_err(JobError::file("cannot make", &folder))?;
        let store = Store::open(&studio.data().job_table()).await?;
        let told = AtomicI64::new(store.last_event().await?);
        Ok(Self(Arc::new(Inner {
            studio,
            rate_per_minute: AtomicI64::new(settings.rate_per_minute),
            settings,
            store,
            events: broadcast::Sender::new(EVENTS_BEHIND_MAX),
            told,
            changed: Notify::new(),
            running: Mutex::default(),
            held: Mutex::default(),
        })))
    }

    /// Has another number hold from now on for hiding and revealing of one client in a minute.
    pub fn set_rate_per_minute(&self, rate: i64) {
        self.0.rate_per_minute.store(rate, Ordering::Relaxed);
    }

    /// Writes a job down; its secret and its message are sealed before.
    ///
    /// # Errors
    /// [`JobError::Spec`] for what could never be done, [`JobError::TooMany`], [`JobError::Full`].
    pub async fn submit(&self, job: NewJob) -> Result<JobId, JobError> {
        let NewJob { mut spec, priority, client } = job;
        spec.check()?;
        let priority = priority.clamp(-PRIORITY_MAX, PRIORITY_MAX);
        let entry = Entry {
            name: spec.name(),
            kind: spec.kind(),
            production: spec.production().map(str::to_owned),
            limited: matches!(spec, JobSpec::Hide(_) | JobSpec::Reveal(_) | JobSpec::Trace(_)),
            priority,
            client: &client,
            now_ms: self.now_ms(),
            rate_per_minute: self.0.rate_per_minute.load(Ordering::Relaxed),
            pending_max: self.0.settings.pending_max,
        };
        let studio = &self.0.studio;
        let seal = |id| {
            message::keep(studio, &self.folder(id), &mut spec)?;
            secret::sealed(studio, id, &mut spec)
        };
        let id = self.0.store.insert(entry, seal).await?;
        self.0.changed.notify_one();
        Ok(id)
    }

    /// A job.
    ///
    /// # Errors
    /// [`JobError::NoJob`].
    pub async fn get(&self, id: JobId) -> Result<Job, JobError> {
        Ok(self.freshened(self.0.store.get(id).await?))
    }

    /// Jobs, the newest first, without their command lines.
    ///
    /// # Errors
    /// [`JobError`] when the table can't be read.
    pub async fn list(&self, query: JobQuery) -> Result<Vec<Job>, JobError> {
        let query = JobQuery { limit: query.limit.clamp(1, PAGE_MAX), ..query };
        let jobs = self.0.store.list(&query).await?;
        Ok(jobs.into_iter().map(|job| self.freshened(job)).collect())
    }

    /// How many jobs there are in these states; in all where none is named.
    ///
    /// # Errors
    /// [`JobError`] when the table can't be read.
    pub async fn count(&self, states: &[JobState]) -> Result<i64, JobError> {
        self.0.store.count(states).await
    }

    /// What has changed since an event, each job once and as it is now.
    ///
    /// # Errors
    /// [`JobError`] when the table can't be read.
    pub async fn events(&self, after: i64, limit: i64) -> Result<Vec<JobEvent>, JobError> {
        let mut events = Vec::new();
        for (id, job) in self.0.store.changed(after, limit.clamp(1, PAGE_MAX)).await? {
            let change = match job {
                None => Change::Queue(self.queue().await?),
                Some(job) => match self.get(job).await {
                    Ok(job) => Change::Job(Box::new(job)),
                    Err(JobError::NoJob(job)) => Change::Removed(job),
                    Err(error) => return Err(error),
                },
            };
            events.push(JobEvent { id, change });
        }
        Ok(events)
    }

    /// What changes from now on, as long as [`Jobs::run`] runs in this process; progress of a job at most four times a second.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<JobEvent> {
        self.0.events.subscribe()
    }

    /// Stops a job, or keeps it from being begun.
    ///
    /// # Errors
    /// [`JobError::State`] when it has ended or is being stopped already.
    pub async fn cancel(&self, id: JobId) -> Result<(), JobError> {
        self.0.store.cancel(id, self.now_ms()).await?;
        self.ask(id, Asked::Cancel);
        self.clear_message(id).await;
        Ok(())
    }

    /// Has a job wait until it is resumed. One that runs is stopped; what its cache keeps isn't made again.
    ///
    /// # Errors
    /// [`JobError::State`] when it neither waits nor runs.
    pub async fn pause(&self, id: JobId) -> Result<(), JobError> {
        self.0.store.pause(id, self.now_ms()).await?;
        self.ask(id, Asked::Pause);
        Ok(())
    }

    /// Lets a paused job go on.
    ///
    /// # Errors
    /// [`JobError::State`] when it isn't paused.
    pub async fn resume(&self, id: JobId) -> Result<(), JobError> {
        self.changed(self.0.store.resume(id, self.now_ms()).await)
    }

    /// Has a job come earlier (higher) or later.
    ///
    /// # Errors
    /// [`JobError::State`] when it has ended.
    pub async fn set_priority(&self, id: JobId, priority: i64) -> Result<(), JobError> {
        let priority = priority.clamp(-PRIORITY_MAX, PRIORITY_MAX);
        self.changed(self.0.store.set_priority(id, priority, self.now_ms()).await)
    }

    /// The last lines of a job's log.
    ///
    /// # Errors
    /// [`JobError::NoJob`], or that its log can't be read.
    pub async fn log(&self, id: JobId) -> Result<Vec<String>, JobError> {
        if let Some(running) = self.running().get(&id) {
            return Ok(running.journal.lines());
        }
        self.0.store.get(id).await?;
        let file = self.folder(id).log();
        journal::read(&file).map_err(JobError::file("cannot read", file))
    }

    /// The files that a job left, in the order of [`Job::outputs`].
    ///
    /// # Errors
    /// [`JobError::NoJob`].
    pub async fn outputs(&self, id: JobId) -> Result<Vec<PathBuf>, JobError> {
        let job = self.0.store.get(id).await?;
        let made = self.0.store.step_done(id, &job.kind).await?;
        let Some(attempt) = made else { return Ok(Vec::new()) };
        let folder = self.folder(id).whole(attempt);
        Ok(job.outputs.iter().map(|file| folder.join(&file.name)).collect())
    }

    /// Begins nothing new until told otherwise, in whatever process; what runs goes on.
    ///
    /// # Errors
    /// [`JobError`] when the table can't be written.
    pub async fn drain(&self, drained: bool) -> Result<(), JobError> {
        self.changed(self.0.store.set_drained(drained, self.now_ms()).await)
    }

    /// What the queue as a whole is doing.
    ///
    /// # Errors
    /// [`JobError`] when the table can't be read.
    pub async fn queue(&self) -> Result<QueueState, JobError> {
        let queue = self.0.store.queue(self.now_ms()).await?;
        let held = lock(&self.0.held).clone();
        Ok(QueueState { held, slots: self.0.settings.slots, ..queue })
    }

    /// Closes the table.
    pub async fn close(&self) {
        self.0.store.close().await;
    }

    fn now_ms(&self) -> i64 {
        (self.0.settings.clock)().as_millisecond()
    }

    fn folder(&self, id: JobId) -> Folder {
        Folder::of(&self.0.studio.data().jobs(), id)
    }

    fn running(&self) -> MutexGuard<'_, HashMap<JobId, Running>> {
        lock(&self.0.running)
    }

    /// A job with what this process knows of it before the table does.
    fn freshened(&self, mut job: Job) -> Job {
        if let (Some(running), JobState::Running) = (self.running().get(&job.id), job.state) {
            job.progress = Some(running.progress.borrow().clone());
        }
        job
    }

    /// Tells who works on a job in this process; who does elsewhere finds it in the table.
    fn ask(&self, id: JobId, asked: Asked) {
        if let Some(running) = self.running().get(&id) {
            running.asked.send_replace(asked);
        }
        self.0.changed.notify_one();
    }

    fn changed<T>(&self, result: Result<T, JobError>) -> Result<T, JobError> {
        self.0.changed.notify_one();
        result
    }
}

/// A panic elsewhere leaves these whole: each is written in one go.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
