//! A sealed message as files and folders again.
//!
//! Owns: what of an archive is believed, and where it goes. Refuses to know: frames. Invariants: nothing is unpacked before all of it has
//! proved authentic; nothing lies in the folder before all of it is there; nothing is overwritten, and nothing lands elsewhere.

use std::fs::{self, File, Permissions};
use std::io::{self, Read, Seek as _, SeekFrom};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{CWD, RenameFlags};
use veil_seal::file::{BODY_CONTEXT, Header, PREFIX_BYTES, Unlocked};
use veil_seal::reader::Reader;

use super::payload::Message;
use super::{HideError, RevealKeys};

/// The largest window of zstd that is granted: 8 MiB, as RFC 8878 §3.1.1.1.2 advises.
const WINDOW_LOG_MAX: u32 = 23;

const WRITE: &str = "cannot unpack the payload";
const READ: &str = "cannot read the payload";

/// A message that is open and whole.
pub(super) struct Opened {
    message: Message,
    unlocked: Unlocked,
}

/// Opens a message and authenticates all of it; `None` when it isn't these keys' or isn't whole.
pub(super) fn open(message: Option<Message>, keys: &RevealKeys) -> Option<Opened> {
    let mut message = message;
    let header = message.as_mut().and_then(|message| header(message).ok());
    let unlocked = keys.unlock(header.as_ref())?;
    let opened = Opened { message: message?, unlocked };
    let mut content = opened.content().ok()?;
    io::copy(&mut content, &mut io::sink()).ok()?;
    Some(opened)
}

/// The keyring, with the zeros that a message leaves out.
fn header(message: &mut Message) -> io::Result<Header> {
    let damaged = |_| io::Error::from(io::ErrorKind::InvalidData);
    message.spool.seek(SeekFrom::Start(0))?;
    let mut front = Vec::new();
    (&message.spool).take(message.keyring_bytes.into()).read_to_end(&mut front)?;
    let bytes = Header::bytes(front.get(..PREFIX_BYTES).unwrap_or(&front)).map_err(damaged)?;
    front.resize(bytes, 0);
    Header::parse(&front).map_err(damaged)
}

impl Opened {
    /// The archive, compressed, from its first byte.
    fn content(&self) -> io::Result<Reader<&File>> {
        let key = self.unlocked.key().body_key();
        Reader::new(&self.message.spool, self.message.keyring_bytes.into(), &key, BODY_CONTEXT)
    }

    /// Unpacks into `folder`, which is made if it isn't there. Returns the names there of what was hidden.
    ///
    /// # Errors
    /// [`HideError::Exists`], [`HideError::Unpackable`], [`HideError::Io`]: nothing is left then.
    pub(super) fn unpack(&self, folder: &Path) -> Result<Vec<PathBuf>, HideError> {
        let failed = HideError::io(WRITE);
        fs::create_dir_all(folder).map_err(&failed)?;
        let beside = tempfile::Builder::new()
            .prefix(".veilcast-")
            .permissions(Permissions::from_mode(0o700))
            .tempdir_in(folder)
            .map_err(&failed)?;
        let names = self.unpack_beside(beside.path())?;
        if let Some(name) = names.iter().find(|name| folder.join(name).symlink_metadata().is_ok()) {
            return Err(HideError::Exists(folder.join(name)));
        }
        for name in &names {
            let (from, to) = (beside.path().join(name), folder.join(name));
            rustix::fs::renameat_with(CWD, from, CWD, &to, RenameFlags::NOREPLACE).map_err(
                |error| match error {
                    rustix::io::Errno::EXIST => HideError::Exists(to),
                    error => failed(error.into()),
                },
            )?;
        }
        Ok(names.into_iter().map(|name| folder.join(name)).collect())
    }

    fn unpack_beside(&self, folder: &Path) -> Result<Vec<PathBuf>, HideError> {
        let read = HideError::io(READ);
        let mut archive = zstd::Decoder::new(self.content().map_err(&read)?).map_err(&read)?;
        archive.window_log_max(WINDOW_LOG_MAX).map_err(&read)?;
        let mut archive = tar::Archive::new(archive);
        let mut names: Vec<PathBuf> = Vec::new();
        for entry in archive.entries().map_err(&read)? {
            let mut entry = entry.map_err(&read)?;
            let path = entry.path().map_err(&read)?.into_owned();
            let Some(name) = first_name(&path) else {
                return Err(HideError::Unpackable(format!("the path {}", path.display())));
            };
            if !names.contains(&name) {
                names.push(name);
            }
            write(&mut entry, &folder.join(&path), &path)?;
        }
        Ok(names)
    }
}

/// Writes one file or makes one folder.
fn write<R: Read>(entry: &mut tar::Entry<'_, R>, to: &Path, path: &Path) -> Result<(), HideError> {
    let failed = HideError::io(WRITE);
    let mode = entry.header().mode().map_err(&failed)? & 0o777;
    match entry.header().entry_type() {
        tar::EntryType::Directory => {
            fs::create_dir_all(to).map_err(&failed)?;
            fs::set_permissions(to, Permissions::from_mode(mode | 0o700)).map_err(&failed)
        }
        tar::EntryType::Regular => {
            to.parent().map_or(Ok(()), fs::create_dir_all).map_err(&failed)?;
            let mut file = File::create_new(to).map_err(&failed)?;
            io::copy(entry, &mut file).map_err(&failed)?;
            file.set_permissions(Permissions::from_mode(mode)).map_err(&failed)
        }
        kind => Err(HideError::Unpackable(format!("{} ({kind:?})", path.display()))),
    }
}

/// The first part of a path within a folder; `None` for one that leads elsewhere or nowhere.
fn first_name(path: &Path) -> Option<PathBuf> {
    let inside = path.components().all(|part| matches!(part, Component::Normal(_)));
    inside.then(|| path.components().next()).flatten().map(|part| PathBuf::from(part.as_os_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_within_the_folder_have_a_first_name() {
        assert_eq!(first_name(Path::new("a/b")), Some("a".into()));
        assert_eq!(first_name(Path::new("a/./b")), Some("a".into()));
        for path in ["", "/a", "../a", "a/../../b", "a/.."] {
            assert_eq!(first_name(Path::new(path)), None, "{path}");
        }
    }
}
