//! Removing titles, and sweeping what killed imports and ended grants left.
//!
//! An import holds a lock on a file of its own while it runs; the system drops the lock when the
//! process dies, so a lock that can be taken means that nobody works on that title.

use std::fs::{File, TryLockError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use veil_seal::id::TitleId;

use crate::catalogue::{Title, TitleState};
use crate::{Studio, StudioError};

/// How long a viewer is told why a grant ended before it is forgotten.
const KEEP_ENDED_GRANTS: SignedDuration = SignedDuration::from_hours(30 * 24);

/// A grant record takes milliseconds to write; what is this old was left by a killed command.
const HALF_WRITTEN_AGE: Duration = Duration::from_secs(3600);

/// What a sweep found.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Swept {
    /// Titles that were never finished, or not wholly removed.
    pub title_count: usize,
    /// Grants that ended long ago.
    pub grant_count: usize,
}

/// A lock on one title's work; dropping it lets others sweep.
pub(crate) struct TitleLock {
    path: std::path::PathBuf,
    _file: File,
}

impl Drop for TitleLock {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

impl Studio {
    /// Locks a title's work, or tells that another process has it.
    pub(crate) fn lock_title(&self, id: TitleId) -> Result<Option<TitleLock>, StudioError> {
        let path = self.data().imports().join(id.to_string());
        let file = File::create(&path).map_err(StudioError::file("cannot create", &path))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(TitleLock { path, _file: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(StudioError::file("cannot lock", path)(error)),
        }
    }

    /// Removes a title: its grants are taken back, its objects deleted.
    ///
    /// # Errors
    /// [`StudioError::NoTitle`], or that the bucket can't be written; what is left then is swept later.
    pub async fn remove(&self, name_or_id: &str, now: Timestamp) -> Result<Title, StudioError> {
        let title = self.catalogue().find_title(name_or_id).await?;
        self.catalogue().hide_title(title.id).await?;
        for grant in self.catalogue().grants(Some(title.id)).await? {
            self.revoke(&grant.id, now).await?;
        }
        self.delete_title(title.id).await?;
        Ok(title)
    }

    /// Deletes what killed imports and unfinished removals left, and grants that ended long ago;
    /// forgets unsealed keys whose time is over.
    ///
    /// # Errors
    /// [`StudioError`] when the catalogue or the bucket fails.
    pub async fn sweep(&self, now: Timestamp) -> Result<Swept, StudioError> {
        self.keystore().forget_expired(now);
        let mut swept = Swept::default();
        for state in [TitleState::Importing, TitleState::Removing] {
            for title in self.catalogue().titles(state).await? {
                if let Some(_lock) = self.lock_title(title.id)? {
                    self.delete_title(title.id).await?;
                    swept.title_count += 1;
                }
            }
        }
        self.bucket().sweep_half_written(HALF_WRITTEN_AGE).await?;
        swept.grant_count = self.sweep_grants(KEEP_ENDED_GRANTS, now).await?;
        Ok(swept)
    }

    pub(crate) async fn delete_title(&self, id: TitleId) -> Result<(), StudioError> {
        self.bucket().delete_title(id).await?;
        self.catalogue().delete_title(id).await
    }
}
