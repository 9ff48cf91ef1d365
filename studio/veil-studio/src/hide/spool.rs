//! Bytes that come without a length, such as those of a pipe, kept until they are packed.
//!
//! An archive says how long a file is before it, so all of it has to be there first. Owns: where they wait. Refuses to know: archives.
//! Invariant: memory is a few chunks, whatever their number; what waits lies sealed, under a key that is nowhere but in memory, in an
//! unnamed file that is gone with its handle.

use std::fs::File;
use std::io::{self, BufWriter, Read, Write as _};
use std::path::PathBuf;

use rand_core::CryptoRng;
use veil_seal::chunks::SALT_BYTES;
use veil_seal::file::{BODY_CONTEXT, FileKey};
use veil_seal::reader::Reader;
use veil_seal::stream::Sealer;

use super::HideError;
use super::payload::{SPOOL, Sealing};

/// The longest payload from standard input: more than any video carries; whoever feeds an endless pipe fills no disk.
pub const STDIN_BYTES_MAX: u64 = 4 << 30;

/// Bytes that are read at once.
const READ_BYTES: usize = 64 << 10;

/// Bytes that wait to be packed.
pub struct Spooled {
    file: File,
    key: FileKey,
    bytes: u64,
}

impl Spooled {
    /// Keeps all that `from` gives; `what` names it in errors.
    ///
    /// # Errors
    /// [`HideError::StdinTooLong`] for more than `most` bytes, [`HideError::Payload`], [`HideError::Io`].
    pub fn new(
        from: impl Read,
        what: &str,
        most: u64,
        rng: &mut impl CryptoRng,
    ) -> Result<Self, HideError> {
        let spooled = HideError::io(SPOOL);
        let key = FileKey::random(rng);
        let mut salt = [0; SALT_BYTES];
        rng.fill_bytes(&mut salt);
        let mut file = tempfile::tempfile().map_err(&spooled)?;
        let mut out = BufWriter::new(&mut file);
        let sealer = Sealer::new(&key.body_key(), BODY_CONTEXT, &salt);
        out.write_all(&sealer.header()).map_err(&spooled)?;
        let mut sealing = Sealing::new(sealer, out);
        let unreadable = |source| HideError::Payload { path: PathBuf::from(what), source };
        let mut from = from.take(most.saturating_add(1));
        let (mut buffer, mut bytes) = (zeroize::Zeroizing::new(vec![0; READ_BYTES]), 0);
        loop {
            let read = match from.read(&mut buffer) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(unreadable(error)),
            };
            bytes += read as u64;
            if bytes > most {
                return Err(HideError::StdinTooLong(most));
            }
            sealing.write_all(&buffer[..read]).map_err(&spooled)?;
        }
        sealing.finish().and_then(|mut out| out.flush()).map_err(&spooled)?;
        Ok(Self { file, key, bytes })
    }

    /// How many they are.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// All of them, from the first.
    pub(super) fn content(&self) -> io::Result<Reader<&File>> {
        Reader::new(&self.file, 0, &self.key.body_key(), BODY_CONTEXT)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Seek as _, SeekFrom};

    use getrandom::SysRng;
    use rand_core::UnwrapErr;

    use super::*;

    fn spooled(content: &[u8], most: u64) -> Result<Spooled, HideError> {
        Spooled::new(content, "standard input", most, &mut UnwrapErr(SysRng))
    }

    #[test]
    fn what_waits_comes_back_and_lies_sealed() {
        for bytes in [0, 1, 16_384, 200_000] {
            let content = vec![b'a'; bytes];
            let mut kept = spooled(&content, 200_000).unwrap();
            assert_eq!(kept.bytes(), bytes as u64);
            let mut found = Vec::new();
            kept.content().unwrap().read_to_end(&mut found).unwrap();
            assert!(found == content);
            let mut lies = Vec::new();
            kept.file.seek(SeekFrom::Start(0)).unwrap();
            kept.file.read_to_end(&mut lies).unwrap();
            assert!(!lies.windows(16).any(|window| window == [b'a'; 16]), "{bytes}");
        }
    }

    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::ErrorKind::ConnectionReset.into())
        }
    }

    #[test]
    fn more_than_may_be_kept_and_what_breaks_off_is_refused() {
        assert!(matches!(spooled(&[0; 101], 100), Err(HideError::StdinTooLong(100))));
        let broken = Spooled::new(Broken, "standard input", 100, &mut UnwrapErr(SysRng));
        let said = broken.err().unwrap().to_string();
        assert!(said.starts_with("cannot read standard input: "), "{said}");
    }
}
