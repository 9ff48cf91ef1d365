//! What was made before, by the BLAKE3 of what it was made of.
//!
//! Owns: the folder, its bound (the least recently used goes first), and the folders in which runs work. Refuses to know: what entries hold.
//!
//! Invariants: an entry is whole or not there; a run holds links of its own to the entries it uses, so that nobody takes them away; what a
//! killed run left is removed by the next one.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde::Serialize;
use tempfile::TempDir;

use super::error::MakeError;

/// The largest and the oldest that is kept; beyond either it shrinks to four fifths.
pub const BYTES_MAX: u64 = 5_000_000_000;
/// How long nothing is kept that nobody used.
pub const AGE_MAX: Duration = Duration::from_secs(7 * 24 * 3600);

/// The name of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key(blake3::Hash);

impl Key {
    /// The key of inputs; `kind` says what is made of them, and in which version.
    #[must_use]
    pub fn of(kind: &str, inputs: &impl Serialize) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(kind.as_bytes());
        hasher.update(b"\0");
        // What is made of a value that has no JSON is never found again; no input is one.
        let json = serde_json::to_vec(inputs).unwrap_or_else(|error| error.to_string().into());
        hasher.update(&json);
        Self(hasher.finalize())
    }

    /// The BLAKE3 of a file, as text that is a part of another key.
    ///
    /// # Errors
    /// Where it can't be read.
    pub fn of_file(path: &Path) -> io::Result<String> {
        let mut hasher = blake3::Hasher::new();
        hasher.update_reader(File::open(path)?)?;
        Ok(hasher.finalize().to_hex().to_string())
    }

    /// As text.
    #[must_use]
    pub fn text(&self) -> String {
        self.0.to_hex().to_string()
    }
}

/// The folder of entries.
#[derive(Clone, Debug)]
pub struct Cache {
    folder: PathBuf,
}

/// A folder of one run. Dropping it removes it.
#[derive(Debug)]
pub struct Work {
    folder: TempDir,
    _lock: File,
}

impl Work {
    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Makes an empty file in it.
    ///
    /// # Errors
    /// [`MakeError::Io`].
    pub fn file(&self, name: &str) -> Result<PathBuf, MakeError> {
        let path = self.path().join(name);
        File::create(&path).map_err(MakeError::io("cannot write", &path))?;
        Ok(path)
    }
}

impl Cache {
    /// Opens the cache in a folder, which is made if it isn't there, and removes what killed runs left.
    ///
    /// # Errors
    /// [`MakeError::Io`].
    pub fn open(folder: &Path) -> Result<Self, MakeError> {
        let failed = |source| MakeError::Io { what: "cannot use", path: folder.to_owned(), source };
        fs::create_dir_all(folder.join("entries")).map_err(failed)?;
        fs::create_dir_all(folder.join("work")).map_err(failed)?;
        let folder = folder.canonicalize().map_err(failed)?;
        let cache = Self { folder };
        let door = cache.door()?;
        for entry in fs::read_dir(cache.folder.join("work")).map_err(failed)?.flatten() {
            let lock = File::open(entry.path().join("lock"));
            let alive = lock
                .as_ref()
                .is_ok_and(|lock| matches!(lock.try_lock(), Err(TryLockError::WouldBlock)));
            if !alive {
                // What can't be removed now is removed by the next run.
                let _ = fs::remove_dir_all(entry.path());
            }
        }
        drop(door);
        Ok(cache)
    }

    /// Held while folders of runs are made or removed.
    fn door(&self) -> Result<File, MakeError> {
        let path = self.folder.join("door");
        let door = File::options().create(true).truncate(false).write(true).open(&path);
        let door = door.and_then(|door| door.lock().map(|()| door));
        door.map_err(MakeError::io("cannot lock", path))
    }

    /// A folder for a run.
    ///
    /// # Errors
    /// [`MakeError::Io`].
    pub fn work(&self) -> Result<Work, MakeError> {
        let _door = self.door()?;
        let parent = self.folder.join("work");
        let failed = |source| MakeError::Io { what: "cannot use", path: parent.clone(), source };
        let folder = tempfile::Builder::new().prefix("run-").tempdir_in(&parent).map_err(failed)?;
        let lock = File::create(folder.path().join("lock")).map_err(failed)?;
        lock.lock().map_err(failed)?;
        Ok(Work { folder, _lock: lock })
    }

    fn entry(&self, key: &Key, kind: &str) -> PathBuf {
        self.folder.join("entries").join(format!("{}.{kind}", key.text()))
    }

    /// Links an entry to `place`; `false` where there is none.
    #[must_use]
    pub fn find(&self, key: &Key, kind: &str, place: &Path) -> bool {
        let entry = self.entry(key, kind);
        let _ = fs::remove_file(place);
        let found = fs::hard_link(&entry, place).is_ok();
        if found {
            touch(&entry);
        }
        found
    }

    /// Makes an entry of a file of a run, which stays where it is.
    ///
    /// # Errors
    /// [`MakeError::Io`].
    pub fn keep(&self, key: &Key, kind: &str, made: &Path) -> Result<(), MakeError> {
        let file = File::open(made).and_then(|file| file.sync_all());
        file.map_err(MakeError::io("cannot write", made))?;
        match fs::hard_link(made, self.entry(key, kind)) {
            // Another run was as quick.
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                Err(MakeError::io("cannot write", made)(error))
            }
            _ => Ok(()),
        }
    }

    /// Reads a small entry; `None` where there is none.
    #[must_use]
    pub fn read(&self, key: &Key, kind: &str) -> Option<Vec<u8>> {
        let entry = self.entry(key, kind);
        let bytes = fs::read(&entry).ok()?;
        touch(&entry);
        Some(bytes)
    }

    /// Makes an entry of bytes.
    ///
    /// # Errors
    /// [`MakeError::Io`].
    pub fn write(&self, key: &Key, kind: &str, bytes: &[u8]) -> Result<(), MakeError> {
        let work = self.work()?;
        let path = work.path().join("entry");
        fs::write(&path, bytes).map_err(MakeError::io("cannot write", &path))?;
        self.keep(key, kind, &path)
    }

    /// Bytes and number of the entries that are on disk.
    #[must_use]
    pub fn size(&self) -> (u64, u64) {
        let entries = fs::read_dir(self.folder.join("entries")).into_iter().flatten().flatten();
        let lengths = entries.filter_map(|entry| entry.metadata().ok()).map(|it| it.len());
        lengths.fold((0, 0), |(bytes, count), length| (bytes + length, count + 1))
    }

    /// Shrinks it to its bound.
    pub fn trim(&self) {
        self.trim_to(BYTES_MAX, AGE_MAX);
    }

    /// Shrinks it to four fifths of a bound that it is over, the least recently used first; what nobody used for `age_max` goes as well.
    pub fn trim_to(&self, bytes_max: u64, age_max: Duration) {
        let Ok(entries) = fs::read_dir(self.folder.join("entries")) else { return };
        let now = SystemTime::now();
        let mut all: Vec<(SystemTime, u64, PathBuf)> = entries
            .flatten()
            .filter_map(|entry| {
                let metadata = entry.metadata().ok()?;
                Some((metadata.modified().ok()?, metadata.len(), entry.path()))
            })
            .collect();
        all.sort();
        let mut bytes: u64 = all.iter().map(|(_, length, _)| length).sum();
        let wanted = if bytes > bytes_max { bytes_max / 5 * 4 } else { bytes };
        for (used, length, path) in all {
            let old = now.duration_since(used).is_ok_and(|age| age > age_max);
            if (old || bytes > wanted) && fs::remove_file(path).is_ok() {
                bytes -= length;
            }
        }
    }
}

/// It was used now; a file system without such times forgets it earlier.
fn touch(entry: &Path) {
    let file = File::options().append(true).open(entry);
    let _ = file.and_then(|file| file.set_modified(SystemTime::now()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_found_by_what_it_was_made_of_and_the_oldest_goes_first() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(folder.path()).unwrap();
        let work = cache.work().unwrap();
        let keys: Vec<Key> = (0..3).map(|number| Key::of("test", &number)).collect();
        for (at, key) in keys.iter().enumerate() {
            let made = work.file(&format!("{at}")).unwrap();
            fs::write(&made, [0; 100]).unwrap();
            cache.keep(key, "bin", &made).unwrap();
            cache.keep(key, "bin", &made).unwrap();
            let time = SystemTime::now() - Duration::from_secs(100 - at as u64);
            File::options().append(true).open(made).unwrap().set_modified(time).unwrap();
        }
        let found = |key: &Key| cache.find(key, "bin", &work.path().join("found"));
        assert!(found(&keys[0]) && !found(&Key::of("other", &0)));
        cache.trim_to(250, AGE_MAX);
        // The first was used last; the second is the oldest now.
        assert!(found(&keys[0]) && !found(&keys[1]) && found(&keys[2]));
        cache.trim_to(250, Duration::ZERO);
        assert!(!found(&keys[0]));
    }

    #[test]
    fn what_a_killed_run_left_is_removed_and_a_living_one_stays() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(folder.path()).unwrap();
        let living = cache.work().unwrap();
        let left = folder.path().join("work/run-dead");
        fs::create_dir(&left).unwrap();
        fs::write(left.join("lock"), "").unwrap();
        let again = Cache::open(folder.path()).unwrap();
        assert!(!left.exists() && living.path().exists());
        drop((living, again));
        assert_eq!(fs::read_dir(folder.path().join("work")).unwrap().count(), 0);
    }
}
