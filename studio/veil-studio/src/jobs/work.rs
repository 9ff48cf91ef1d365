//! The workers: who takes which job when, and who looks after the queue.
//!
//! Owns: the loop. Refuses to know: what an attempt does. Invariants: never more jobs at once than slots; nothing is claimed without room; a job
//! whose worker is dead is taken back.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::attempt::{self, Asked};
use super::dispatch::{Dispatch, Turn};
use super::job::JobEvent;
use super::limits::{LOOK_EVERY, PAGE_MAX};
use super::owner::{self, Owner};
use super::{JobError, Jobs, lock, room};
use crate::pipeline::Encoder;

/// How many looks there are between two at history.
const LOOKS_A_SWEEP: u64 = 60;

/// Who takes tokens, and how it is woken.
struct Woken {
    wake: mpsc::Sender<()>,
    worker: JoinHandle<Result<(), JobError>>,
}

impl Woken {
    /// Begins under a name that nobody had: a worker that begins again under its own would not be let in.
    fn start(
        dispatch: &Dispatch,
        owner: &Owner,
        slots: usize,
        (turn, stop): (&Turn, &CancellationToken),
        count: u64,
    ) -> Self {
        let name = format!("{}-{count}", owner.name());
        let (wake, woken) = mpsc::channel(1);
        let (dispatch, given) = (dispatch.clone(), (turn.clone(), stop.clone()));
        let worker = tokio::spawn(async move { dispatch.work(name, slots, woken, given).await });
        Self { wake, worker }
    }
}

impl Jobs {
    /// Works on jobs until it is told to stop. What runs then is stopped, and goes on with the next start.
    ///
    /// # Errors
    /// [`JobError::NoEncoder`]; otherwise only where the beginning fails, later faults are waited out.
    pub async fn run(&self, stop: CancellationToken) -> Result<(), JobError> {
        let encoder = self.0.settings.encoder.clone().ok_or(JobError::NoEncoder)?;
        let folder = self.0.studio.data().jobs();
        let owner = Owner::new(&folder)?;
        let dispatch = Dispatch::open(&self.0.studio.data().job_queue()).await?;
        self.take_back().await?;
        self.forget().await?;
        if owner::names(&folder) == [owner.name()] {
            dispatch.clear().await?;
        }
        let permits = Arc::new(Semaphore::new(self.0.settings.slots));
        let turn = self.turn((encoder, &stop), Arc::from(owner.name()), Arc::clone(&permits));
        let mut ticks = tokio::time::interval(LOOK_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut woken = Woken::start(&dispatch, &owner, self.0.settings.slots, (&turn, &stop), 0);
        let mut looks = 0;
        while !stop.is_cancelled() {
            let lack = self.fill(&dispatch).await;
            let told = self.tell_changes().await;
            let failed = |error: JobError| Some(error.to_string());
            self.hold(lack.and_then(|lack| told.map(|()| lack)).unwrap_or_else(failed));
            // Where it is full, it is about to look anyway.
            let _ = woken.wake.try_send(());
            tokio::select! {
                () = stop.cancelled() => {}
                () = self.0.changed.notified() => {}
                _ = ticks.tick() => {
                    looks += 1;
                    // What fails now is tried with the next look.
                    let _ = self.look(&owner, looks % LOOKS_A_SWEEP == 0).await;
                    if woken.worker.is_finished() && !stop.is_cancelled() {
                        // What broke down, a busy table as a rule, is begun anew under another name.
                        let slots = self.0.settings.slots;
                        woken = Woken::start(&dispatch, &owner, slots, (&turn, &stop), looks);
                    }
                }
            }
        }
        let _ = woken.worker.await;
        // Every attempt has ended when all permits are back.
        let all = u32::try_from(self.0.settings.slots).unwrap_or(u32::MAX);
        let _ = permits.acquire_many(all).await;
        dispatch.close().await;
        let _ = self.tell_changes().await;
        Ok(())
    }

    /// What is done for a token: the job whose turn it is, if there is room.
    fn turn(
        &self,
        (encoder, stop): (Encoder, &CancellationToken),
        owner: Arc<str>,
        permits: Arc<Semaphore>,
    ) -> Turn {
        let (jobs, given) = (self.clone(), (encoder, stop.clone()));
        Turn::new(move || {
            let (jobs, given) = (jobs.clone(), given.clone());
            let (owner, permits) = (Arc::clone(&owner), Arc::clone(&permits));
            Box::pin(async move {
                let Ok(permit) = permits.acquire_owned().await else { return };
                let lack = room::lack(jobs.0.studio.data(), &jobs.0.settings);
                if lack.is_some() || given.1.is_cancelled() {
                    return;
                }
                // A table that can't be written is told by the loop.
                let claimed = jobs.0.store.claim(&owner, jobs.now_ms()).await;
                if let Ok(Some(claimed)) = claimed {
                    // In a task of its own, which outlives whoever handed the token out.
                    let attempt = tokio::spawn(async move {
                        attempt::run(jobs, given, owner, claimed).await;
                        drop(permit);
                    });
                    let _ = attempt.await;
                }
            })
        })
    }

    /// Hands out tokens as long as jobs wait and there is room; returns what there is no room in.
    async fn fill(&self, dispatch: &Dispatch) -> Result<Option<String>, JobError> {
        let Self(inner) = self;
        let waiting = inner.store.waiting(inner.settings.slots).await?;
        if waiting.is_empty() || inner.store.is_drained().await? {
            return Ok(None);
        }
        if let Some(lack) = room::lack(inner.studio.data(), &inner.settings) {
            return Ok(Some(lack));
        }
        dispatch.fill(&waiting).await.map(|()| None)
    }

    fn hold(&self, why: Option<String>) {
        *lock(&self.0.held) = why;
    }

    /// What comes up with time: wishes from other processes, dead workers, history.
    async fn look(&self, owner: &Owner, sweep: bool) -> Result<(), JobError> {
        for (id, pause) in self.0.store.asked(owner.name()).await? {
            if let Some(running) = self.running().get(&id) {
                let wish = if pause { Asked::Pause } else { Asked::Cancel };
                running.asked.send_if_modified(|asked| {
                    *asked == Asked::Nothing && {
                        *asked = wish;
                        true
                    }
                });
            }
        }
        self.take_back().await?;
        if sweep {
            self.forget().await?;
        }
        Ok(())
    }

    /// Takes jobs back from workers that are dead.
    async fn take_back(&self) -> Result<(), JobError> {
        let folder = self.0.studio.data().jobs();
        let mut owners = self.0.store.owners().await?;
        owners.extend(owner::names(&folder));
        owners.sort();
        owners.dedup();
        for name in owners.into_iter().filter(|name| owner::is_dead(&folder, name)) {
            for id in self.0.store.take_back(&name, self.now_ms()).await? {
                self.clear_message(id).await;
            }
        }
        Ok(())
    }

    /// Tells everything that has changed in the table, by whomever.
    async fn tell_changes(&self) -> Result<(), JobError> {
        loop {
            let told = self.0.told.load(Ordering::Relaxed);
            if self.0.events.receiver_count() == 0 {
                self.0.told.store(self.0.store.last_event().await?, Ordering::Relaxed);
                return Ok(());
            }
            let events = self.events(told, PAGE_MAX).await?;
            let Some(JobEvent { id: last, .. }) = events.last() else { return Ok(()) };
            self.0.told.store(*last, Ordering::Relaxed);
            for event in events {
                let _ = self.0.events.send(event);
            }
        }
    }
}
