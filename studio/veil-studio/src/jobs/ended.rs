//! What becomes of jobs that have ended: begun again, dismissed, or forgotten with time.
//!
//! Owns: when something that a job left is deleted. Invariants: a message is kept no longer than its job may still need it; what is kept of
//! ended jobs is bounded by number, age and bytes.

use std::time::Duration;

use super::limits::HISTORY_FRESH;
use super::store::Bounds;
use super::{JobError, JobId, JobSpec, JobState, Jobs};

impl Jobs {
    /// Begins a job again that failed or was cancelled.
    ///
    /// # Errors
    /// [`JobError::State`] for any other, [`JobError::Spec`] for one whose message was deleted as it was cancelled.
    pub async fn retry(&self, id: JobId) -> Result<(), JobError> {
        let text = self.0.store.spec(id).await?;
        let has_message = matches!(
            serde_json::from_str(&text),
            Ok(JobSpec::Hide(job)) if job.message.is_some()
        );
        let is_ended = self.0.store.get(id).await?.state.is_ended();
        if is_ended && has_message && !self.folder(id).message().exists() {
            let gone = "its message was deleted when it was cancelled: hide it anew";
            return Err(JobError::Spec(gone.to_owned()));
        }
        self.changed(self.0.store.retry(id, self.now_ms()).await)
    }

    /// Forgets a job that has ended, and deletes what it left.
    ///
    /// # Errors
    /// [`JobError::State`] for one that hasn't.
    pub async fn dismiss(&self, id: JobId) -> Result<(), JobError> {
        self.changed(self.0.store.dismiss(id, self.now_ms()).await)?;
        self.folder(id).remove();
        Ok(())
    }

    /// Deletes the message of a job that is done or was cancelled; one that failed may be begun again.
    pub(super) async fn clear_message(&self, id: JobId) {
        let state = self.0.store.get(id).await.map(|job| job.state);
        if matches!(state, Ok(JobState::Done | JobState::Cancelled)) {
            self.folder(id).clear_message();
        }
    }

    /// Forgets jobs that ended long ago, or that leave too much, and deletes what they left.
    pub(super) async fn forget(&self) -> Result<(), JobError> {
        let ms = |time: Duration| i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
        let (now_ms, settings) = (self.now_ms(), &self.0.settings);
        let bounds = Bounds {
            old_ms: now_ms.saturating_sub(ms(settings.history_age)),
            fresh_ms: now_ms.saturating_sub(ms(HISTORY_FRESH)),
            jobs: settings.history_max,
            bytes: i64::try_from(settings.history_bytes_max).unwrap_or(i64::MAX),
        };
        for id in self.0.store.forget(&bounds, now_ms).await? {
            self.folder(id).remove();
        }
        Ok(())
    }
}
