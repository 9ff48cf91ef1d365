//! Whose turn it is: runs on one machine share its memory and its processors, and wait in order where both are taken.
//!
//! A run has a *ticket*: a file with a number and a cost, in a folder that all runs know, locked for as long as the run lives. The kernel
//! takes the lock from whoever is killed, so a ticket that can be locked is nobody's. Who looks at tickets or changes one holds the *door*,
//! a lock for moments. Owns: the order, and what is taken (`ticket`), and what a run costs (`cost`). Refuses to know: what a run does,
//! where the folder is, what the machine has.
//!
//! Invariants: the costs of the runs under way never add up to more than the budget; no run overtakes another; the place of a killed run is
//! free as soon as the system says that it is dead.

mod cost;
mod error;
mod ticket;

#[cfg(test)]
mod tests;

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustix::fs::OFlags;
use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;
use tokio::sync::watch;

pub use cost::{FrameSize, own_bytes_max};
pub use error::TurnError;

/// How often a waiting run looks whether it is its turn.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// How often somebody who holds the door is looked at; it is held for a millisecond.
const KNOCK_EVERY: Duration = Duration::from_millis(2);

/// What there is to share, or what a run takes of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resources {
    /// Resident memory of all its processes, in bytes.
    pub memory_bytes: u64,
    /// Threads that work at once.
    pub cores: u64,
}

/// Whether a run waits for its turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    /// Until those before it are done.
    Wait,
    /// It fails where it would have to wait.
    Refuse,
}

/// The runs of a machine, from one that may be among them.
#[derive(Clone, Debug)]
pub struct Turns {
    folder: PathBuf,
    budget: Resources,
    patience: Patience,
    before: Arc<watch::Sender<usize>>,
}

/// A run's place among those under way. Dropping it frees the place, and so does the end of the process, however it comes.
#[derive(Debug)]
pub struct Turn {
    ticket: NamedTempFile,
}

impl Turns {
    /// Shares `budget` with all runs that were given the same folder, which is made, for its owner alone, if it isn't there. The files in it
    /// get the permissions of the folder: one that a group can write to serves the group. Each run holds to the budget that it was given itself.
    ///
    /// # Errors
    /// [`TurnError::Folder`].
    pub fn open(folder: &Path, budget: Resources, patience: Patience) -> Result<Self, TurnError> {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
        let whole = made.and_then(|()| folder.canonicalize());
        let folder =
            whole.map_err(|source| TurnError::Folder { path: folder.to_owned(), source })?;
        Ok(Self { folder, budget, patience, before: Arc::new(watch::Sender::new(0)) })
    }

    /// What is shared.
    #[must_use]
    pub fn budget(&self) -> Resources {
        self.budget
    }

    /// Where runs line up.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// How many runs are before the one that waits; 0 where none does.
    #[must_use]
    pub fn before(&self) -> watch::Receiver<usize> {
        self.before.subscribe()
    }

    /// Waits until a run of this cost may begin. A run that wants more threads than there are cores takes all of them. Dropping the future
    /// gives the place in the line up.
    ///
    /// # Errors
    /// [`TurnError::Budget`] for a run that could never begin; [`TurnError::Busy`] for one that must not wait; [`TurnError::Folder`].
    pub async fn take(&self, cost: Resources) -> Result<Turn, TurnError> {
        if cost.memory_bytes > self.budget.memory_bytes {
            let (needed, budget) = (cost.memory_bytes, self.budget.memory_bytes);
            return Err(TurnError::Budget { needed_bytes: needed, budget_bytes: budget });
        }
        let cost = Resources { cores: cost.cores.min(self.budget.cores), ..cost };
        let ticket = self.behind_door(|| ticket::draw(&self.folder, cost)).await?;
        let turn = Turn { ticket };
        loop {
            let path = turn.ticket.path();
            let before = self
                .behind_door(|| {
                    let before = ticket::before(&self.folder, path, cost, self.budget)?;
                    match before {
                        None => ticket::begin(turn.ticket.as_file(), cost).map(|()| None),
                        waiting => Ok(waiting),
                    }
                })
                .await?;
            if let (Some(before), Patience::Refuse) = (before, self.patience) {
                return Err(TurnError::Busy { before });
            }
            self.tell(before.unwrap_or(0));
            if before.is_none() {
                return Ok(turn);
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    fn tell(&self, before: usize) {
        self.before.send_if_modified(|told| std::mem::replace(told, before) != before);
    }

    /// Does something with the tickets while nobody else does.
    async fn behind_door<T>(&self, work: impl FnOnce() -> io::Result<T>) -> Result<T, TurnError> {
        let failed = |source| TurnError::Folder { path: self.folder.clone(), source };
        let door = self.door().map_err(failed)?;
        loop {
            match door.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) => tokio::time::sleep(KNOCK_EVERY).await,
                Err(TryLockError::Error(error)) => return Err(failed(error)),
            }
        }
        work().map_err(failed)
    }

    fn door(&self) -> io::Result<File> {
        let path = self.folder.join("door");
        let mut options = OpenOptions::new();
        options.read(true).custom_flags(OFlags::NOFOLLOW.bits().cast_signed());
        match options.open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let mode = ticket::mode(&self.folder)?;
                let door =
                    options.write(true).create(true).truncate(false).mode(mode).open(&path)?;
                ticket::set_mode(&door, mode)?;
                Ok(door)
            }
            opened => opened,
        }
    }
}
