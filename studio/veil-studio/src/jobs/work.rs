//! The workers: who takes which job when, and who looks after the queue.
//!
//! Owns: the loop. Refuses to know: what an attempt does. Invariants: never more jobs at once than slots; nothing is claimed without room; a job
//! whose worker is dead is taken back.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::attempt::{self, Asked};
use super::job::JobEvent;
use super::limits::{HISTORY_FRESH, LOOK_EVERY, PAGE_MAX};
use super::owner::{self, Owner};
use super::{JobError, Jobs, lock, room};
use crate::pipeline::Encoder;

/// How many looks there are between two at history.
const LOOKS_A_SWEEP: u64 = 60;

impl Jobs {
    /// Works on jobs until it is told to stop. What runs then is stopped, and goes on with the next start.
    ///
    /// # Errors
    /// [`JobError::NoEncoder`]; otherwise only where the beginning fails, later faults are waited out.
    pub async fn run(&self, stop: CancellationToken) -> Result<(), JobError> {
        let encoder = self.0.settings.encoder.clone().ok_or(JobError::NoEncoder)?;
        let owner = Owner::new(&self.0.studio.data().jobs())?;
        self.take_back().await?;
        self.forget().await?;
        let mut tasks = JoinSet::new();
        let mut ticks = tokio::time::interval(LOOK_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut looks = 0;
        while !stop.is_cancelled() {
            let claimed = self.claim_all(&encoder, &owner, &mut tasks).await;
            let told = self.tell_changes().await;
            let failed = |error: JobError| Some(error.to_string());
            self.hold(claimed.and_then(|lack| told.map(|()| lack)).unwrap_or_else(failed));
            tokio::select! {
                () = stop.cancelled() => {}
                () = self.0.changed.notified() => {}
                Some(_) = tasks.join_next() => {}
                _ = ticks.tick() => {
                    looks += 1;
                    // What fails now is tried with the next look.
                    let _ = self.look(&owner, looks % LOOKS_A_SWEEP == 0).await;
                }
            }
        }
        for running in self.running().values() {
            running.asked.send_if_modified(|asked| {
                *asked == Asked::Nothing && {
                    *asked = Asked::Stop;
                    true
                }
            });
        }
        while tasks.join_next().await.is_some() {}
        let _ = self.tell_changes().await;
        Ok(())
    }

    /// Claims jobs as long as there are slots, room and jobs; returns what there is no room in.
    async fn claim_all(
        &self,
        encoder: &Encoder,
        owner: &Owner,
        tasks: &mut JoinSet<()>,
    ) -> Result<Option<String>, JobError> {
        let Self(inner) = self;
        while tasks.len() < inner.settings.slots {
            if inner.store.count(&[super::JobState::Waiting]).await? == 0 {
                break;
            }
            if let Some(lack) = room::lack(inner.studio.data(), &inner.settings) {
                return Ok(Some(lack));
            }
            let name = owner.name();
            let Some(claimed) = inner.store.claim(name, self.now_ms()).await? else { break };
            let (jobs, encoder, name) = (self.clone(), encoder.clone(), Arc::from(name));
            tasks.spawn(attempt::run(jobs, encoder, name, claimed));
        }
        Ok(None)
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
            self.0.store.take_back(&name, self.now_ms()).await?;
        }
        Ok(())
    }

    /// Forgets jobs that ended long ago, and what they left.
    async fn forget(&self) -> Result<(), JobError> {
        let ms = |time: Duration| i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
        let (now_ms, settings) = (self.now_ms(), &self.0.settings);
        let old_ms = now_ms.saturating_sub(ms(settings.history_age));
        let fresh_ms = now_ms.saturating_sub(ms(HISTORY_FRESH));
        let gone = self.0.store.forget((old_ms, fresh_ms), settings.history_max, now_ms).await?;
        for id in gone {
            self.folder(id).remove();
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
