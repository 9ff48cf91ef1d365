//! Changes a sealed file: its keyring in place, or the file as a whole beside itself.
//!
//! In place keeps everything else about a file: its body, owner, mode, links and extended attributes. A file that is replaced keeps owner
//! and mode; one with several hard links is not replaced, since the other names would keep the old one.

use std::fs::{self, File, Permissions, TryLockError};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{FileExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use veil_seal::file::{Change, Patch};

use crate::error::CliError;
use crate::progress;
use crate::sealed::refusal::{unreadable, unwritable};
use crate::sealed::remote::Url;
use crate::sealed::source::Source;
use crate::sealed::target::{Access, Beside};

/// How much of a body is copied at a time.
const COPY_BYTES: u64 = 64 << 20;

/// A sealed file that no other command changes meanwhile.
pub(crate) struct Changeable {
    /// What to call it.
    pub(crate) name: String,
    /// Where it is, links followed.
    path: PathBuf,
    file: File,
}

impl Changeable {
    /// Opens and locks a file.
    pub(crate) fn open(path: &Path) -> Result<Self, CliError> {
        if Url::of_path(path).is_some() {
            return Err(CliError::new("only a file on this machine can be changed")
                .hint("download it first"));
        }
        let name = path.display().to_string();
        let real = path.canonicalize().map_err(|error| unreadable(&error, &name))?;
        let opened = File::options().read(true).write(true).open(&real);
        let file = opened.map_err(|error| match error.kind() {
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                unwritable(&error, &name)
                    .hint("changing recipients writes into the file: chmod u+w, or work on a copy")
            }
            _ => unreadable(&error, &name),
        })?;
        let changeable = Self { name, path: real, file };
        changeable.lock()?;
        Ok(changeable)
    }

    fn lock(&self) -> Result<(), CliError> {
        let busy = || {
            CliError::new(format!("another command is changing {}", self.name))
                .hint("wait until it is done, and try again")
        };
        self.file.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => busy(),
            TryLockError::Error(error) => {
                CliError::new(format!("cannot lock {}: {error}", self.name))
            }
        })?;
        let there = fs::metadata(&self.path).map_err(|error| unreadable(&error, &self.name))?;
        let (dev, ino, _) = self.identity()?;
        // Whoever held the lock may have put another file in this place.
        if (there.dev(), there.ino()) == (dev, ino) { Ok(()) } else { Err(busy()) }
    }

    /// Device, inode and number of names.
    fn identity(&self) -> Result<(u64, u64, u64), CliError> {
        let metadata = self.file.metadata().map_err(|error| unreadable(&error, &self.name))?;
        Ok((metadata.dev(), metadata.ino(), metadata.nlink()))
    }

    /// Reads everything before the body.
    pub(crate) fn front(&self) -> Result<Vec<u8>, CliError> {
        Source::of_file(self.handle()?, self.name.clone())?.front()
    }

    /// The file from its first byte, to be read; its position is shared.
    pub(crate) fn handle(&self) -> Result<File, CliError> {
        let mut file = self.file.try_clone().map_err(|error| unreadable(&error, &self.name))?;
        file.rewind().map_err(|error| unreadable(&error, &self.name))?;
        Ok(file)
    }

    /// Brings a changed keyring into the file, whose body begins at `body`.
    pub(crate) fn apply(&self, change: Change, body: u64) -> Result<(), CliError> {
        match change {
            Change::InPlace { write, wipe } => self.patch(&write).and_then(|()| self.patch(&wipe)),
            Change::Anew(front) => self.copy_behind(&front, body),
        }
    }

    fn patch(&self, patch: &Patch) -> Result<(), CliError> {
        let written = self.file.write_all_at(&patch.bytes, patch.offset);
        written.and_then(|()| self.file.sync_all()).map_err(|error| unwritable(&error, &self.name))
    }

    /// Begins a file that shall replace this one, with its owner and mode.
    pub(crate) fn replacement(&self) -> Result<Beside, CliError> {
        let (_, _, names) = self.identity()?;
        if names > 1 {
            return Err(CliError::new(format!(
                "{} has {names} names (hard links), and this change needs a new file",
                self.name
            ))
            .hint("the other names would keep the old one: copy the file, and change the copy"));
        }
        self.begin().map_err(|error| unwritable(&error, &self.name))
    }

    fn begin(&self) -> io::Result<Beside> {
        let old = self.file.metadata()?;
        let beside = Beside::begin(self.path.clone(), true, Access::Owner)?;
        let new = beside.file().metadata()?;
        if (old.uid(), old.gid()) != (new.uid(), new.gid()) {
            std::os::unix::fs::fchown(beside.file(), Some(old.uid()), Some(old.gid()))?;
        }
        beside.file().set_permissions(Permissions::from_mode(old.mode() & 0o7777))?;
        Ok(beside)
    }

    /// Puts the file anew with `front` before the body that begins at `body`.
    fn copy_behind(&self, front: &[u8], body: u64) -> Result<(), CliError> {
        let beside = self.replacement()?;
        let length = self.file.metadata().map_err(|error| unreadable(&error, &self.name))?.len();
        let bytes = length.saturating_sub(body);
        progress::moving("copying", Some(bytes), |moved| {
            self.copy(front, body, bytes, &beside, moved)
        })
        .and_then(|()| beside.publish())
        .map_err(|error| unwritable(&error, &self.name))
    }

    fn copy(
        &self,
        front: &[u8],
        body: u64,
        bytes: u64,
        beside: &Beside,
        moved: &AtomicU64,
    ) -> io::Result<()> {
        let (mut from, mut to) = (&self.file, beside.file());
        to.write_all(front)?;
        from.seek(SeekFrom::Start(body))?;
        loop {
            let copied = io::copy(&mut from.take(COPY_BYTES), &mut to)?;
            let all = moved.fetch_add(copied, Ordering::Relaxed) + copied;
            if copied == 0 {
                return if all == bytes {
                    Ok(())
                } else {
                    Err(io::ErrorKind::UnexpectedEof.into())
                };
            }
        }
    }
}
