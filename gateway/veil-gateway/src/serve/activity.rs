//! Whether anything is asked for on a connection.
//!
//! Owns when a connection is let go that asks for nothing: before its first request, and on HTTP/2
//! between requests, for which the library below has no clock of its own. (HTTP/1.1 has one: a head
//! must arrive in time.)

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hyper::Version;
use tokio::time::Instant;

use super::limits::ServeLimits;

/// What a connection is doing.
pub(super) struct Activity {
    state: Mutex<State>,
}

struct State {
    running: usize,
    /// Of the last request; none yet.
    version: Option<Version>,
    quiet_since: Instant,
}

/// A request that is being answered; dropped with the answer's body.
pub(super) struct Running(Arc<Activity>);

impl Activity {
    pub(super) fn new() -> Arc<Self> {
        let state = State { running: 0, version: None, quiet_since: Instant::now() };
        Arc::new(Self { state: Mutex::new(state) })
    }

    pub(super) fn begin(self: &Arc<Self>, version: Version) -> Running {
        let mut state = self.state();
        state.running += 1;
        state.version = Some(version);
        Running(Arc::clone(self))
    }

    /// Completes when nothing has been asked for too long.
    pub(super) async fn quiet(&self, limits: &ServeLimits) {
        while let Some(deadline) = self.deadline(limits) {
            if deadline <= Instant::now() {
                return;
            }
            tokio::time::sleep_until(deadline).await;
        }
        std::future::pending::<()>().await;
    }

    /// When to look again, or in the past when it has been quiet for too long; `None` for never.
    fn deadline(&self, limits: &ServeLimits) -> Option<Instant> {
        let state = self.state();
        let quiet_since = if state.running > 0 { Instant::now() } else { state.quiet_since };
        match state.version {
            None => Some(quiet_since + limits.head_timeout),
            Some(Version::HTTP_2) => Some(quiet_since + limits.idle_timeout),
            Some(_) => None,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.running -= 1;
        state.quiet_since = Instant::now();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// How many seconds after its start a connection is given up, within an hour.
    async fn given_up_after(activity: &Activity, started: Instant) -> Option<u64> {
        let limits = ServeLimits::default();
        tokio::select! {
            () = activity.quiet(&limits) => Some(started.elapsed().as_secs()),
            () = tokio::time::sleep(Duration::from_secs(3600)) => None,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_is_given_up_that_asks_for_nothing() {
        let (activity, started) = (Activity::new(), Instant::now());
        assert_eq!(given_up_after(&activity, started).await, Some(15));
        drop(activity.begin(Version::HTTP_2));
        let started = Instant::now();
        assert_eq!(given_up_after(&activity, started).await, Some(60));
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_is_kept_while_an_answer_runs_and_http_1_has_a_clock_of_its_own() {
        let activity = Activity::new();
        let running = activity.begin(Version::HTTP_2);
        assert_eq!(given_up_after(&activity, Instant::now()).await, None);
        let second = activity.begin(Version::HTTP_2);
        drop(running);
        assert_eq!(given_up_after(&activity, Instant::now()).await, None);
        drop(second);
        drop(activity.begin(Version::HTTP_11));
        assert_eq!(given_up_after(&activity, Instant::now()).await, None);
    }
}
