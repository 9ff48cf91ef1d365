//! Folders that are watched: what is put into them comes into the library by itself.
//!
//! Owns: when a file has stopped changing, and that it is taken once. Refuses to know: who is told, what media are.
//!
//! A look at the folders is the truth; the system's news of changes only say when one is worth it, and where there are none (a network
//! folder, too many folders) looks are taken from time to time. Invariants: a file in a watched folder is read, never moved, changed or followed as
//! a link; one that changes while it is read isn't taken; what one look finds is bounded, and files are taken one after the other.

#[cfg(test)]
mod tests;
mod walk;

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};
use rand_core::Rng as _;
use tokio::sync::{Notify, broadcast};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use self::walk::Found;
use crate::catalogue::library::Medium;
use crate::catalogue::watched::{Seen, WatchedCounts};
use crate::jobs::passes;
use crate::keystore::os_rng;
use crate::make::cache::Key;
use crate::pipeline::Encoder;
use crate::{Studio, StudioError, time};

/// How long a file has to be as it is before it is taken.
const SETTLE: Duration = Duration::from_secs(2);
/// Looks are this far apart at least, however much happens.
const PACE: Duration = Duration::from_secs(1);
/// When a look is taken without any news, where there are some, and where there are none.
const LOOK_EVERY: Duration = Duration::from_secs(60);
const POLL_EVERY: Duration = Duration::from_secs(5);
/// Files of all folders that are looked at.
pub const FILES_MAX: usize = 20_000;
/// Folders that can be watched.
pub const FOLDERS_MAX: usize = 16;
/// Room that is left on the disk.
const DISK_LEFT_BYTES: u64 = 512 << 20;
/// News that one who follows may be behind.
const BEHIND_MAX: usize = 64;
/// The end of names of files that are being copied.
const COPY: &str = ".watched";

/// Why a folder can't be watched.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WatchError {
    /// It isn't there, or is no folder.
    #[error("{} is no folder that can be read", .0.display())]
    NoFolder(PathBuf),
    /// What is taken would be taken again and again.
    #[error("{} holds the studio's own data folder, or lies in it", .0.display())]
    Own(PathBuf),
    /// There are too many.
    #[error("more than {FOLDERS_MAX} folders")]
    TooMany,
}

/// Watched folders.
pub struct Watch {
    studio: Arc<Studio>,
    encoder: Encoder,
    clock: fn() -> Timestamp,
    folders: Vec<PathBuf>,
    told: broadcast::Sender<Medium>,
    state: Mutex<State>,
}

/// What watching is doing.
#[derive(Clone, Debug, Default)]
struct State {
    is_told: bool,
    waiting: usize,
    fault: Option<String>,
}

/// How watching stands.
#[derive(Clone, Debug)]
pub struct Standing {
    /// The folders.
    pub folders: Vec<PathBuf>,
    /// Whether the system tells of changes; looks are taken often where it doesn't.
    pub is_told: bool,
    /// Files that still change, or wait for others.
    pub waiting: usize,
    /// What became of the others.
    pub counts: WatchedCounts,
    /// What went wrong last, and is tried again.
    pub fault: Option<String>,
}

/// Files that aren't taken yet: as they were at a look, and when they were so first.
type Unsettled = HashMap<PathBuf, (Found, Instant)>;

impl Watch {
    /// Watches folders, once it is run.
    ///
    /// # Errors
    /// [`WatchError`].
    pub fn new(
        studio: Arc<Studio>,
        encoder: Encoder,
        folders: &[PathBuf],
        clock: fn() -> Timestamp,
    ) -> Result<Self, WatchError> {
        if folders.len() > FOLDERS_MAX {
            return Err(WatchError::TooMany);
        }
        let folders =
            folders.iter().map(|folder| real(&studio, folder)).collect::<Result<_, _>>()?;
        let (told, state) = (broadcast::Sender::new(BEHIND_MAX), Mutex::default());
        Ok(Self { studio, encoder, clock, folders, told, state })
    }

    /// Media that are taken from now on.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<Medium> {
        self.told.subscribe()
    }

    /// How it stands.
    ///
    /// # Errors
    /// [`StudioError::Catalogue`].
    pub async fn standing(&self) -> Result<Standing, StudioError> {
        let State { is_told, waiting, fault } = self.state().clone();
        let counts = self.studio.catalogue().count_watched().await?;
        Ok(Standing { folders: self.folders.clone(), is_told, waiting, counts, fault })
    }

    /// Takes files until it is told to stop.
    pub async fn run(&self, stop: CancellationToken) {
        self.clear_copies();
        let changed = Arc::new(Notify::new());
        let watcher = self.listen(&changed);
        let is_told = watcher.is_some();
        self.state().is_told = is_told;
        let calm = if is_told { LOOK_EVERY } else { POLL_EVERY };
        let mut unsettled = Unsettled::new();
        while !stop.is_cancelled() {
            let looked = tokio::select! {
                () = stop.cancelled() => return,
                looked = self.look(&mut unsettled) => looked,
            };
            let fault = looked.unwrap_or_else(Some).map(|error| error.to_string());
            // What failed isn't tried again at once.
            let is_calm = unsettled.is_empty() || fault.is_some();
            *self.state() = State { is_told, waiting: unsettled.len(), fault };
            let pause = async {
                tokio::time::sleep(PACE).await;
                let wait = if is_calm { calm } else { SETTLE };
                let _ = tokio::time::timeout(wait, changed.notified()).await;
            };
            tokio::select! {
                () = stop.cancelled() => return,
                () = pause => {}
            }
        }
    }

    /// Has the system tell of changes; `None` where it can't.
    fn listen(&self, changed: &Arc<Notify>) -> Option<RecommendedWatcher> {
        let changed = Arc::clone(changed);
        let mut watcher = notify::recommended_watcher(move |_| changed.notify_one()).ok()?;
        let mut folders = self.folders.iter();
        let all = folders.all(|folder| watcher.watch(folder, RecursiveMode::Recursive).is_ok());
        all.then_some(watcher)
    }

    /// Looks at all folders, and takes what has settled. Returns what went wrong with one of them, or with a file.
    async fn look(&self, unsettled: &mut Unsettled) -> Result<Option<StudioError>, StudioError> {
        let folders = self.folders.clone();
        let walked =
            blocking(Path::new(""), "cannot list", move || Ok(walk::files(&folders, FILES_MAX)));
        let walk::Walked { files: mut found, fault } = walked.await?;
        let seen = self.studio.catalogue().watched().await?;
        let away = fault.as_ref().map(|(folder, _)| folder.clone());
        let is_away = |path: &Path| away.as_ref().is_some_and(|folder| path.starts_with(folder));
        let is_there = |path: &Path| found.contains_key(path) || is_away(path);
        let gone: Vec<&String> = seen.keys().filter(|path| !is_there(Path::new(path))).collect();
        self.studio.catalogue().forget_watched(&gone).await?;
        found.retain(|path, file| {
            path.to_str().is_some_and(|path| seen.get(path).is_none_or(|seen| *seen != file.seen()))
        });
        unsettled.retain(|path, (was, _)| found.get(path).is_some_and(|is| is == was));
        let now = Instant::now();
        for (path, file) in found {
            unsettled.entry(path).or_insert((file, now));
        }
        let settled = |(_, (_, since)): &(&PathBuf, &(Found, Instant))| since.elapsed() >= SETTLE;
        let ready: Vec<_> = unsettled
            .iter()
            .filter(settled)
            .map(|(path, (file, _))| (path.clone(), *file))
            .collect();
        let mut fault =
            fault.map(|(folder, error)| StudioError::file("cannot list", folder)(error));
        for (path, file) in ready {
            self.state().waiting = unsettled.len();
            match self.take(&path, file).await {
                Ok(()) => drop(unsettled.remove(&path)),
                Err(error) => fault = Some(error),
            }
        }
        Ok(fault)
    }

    /// Takes a file, and notes what became of it.
    async fn take(&self, path: &Path, file: Found) -> Result<(), StudioError> {
        let (medium, error) = match self.copied(path, file).await {
            Ok(None) => return Ok(()),
            Ok(Some(medium)) => (Some(medium), None),
            Err(StudioError::Ffmpeg(error)) if is_the_files(&error) => {
                (None, Some(error.to_string()))
            }
            Err(error) => return Err(error),
        };
        let seen = Seen {
            path: path.to_string_lossy().into_owned(),
            medium: medium.as_ref().map(|medium| medium.id.clone()),
            error,
            at: time::text((self.clock)()),
            ..file.seen()
        };
        self.studio.catalogue().note_watched(&seen).await?;
        if let Some(medium) = medium {
            // Nobody may listen.
            let _ = self.told.send(medium);
        }
        Ok(())
    }

    /// The medium that a file is; `None` where it changed meanwhile.
    async fn copied(&self, path: &Path, file: Found) -> Result<Option<Medium>, StudioError> {
        let data = self.studio.data();
        if data.free_bytes()? < file.bytes.saturating_add(DISK_LEFT_BYTES) {
            return Err(StudioError::file("no room to copy", path)(
                std::io::ErrorKind::StorageFull.into(),
            ));
        }
        let read = path.to_owned();
        let hash = blocking(path, "cannot read", move || Key::of_file(&read)).await?;
        if walk::file(path) != Some(file) {
            return Ok(None);
        }
        if let Some(known) = self.studio.catalogue().find_content(&hash).await? {
            return Ok(Some(known));
        }
        let id = new_id();
        let copy = data.uploads().join(format!("{id}{COPY}"));
        let _cleared = Cleared(copy.clone());
        let (from, to) = (path.to_owned(), copy.clone());
        blocking(path, "cannot copy", move || walk::copy(&from, &to)).await?;
        if walk::file(path) != Some(file) {
            return Ok(None);
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let named = (id.as_str(), name.as_ref());
        let added = self.studio.add_medium(&self.encoder, &copy, named, (self.clock)()).await?;
        Ok(Some(added.medium))
    }

    /// Deletes what a killed process was copying.
    fn clear_copies(&self) {
        let entries = fs::read_dir(self.studio.data().uploads()).into_iter().flatten().flatten();
        let copies = entries.map(|entry| entry.path());
        for copy in copies.filter(|path| path.to_string_lossy().ends_with(COPY)) {
            let _ = fs::remove_file(copy);
        }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether it is the file that is at fault, and not the machine.
fn is_the_files(error: &veil_ffmpeg::Error) -> bool {
    !passes(error) && !matches!(error, veil_ffmpeg::Error::Sandbox(_))
}

/// A file that goes when nobody took it.
struct Cleared(PathBuf);

impl Drop for Cleared {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// A folder by its real path, if it can be watched.
fn real(studio: &Studio, folder: &Path) -> Result<PathBuf, WatchError> {
    let none = |_| WatchError::NoFolder(folder.to_owned());
    let path = folder.canonicalize().map_err(none)?;
    fs::read_dir(&path).map_err(none)?;
    let own = studio.data().root().canonicalize().unwrap_or_default();
    if own.starts_with(&path) || path.starts_with(&own) {
        return Err(WatchError::Own(path));
    }
    Ok(path)
}

fn new_id() -> String {
    let mut id = [0; 16];
    os_rng().fill_bytes(&mut id);
    id.iter().map(|byte| format!("{byte:02x}")).collect()
}

async fn blocking<T: Send + 'static>(
    path: &Path,
    what: &'static str,
    work: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> Result<T, StudioError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(std::io::Error::other).and_then(|done| done).map_err(StudioError::file(what, path))
}
