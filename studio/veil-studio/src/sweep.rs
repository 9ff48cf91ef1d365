//! Removing titles, and sweeping what killed imports and ended grants left.
//!
//! An import holds a lock on a file of its own while it runs; the system drops the lock when the
//! process dies, so a lock that can be taken means that nobody works on that title.

use std::collections::HashMap;
use std::fs::{File, TryLockError};
use std::os::unix::fs::MetadataExt as _;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use veil_seal::id::TitleId;

use crate::catalogue::copies::{CopyState, TitleCopy};
use crate::catalogue::{Title, TitleState};
use crate::place::Place;
use crate::{Studio, StudioError};

/// How long a viewer is told why a grant ended before it is forgotten.
const KEEP_ENDED_GRANTS: SignedDuration = SignedDuration::from_hours(30 * 24);

/// A grant record takes milliseconds to write; what is this old was left by a killed command.
const HALF_WRITTEN_AGE: Duration = Duration::from_secs(3600);

/// How long a store may take to answer a sweep, which others wait for.
const ANSWER_LIMIT: Duration = Duration::from_secs(5);

/// What a sweep found.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Swept {
    /// Titles that were never finished, or not wholly removed.
    pub title_count: usize,
    /// Grants that ended long ago.
    pub grant_count: usize,
    /// What could not be swept now, and why: a store that is away keeps nobody from working.
    pub failures: Vec<String>,
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

/// The stores that a sweep works on. One that is away is asked once, shortly, and left for a later sweep.
pub(crate) struct Stores<'a> {
    studio: &'a Studio,
    known: HashMap<String, bool>,
    failures: Vec<String>,
}

impl Stores<'_> {
    /// Whether every store that has something of a title answers.
    pub(crate) async fn answer_for(&mut self, title: TitleId) -> Result<bool, StudioError> {
        for copy in self.studio.catalogue().copies(Some(title)).await? {
            if !self.answers(&copy.place).await {
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn answers(&mut self, place: &Place) -> bool {
        if let Some(known) = self.known.get(&place.text()) {
            return *known;
        }
        let answers = match tokio::time::timeout(ANSWER_LIMIT, self.ask(place)).await {
            Ok(asked) => self.noted(asked).is_some(),
            Err(_) => {
                self.failures.push(format!("{place} does not answer"));
                false
            }
        };
        self.known.insert(place.text(), answers);
        answers
    }

    async fn ask(&self, place: &Place) -> Result<(), StudioError> {
        match place {
            Place::Own => Ok(()),
            other => self.studio.bucket_at(other).await?.reach().await,
        }
    }

    /// What was done, or else notes why not.
    pub(crate) fn noted<T>(&mut self, result: Result<T, StudioError>) -> Option<T> {
        result.map_err(|error| self.failures.push(error.to_string())).ok()
    }
}

/// Whether the path still leads to this very file.
fn is_still(path: &std::path::Path, file: &File) -> bool {
    let id = |meta: std::fs::Metadata| (meta.dev(), meta.ino());
    let (there, ours) = (path.metadata().map(id), file.metadata().map(id));
    there.is_ok_and(|there| ours.is_ok_and(|ours| there == ours))
}

impl Studio {
    /// Locks a title's work, or tells that another process has it.
    pub(crate) fn lock_title(&self, id: TitleId) -> Result<Option<TitleLock>, StudioError> {
        let path = self.data().imports().join(id.to_string());
        let file = File::create(&path).map_err(StudioError::file("cannot create", &path))?;
        match file.try_lock() {
            // Whoever had the lock may have deleted its file just before letting go of it.
            Ok(()) if !is_still(&path, &file) => self.lock_title(id),
            Ok(()) => Ok(Some(TitleLock { path, _file: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(StudioError::file("cannot lock", path)(error)),
        }
    }

    /// Waits for the lock on a title's grants: who writes them, and who copies them to another place.
    pub(crate) async fn lock_grants(&self, id: TitleId) -> Result<File, StudioError> {
        let path = self.data().imports().join(format!("{id}.grants"));
        let failed = StudioError::file("cannot lock", path.clone());
        let locked = tokio::task::spawn_blocking(move || {
            let file = File::create(path)?;
            file.lock()?;
            Ok(file)
        });
        locked.await.map_err(std::io::Error::other).and_then(|locked| locked).map_err(failed)
    }

    /// Removes a title: its grants are taken back, its objects deleted.
    ///
    /// # Errors
    /// [`StudioError::NoTitle`], [`StudioError::Busy`], or that a bucket can't be written; what is left then is swept later.
    pub async fn remove(&self, name_or_id: &str, now: Timestamp) -> Result<Title, StudioError> {
        let title = self.catalogue().find_title(name_or_id).await?;
        let _lock =
            self.lock_title(title.id)?.ok_or_else(|| StudioError::Busy(title.name.clone()))?;
        self.catalogue().hide_title(title.id, &crate::time::text(now)).await?;
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
        let mut stores = Stores { studio: self, known: HashMap::new(), failures: Vec::new() };
        let mut title_count = 0;
        for state in [TitleState::Importing, TitleState::Removing] {
            for title in self.catalogue().titles(state).await? {
                if let Some(_lock) = self.lock_title(title.id)?
                    && stores.answer_for(title.id).await?
                {
                    let deleted = self.delete_title(title.id).await;
                    title_count += usize::from(stores.noted(deleted).is_some());
                }
            }
        }
        self.sweep_copies(&mut stores).await?;
        self.bucket().sweep_half_written(HALF_WRITTEN_AGE).await?;
        let grant_count = self.sweep_grants(KEEP_ENDED_GRANTS, now, &mut stores).await?;
        Ok(Swept { title_count, grant_count, failures: stores.failures })
    }

    /// Deletes what is left of copies that titles were moved away from.
    async fn sweep_copies(&self, stores: &mut Stores<'_>) -> Result<(), StudioError> {
        let copies = self.catalogue().copies(None).await?;
        for copy in copies.iter().filter(|copy| copy.state == CopyState::Removing) {
            let id = copy.title;
            if self.catalogue().find_title(&id.to_string()).await.is_ok()
                && let Some(_lock) = self.lock_title(id)?
                && stores.answers(&copy.place).await
            {
                stores.noted(self.finish_removing(id, &copy.place).await);
            }
        }
        Ok(())
    }

    /// Deletes a title's objects wherever they lie, then its row; the first failure is told when all places were tried.
    pub(crate) async fn delete_title(&self, id: TitleId) -> Result<(), StudioError> {
        let mut deleted = Ok(());
        for copy in self.catalogue().copies(Some(id)).await? {
            let one = self.empty_copy(id, &copy).await;
            deleted = deleted.and(one);
        }
        deleted?;
        self.catalogue().delete_title(id).await?;
        // Whoever waits for this lock finds no title any more.
        let _ = std::fs::remove_file(self.data().imports().join(format!("{id}.grants")));
        Ok(())
    }

    async fn empty_copy(&self, id: TitleId, copy: &TitleCopy) -> Result<(), StudioError> {
        if copy.state != CopyState::Emptied {
            self.bucket_at(&copy.place).await?.delete_title(id).await?;
            self.catalogue().empty_copy(id, &copy.place).await?;
        }
        Ok(())
    }
}
