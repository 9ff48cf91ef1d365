//! Files and folders as one sealed message: tar, zstd, and a sealed file.
//!
//! Owns: names in the archive, and the message's bytes in an unnamed file, sealed as they are written. Refuses to know: frames. Invariant:
//! what lies in that file is sealed, and the file is gone with its handle.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Seek as _, SeekFrom, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use rand_core::CryptoRng;
use veil_seal::chunks::{CHUNK_BYTES, SALT_BYTES, TAG_BYTES};
use veil_seal::file::{BODY_CONTEXT, FileKey, new_header};
use veil_seal::hidden::COST;
use veil_seal::stream::Sealer;
use zeroize::Zeroizing;

use super::spool::Spooled;
use super::{HideError, HideKeys};

/// Levels above cost much time, and what is hidden is seldom compressible.
const ZSTD_LEVEL: i32 = 3;

/// What is said of an unnamed file.
pub(super) const SPOOL: &str = "cannot keep the sealed payload in the folder for temporary files";

/// Something to hide.
pub enum PayloadSource {
    /// A file, or a folder with all that is in it.
    Path(PathBuf),
    /// Bytes that came without a length, under a name.
    Spooled {
        /// The name.
        name: String,
        /// The bytes.
        content: Spooled,
    },
}

/// A message behind its head: keyring and sealed archive.
pub(super) struct Message {
    /// Where it lies.
    pub(super) spool: File,
    /// Bytes of its keyring.
    pub(super) keyring_bytes: u32,
    /// Bytes of it.
    pub(super) bytes: u64,
}

/// Packs and seals `sources` into at most `most` bytes.
///
/// # Errors
/// `None` when that is too few; [`HideError`] for what can't be read or kept.
pub(super) fn pack(
    sources: &[PayloadSource],
    keys: &HideKeys,
    most: u64,
    rng: &mut impl CryptoRng,
) -> Result<Option<Message>, HideError> {
    let key = FileKey::random(rng);
    let passphrase = keys.passphrase.as_ref().map(|passphrase| (passphrase, COST));
    let front = new_header(&key, &keys.recipients, passphrase, rng)?;
    let keyring = used(&front);
    let mut salt = [0; SALT_BYTES];
    rng.fill_bytes(&mut salt);
    let mut spool = tempfile::tempfile().map_err(HideError::io(SPOOL))?;
    let mut limited =
        Limited { out: BufWriter::new(&mut spool), left: most, full: false, broken: None };
    let packed =
        archive(sources, keyring, Sealer::new(&key.body_key(), BODY_CONTEXT, &salt), &mut limited);
    if limited.full {
        return Ok(None);
    }
    // Whoever writes an archive can't tell whether it was the file that couldn't be read or the spool that couldn't be written.
    if let Some(error) = limited.broken.take() {
        return Err(HideError::io(SPOOL)(error));
    }
    packed?;
    let bytes = most - limited.left;
    drop(limited);
    spool.seek(SeekFrom::Start(0)).map_err(HideError::io(SPOOL))?;
    let keyring_bytes = u32::try_from(keyring.len()).unwrap_or(u32::MAX);
    Ok(Some(Message { spool, keyring_bytes, bytes }))
}

/// The bytes of a new keyring up to its last that isn't zero: what comes behind, an empty half included, is put there again by who reads.
fn used(front: &[u8]) -> &[u8] {
    let half = &front[..front.len() / 2];
    let end = half.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    &half[..end]
}

fn archive(
    sources: &[PayloadSource],
    keyring: &[u8],
    sealer: Sealer,
    out: &mut Limited<BufWriter<&mut File>>,
) -> Result<(), HideError> {
    let spooled = HideError::io(SPOOL);
    out.write_all(keyring).and_then(|()| out.write_all(&sealer.header())).map_err(&spooled)?;
    let sealing = Sealing::new(sealer, out);
    let mut tar = tar::Builder::new(zstd::Encoder::new(sealing, ZSTD_LEVEL).map_err(&spooled)?);
    let mut names: Vec<OsString> = Vec::new();
    for source in sources {
        let name = source.name()?;
        if names.contains(&name) {
            return Err(HideError::SameName(name.to_string_lossy().into_owned()));
        }
        match source {
            PayloadSource::Path(path) => add(&mut tar, path, Path::new(&name))?,
            PayloadSource::Spooled { content, .. } => {
                let bytes = content.content().map_err(&spooled)?;
                append(&mut tar, Path::new(&name), (0o600, content.bytes()), bytes)
                    .map_err(&spooled)?;
            }
        }
        names.push(name);
    }
    let sealing = tar.into_inner().and_then(zstd::Encoder::finish).map_err(&spooled)?;
    sealing.finish().and_then(Write::flush).map_err(&spooled)
}

impl PayloadSource {
    fn name(&self) -> Result<OsString, HideError> {
        match self {
            Self::Spooled { name, .. } => Ok(name.into()),
            Self::Path(path) => {
                let name = path.file_name().map(OsString::from);
                name.ok_or_else(|| HideError::NoName(path.clone()))
            }
        }
    }
}

/// Adds a file, or a folder with all that is in it, in the order of names. What `path` names may be a link; in a folder a link is none of both.
fn add<W: Write>(tar: &mut tar::Builder<W>, path: &Path, name: &Path) -> Result<(), HideError> {
    let unreadable = |path: &Path| {
        let path = path.to_owned();
        move |source| HideError::Payload { path, source }
    };
    let metadata = fs::metadata(path).map_err(unreadable(path))?;
    let mut left = vec![(path.to_owned(), name.to_owned(), metadata)];
    while let Some((path, name, metadata)) = left.pop() {
        let mode = metadata.permissions().mode() & 0o777;
        if metadata.is_file() {
            let file = File::open(&path).map_err(unreadable(&path))?;
            let length = metadata.len();
            append(tar, &name, (mode, length), file).map_err(unreadable(&path))?;
        } else if metadata.is_dir() {
            let mut header = header(tar::EntryType::Directory, mode, 0);
            tar.append_data(&mut header, &name, io::empty()).map_err(unreadable(&path))?;
            let entries = fs::read_dir(&path).and_then(Iterator::collect::<io::Result<Vec<_>>>);
            let mut entries = entries.map_err(unreadable(&path))?;
            entries.sort_by_key(|entry| std::cmp::Reverse(entry.file_name()));
            for entry in entries {
                let metadata = entry.metadata().map_err(unreadable(&entry.path()))?;
                left.push((entry.path(), name.join(entry.file_name()), metadata));
            }
        } else {
            return Err(HideError::Kind(path));
        }
    }
    Ok(())
}

fn header(kind: tar::EntryType, mode: u32, length: u64) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_size(length);
    header
}

fn append<W: Write>(
    tar: &mut tar::Builder<W>,
    name: &Path,
    (mode, length): (u32, u64),
    content: impl Read,
) -> io::Result<()> {
    let mut header = header(tar::EntryType::Regular, mode, length);
    tar.append_data(&mut header, name, Exactly { content, left: length })
}

/// Content that has the length that was said, or is an error: a file may change while it is read.
struct Exactly<R> {
    content: R,
    left: u64,
}

impl<R: Read> Read for Exactly<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let read = self.content.read(&mut buffer[..most])?;
        if read == 0 && most > 0 {
            return Err(io::Error::other("it became shorter while it was read"));
        }
        self.left -= read as u64;
        Ok(read)
    }
}

/// A writer that takes no more than it may.
struct Limited<W> {
    out: W,
    left: u64,
    full: bool,
    /// Why `out` took nothing more.
    broken: Option<io::Error>,
}

impl<W: Write> Write for Limited<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.len() as u64 > self.left {
            self.full = true;
            return Err(io::ErrorKind::StorageFull.into());
        }
        match self.out.write(bytes) {
            Ok(written) => {
                self.left -= written as u64;
                Ok(written)
            }
            Err(error) => {
                let told = error.raw_os_error().map(io::Error::from_raw_os_error);
                self.broken = told.or(Some(error.kind().into()));
                Err(error)
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// A writer that seals chunk by chunk.
pub(super) struct Sealing<W> {
    sealer: Sealer,
    chunk: Zeroizing<Vec<u8>>,
    out: W,
}

impl<W: Write> Sealing<W> {
    pub(super) fn new(sealer: Sealer, out: W) -> Self {
        let chunk = Zeroizing::new(Vec::with_capacity(CHUNK_BYTES + TAG_BYTES));
        Self { sealer, chunk, out }
    }

    /// Seals the last chunk; returns what is written to.
    pub(super) fn finish(mut self) -> io::Result<W> {
        let bytes = self.chunk.len();
        self.chunk.resize(bytes + TAG_BYTES, 0);
        let _ = self.sealer.finish(&mut self.chunk).map_err(io::Error::other)?;
        self.out.write_all(&self.chunk)?;
        Ok(self.out)
    }
}

impl<W: Write> Write for Sealing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(CHUNK_BYTES - self.chunk.len());
        self.chunk.extend_from_slice(&bytes[..taken]);
        if self.chunk.len() == CHUNK_BYTES {
            self.chunk.resize(CHUNK_BYTES + TAG_BYTES, 0);
            let run = self.sealer.take(1).map_err(io::Error::other)?;
            run.seal(&mut self.chunk).map_err(io::Error::other)?;
            let written = self.out.write_all(&self.chunk);
            // Also where it failed: an archive that is dropped writes its end all the same.
            self.chunk.clear();
            written?;
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
