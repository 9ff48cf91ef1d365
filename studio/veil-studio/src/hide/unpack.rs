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
        extract(self.content().map_err(HideError::io(READ))?, folder)
    }
}

/// Unpacks an archive, compressed, into an empty folder. Returns the first parts of its names.
fn extract(content: impl Read, folder: &Path) -> Result<Vec<PathBuf>, HideError> {
    let read = HideError::io(READ);
    let mut archive = zstd::Decoder::new(content).map_err(&read)?;
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
    use proptest::prelude::*;

    use super::*;

    /// An entry that a forger may write: name, kind, mode, and what its content says its length is.
    type Forged = (Vec<u8>, u8, u32, Option<u64>);

    const CONTENT: &[u8] = b"content";

    const NAMES: [&str; 10] =
        ["a", "a/b", "a/b/c", "b", "..", "../escaped", "a/../../escaped", "/escaped", ".", ""];

    fn names() -> impl Strategy<Value = Vec<u8>> {
        let known = prop::sample::select(&NAMES[..]).prop_map(|name| name.as_bytes().to_vec());
        prop_oneof![4 => known, 1 => prop::collection::vec(any::<u8>(), 0..99)]
    }

    fn entries() -> impl Strategy<Value = Vec<Forged>> {
        let kinds = prop_oneof![6 => prop::sample::select(&b"05LKxg12347"[..]), 1 => any::<u8>()];
        let length = prop_oneof![4 => Just(None), 1 => any::<u64>().prop_map(Some)];
        prop::collection::vec((names(), kinds, any::<u32>(), length), 0..6)
    }

    /// An archive of these entries with right checksums; links lead out of the folder.
    fn forged(entries: &[Forged]) -> Vec<u8> {
        let mut archive = Vec::new();
        for (name, kind, mode, length) in entries {
            let mut header = tar::Header::new_gnu();
            header.set_entry_type(tar::EntryType::new(*kind));
            header.set_mode(*mode);
            header.set_size(length.unwrap_or(CONTENT.len() as u64));
            header.as_old_mut().name[..name.len()].copy_from_slice(name);
            header.as_old_mut().linkname[..2].copy_from_slice(b"..");
            header.set_cksum();
            archive.extend_from_slice(header.as_bytes());
            let mut block = [0; 512];
            block[..CONTENT.len()].copy_from_slice(CONTENT);
            archive.extend_from_slice(&block);
        }
        archive.resize(archive.len() + 1024, 0);
        archive
    }

    fn entries_of(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
        let mut names: Vec<String> =
            entries.map(|name| name.to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]

        /// What a holder of the key may forge: entries of all kinds, and then a few bytes of the whole.
        #[test]
        fn no_archive_writes_beside_its_folder_or_makes_a_link(
            entries in entries(),
            edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
            compressed_edit in prop::option::weighted(0.1, (any::<prop::sample::Index>(), any::<u8>())),
        ) {
            let outer = tempfile::tempdir().unwrap();
            let folder = outer.path().join("folder");
            fs::create_dir(&folder).unwrap();
            let mut archive = forged(&entries);
            for (at, byte) in edits {
                *at.get_mut(&mut archive) = byte;
            }
            let mut compressed = zstd::encode_all(archive.as_slice(), 1).unwrap();
            if let Some((at, byte)) = compressed_edit {
                *at.get_mut(&mut compressed) = byte;
            }
            let extracted = extract(compressed.as_slice(), &folder);
            prop_assert_eq!(entries_of(outer.path()), ["folder"]);
            let links = walk(&folder).into_iter().filter(|path| path.is_symlink()).count();
            prop_assert_eq!(links, 0);
            for name in extracted.unwrap_or_default() {
                prop_assert!(folder.join(&name).exists(), "{} was told and is not there", name.display());
            }
        }
    }

    /// All that is in a folder.
    fn walk(folder: &Path) -> Vec<PathBuf> {
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        entries
            .flat_map(|path| {
                let inner =
                    if path.is_dir() && !path.is_symlink() { walk(&path) } else { Vec::new() };
                [vec![path], inner].concat()
            })
            .collect()
    }

    #[test]
    fn only_paths_within_the_folder_have_a_first_name() {
        assert_eq!(first_name(Path::new("a/b")), Some("a".into()));
        assert_eq!(first_name(Path::new("a/./b")), Some("a".into()));
        for path in ["", "/a", "../a", "a/../../b", "a/.."] {
            assert_eq!(first_name(Path::new(path)), None, "{path}");
        }
    }
}
