//! One attempt at a job: begun, followed, stopped if asked, and ended in the table.
//!
//! Owns: what ends an attempt, and as what. Refuses to know: what the verbs do.
//!
//! Invariant: when the table says that an attempt has ended, its work is dropped and its processes are gone.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use super::job::{Change, JobEvent, Progress};
use super::journal::Journal;
use super::limits::{GONE_LIMIT, LOOK_EVERY, STALLED_TRIES_MAX, TELL_EVERY, TRIES_MAX};
use super::store::{Claimed, End};
use super::verbs::{Failure, Work};
use super::{JobError, JobId, JobSpec, Jobs, secret};
use crate::pipeline::Encoder;

/// What somebody asks of a job that runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Asked {
    #[default]
    Nothing,
    Cancel,
    Pause,
}

/// A job that runs in this process.
pub(super) struct Running {
    pub(super) asked: watch::Sender<Asked>,
    pub(super) progress: watch::Receiver<Progress>,
    pub(super) journal: Arc<Journal>,
}

/// Why an attempt's work is over.
enum Over {
    Worked(Result<Result<(), Failure>, JoinError>),
    Asked(Asked),
    /// The program stops.
    Stopped,
    Stalled(Duration),
}

/// Works on a claimed job until the attempt has ended, or the program stops.
pub(super) async fn run(
    jobs: Jobs,
    (encoder, stop): (Encoder, CancellationToken),
    owner: Arc<str>,
    claimed: Claimed,
) {
    let id = JobId(claimed.id);
    let journal = Arc::new(Journal::open(&jobs.folder(id).log()));
    let (asked, hears) = watch::channel(Asked::Nothing);
    let (tells, progress) = watch::channel(Progress::default());
    let running = Running { asked, progress: progress.clone(), journal: Arc::clone(&journal) };
    jobs.running().insert(id, running);
    jobs.0.changed.notify_one();
    journal.say(&format!("attempt {}", claimed.attempt));
    let attempt = Attempt { jobs: &jobs, claimed: &claimed, journal: &journal, progress };
    let end = match serde_json::from_str::<JobSpec>(&claimed.spec) {
        Err(_) => End::Failed(JobError::Damaged { what: "the task", id }.to_string()),
        Ok(spec) => {
            let mut launcher = encoder.launcher.clone();
            launcher.witness = Some(Arc::clone(&journal) as _);
            let encoder = Encoder { launcher, ..encoder };
            let work = Work {
                jobs: jobs.clone(),
                encoder,
                claimed: claimed.clone(),
                journal: Arc::clone(&journal),
                told: tells,
            };
            attempt.follow(work, spec, (hears, stop)).await
        }
    };
    attempt.end(&owner, end).await;
    jobs.running().remove(&id);
    jobs.0.changed.notify_one();
}

struct Attempt<'a> {
    jobs: &'a Jobs,
    claimed: &'a Claimed,
    journal: &'a Arc<Journal>,
    progress: watch::Receiver<Progress>,
}

impl Attempt<'_> {
    /// Lets the work run until it ends, or is stopped.
    async fn follow(
        &self,
        work: Work,
        spec: JobSpec,
        (mut hears, stop): (watch::Receiver<Asked>, CancellationToken),
    ) -> End {
        let id = JobId(self.claimed.id);
        let kept = match self.jobs.0.store.step_done(id, spec.kind()).await {
            Ok(kept) => kept.filter(|kept| self.jobs.folder(id).whole(*kept).is_dir()),
            Err(error) => return End::Failed(error.to_string()),
        };
        let spec = Arc::new(spec);
        let mut tasks = JoinSet::new();
        if kept.is_none() {
            let spec = Arc::clone(&spec);
            tasks.spawn(async move { work.whole(&spec).await });
        }
        let over = tokio::select! {
            joined = tasks.join_next() => Over::Worked(joined.unwrap_or(Ok(Ok(())))),
            asked = hears.wait_for(|asked| *asked != Asked::Nothing) => {
                asked.map_or(Over::Stopped, |asked| Over::Asked(*asked))
            }
            () = stop.cancelled() => Over::Stopped,
            after = self.watch() => Over::Stalled(after),
        };
        // Drops the work, and waits until it is dropped.
        tasks.shutdown().await;
        drop(tasks);
        self.gone().await;
        match over {
            Over::Worked(result) => self.worked(result, kept, &spec),
            Over::Asked(Asked::Cancel) => self.stopped(End::Cancelled, &spec).await,
            Over::Asked(_) => self.stopped(End::Paused, &spec).await,
            Over::Stopped => self.stopped(End::Stopped, &spec).await,
            Over::Stalled(after) => {
                let error = format!("it stood still for {} s and was stopped", after.as_secs());
                self.failed(Failure { message: error, passing: true }, STALLED_TRIES_MAX)
            }
        }
    }

    fn worked(
        &self,
        result: Result<Result<(), Failure>, JoinError>,
        kept: Option<i64>,
        spec: &Arc<JobSpec>,
    ) -> End {
        match result {
            Ok(Ok(())) => {
                let folder = self.jobs.folder(JobId(self.claimed.id));
                match folder.outputs(kept.unwrap_or(self.claimed.attempt)) {
                    Ok(outputs) => End::Done { outputs, spec: self.forgotten(spec) },
                    Err(error) => End::Failed(error.to_string()),
                }
            }
            Ok(Err(failure)) => self.failed(failure, TRIES_MAX),
            Err(broken) => End::Failed(format!("a part of the program broke down: {broken}")),
        }
    }

    /// What is kept of a job that is done, if that is less than before.
    fn forgotten(&self, spec: &Arc<JobSpec>) -> Option<String> {
        let again = serde_json::to_value(&**spec).and_then(serde_json::from_value::<JobSpec>);
        again.ok().and_then(secret::forgotten)
    }

    /// A failure that may pass is tried again, within bounds.
    fn failed(&self, failure: Failure, tries_max: i64) -> End {
        let killed = self.journal.was_killed();
        let message = match killed {
            true => format!("{}; a process was killed", failure.message),
            false => failure.message,
        };
        self.journal.say(&format!("error: {message}"));
        if (failure.passing || killed) && self.claimed.tries < tries_max {
            self.journal.say("it is tried again");
            return End::Again(format!("{message}; it is tried again"));
        }
        End::Failed(message)
    }

    async fn stopped(&self, end: End, spec: &JobSpec) -> End {
        if let JobSpec::Import(_) = spec {
            // What was written of the title goes now; what can't go now goes with the next sweep.
            let now = (self.jobs.0.settings.clock)();
            let _ = self.jobs.0.studio.sweep(now).await;
        }
        self.journal.say(end.word());
        end
    }

    /// Waits until the processes of work that is dropped are gone.
    async fn gone(&self) {
        let begun = Instant::now();
        while self.journal.alive() > 0 && begun.elapsed() < GONE_LIMIT {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Tells how far the job is; returns when it has stood still for too long.
    async fn watch(&self) -> Duration {
        let limit = self.jobs.0.settings.stall_limit;
        let (mut seen, mut turns) = (Progress::default(), 0);
        let (mut moved, mut written) = (Instant::now(), Instant::now());
        let mut unwritten = false;
        loop {
            tokio::time::sleep(TELL_EVERY.min(limit)).await;
            let now = self.progress.borrow().clone();
            let (alive, changed) = (self.journal.turns(), now != seen);
            // A run that waits for its turn doesn't stand still.
            if changed || alive != turns || now.step == "waiting" {
                moved = Instant::now();
            }
            (seen, turns) = (now, alive);
            unwritten |= changed;
            if changed {
                self.tell().await;
            }
            if written.elapsed() >= LOOK_EVERY {
                written = Instant::now();
                self.write(std::mem::take(&mut unwritten), &seen).await;
            }
            if moved.elapsed() >= limit {
                return moved.elapsed();
            }
        }
    }

    /// Tells who follows in this process.
    async fn tell(&self) {
        let jobs = self.jobs;
        if jobs.0.events.receiver_count() == 0 {
            return;
        }
        if let Ok(job) = jobs.get(JobId(self.claimed.id)).await {
            let id = jobs.0.told.load(std::sync::atomic::Ordering::Relaxed);
            let _ = jobs.0.events.send(JobEvent { id, change: Change::Job(Box::new(job)) });
        }
    }

    /// Tells other processes, by table and file. What can't be written now is written the next time.
    async fn write(&self, changed: bool, progress: &Progress) {
        if changed {
            let commands = self.journal.commands();
            let id = JobId(self.claimed.id);
            let _ = self.jobs.0.store.set_progress(id, progress, &commands).await;
        }
        let _ = self.journal.flush();
    }

    /// Ends the attempt in the table. What it made and doesn't count goes, and so does a message that nobody needs any more.
    async fn end(&self, owner: &str, end: End) {
        let folder = self.jobs.folder(JobId(self.claimed.id));
        let done = matches!(end, End::Done { .. });
        if done {
            self.journal.say("done");
        } else {
            folder.discard(self.claimed.attempt);
        }
        let _ = self.journal.flush();
        let commands = self.journal.commands();
        let begun = Instant::now();
        loop {
            let now_ms = self.jobs.now_ms();
            let store = &self.jobs.0.store;
            match store.end((owner, self.claimed), &end, &commands, now_ms).await {
                Ok(_) => return self.jobs.clear_message(JobId(self.claimed.id)).await,
                // A full disk, as a rule. The job stays ours; when this process ends, somebody takes it back.
                Err(_) if begun.elapsed() > GONE_LIMIT * 12 => return,
                Err(_) => tokio::time::sleep(LOOK_EVERY).await,
            }
        }
    }
}
