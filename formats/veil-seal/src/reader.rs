//! Random access to a sealed object: `Read` and `Seek` over a source that has both.
//!
//! Invariant: every byte that is read was authenticated, and so was the object's length, by opening its last chunk first. Memory is one
//! window of chunks, whatever the length.

use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;

use zeroize::Zeroizing;

use crate::SealError;
use crate::chunks::{
    CHUNK_BYTES, HEADER_BYTES, SEALED_CHUNK_BYTES, chunk_offset, plaintext_len, sealed_range,
};
use crate::secret::Secret;
use crate::stream::Opener;

/// Chunks that are fetched and opened at a time, at most: 64 KiB of plaintext, so that little memory is touched for the first time.
pub const WINDOW_CHUNKS: usize = 4;

/// Reads the plaintext of a sealed object at any place.
pub struct Reader<R> {
    source: R,
    opener: Opener,
    /// Where the object begins in the source.
    start: u64,
    length: u64,
    position: u64,
    window: Window,
}

/// Plaintext that is open at the moment.
struct Window {
    sealed: Vec<u8>,
    plaintext: Zeroizing<Vec<u8>>,
    range: Range<u64>,
}

impl<R: Read + Seek> Reader<R> {
    /// Reads the object that `source` holds from `start` to its end.
    ///
    /// # Errors
    /// What the source says; [`io::ErrorKind::InvalidData`] with a [`SealError`] inside when the key is another's, or the object is
    /// truncated or was changed.
    pub fn new(mut source: R, start: u64, key: &Secret<32>, context: &[u8]) -> io::Result<Self> {
        let end = source.seek(SeekFrom::End(0))?;
        let sealed = end.checked_sub(start).ok_or(SealError::Truncated)?;
        let length = plaintext_len(sealed).ok_or(SealError::Truncated)?;
        let mut header = [0; HEADER_BYTES];
        source.seek(SeekFrom::Start(start))?;
        source.read_exact(&mut header)?;
        let opener = Opener::new(key, context, &header)?;
        let window = Window { sealed: Vec::new(), plaintext: Vec::new().into(), range: 0..0 };
        let mut reader = Self { source, opener, start, length, position: 0, window };
        let last = length / CHUNK_BYTES as u64 * CHUNK_BYTES as u64;
        reader.fetch(last..length)?;
        Ok(reader)
    }

    /// Bytes of plaintext.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Fetches the chunks of a range that begins and ends at chunks or at the object's end.
    fn fetch(&mut self, range: Range<u64>) -> io::Result<()> {
        let whole = self.length / CHUNK_BYTES as u64;
        let first = range.start / CHUNK_BYTES as u64;
        let full_end = (range.end / CHUNK_BYTES as u64).min(whole);
        let with_last = range.end == self.length;
        let sealed = sealed_range(range.start..full_end * CHUNK_BYTES as u64);
        let last_bytes = self.length - whole * CHUNK_BYTES as u64;
        let tail = if with_last { last_bytes + 16 } else { 0 };
        let window = &mut self.window;
        window.range = 0..0;
        let fits = |bytes: u64| usize::try_from(bytes).map_err(|_| SealError::TooLarge);
        window.sealed.resize(fits(sealed.end - sealed.start + tail)?, 0);
        window.plaintext.resize(fits(range.end - range.start)?, 0);
        self.source.seek(SeekFrom::Start(self.start + chunk_offset(first)))?;
        self.source.read_exact(&mut window.sealed)?;
        let full = fits(full_end - first)?;
        let (sealed, sealed_last) = window.sealed.split_at(full * SEALED_CHUNK_BYTES);
        let (plaintext, plaintext_last) = window.plaintext.split_at_mut(full * CHUNK_BYTES);
        self.opener.open(first, sealed, plaintext)?;
        if with_last {
            self.opener.open_last(whole, sealed_last, plaintext_last)?;
        }
        window.range = range;
        Ok(())
    }

    /// The chunks to fetch for a read of `wanted` bytes at the position.
    fn window_for(&self, wanted: usize) -> Range<u64> {
        let chunk = CHUNK_BYTES as u64;
        let wanted = (wanted as u64).clamp(1, (WINDOW_CHUNKS as u64 - 1) * chunk);
        let start = self.position / chunk * chunk;
        let end = (self.position + wanted).div_ceil(chunk) * chunk;
        start..end.min(self.length)
    }
}

impl<R: Read + Seek> Reader<R> {
    /// Reads at most `wanted` bytes without copying them; none at the end.
    ///
    /// # Errors
    /// As [`Read::read`]: what the source says, or [`io::ErrorKind::InvalidData`] with a [`SealError`] inside.
    pub fn read_slice(&mut self, wanted: usize) -> io::Result<&[u8]> {
        if self.position >= self.length || wanted == 0 {
            return Ok(&[]);
        }
        if !self.window.range.contains(&self.position) {
            self.fetch(self.window_for(wanted))?;
        }
        let at = usize::try_from(self.position - self.window.range.start).unwrap_or(usize::MAX);
        let ready = self.window.plaintext.get(at..).unwrap_or_default();
        let ready = &ready[..ready.len().min(wanted)];
        self.position += ready.len() as u64;
        Ok(ready)
    }
}

impl<R: Read + Seek> Read for Reader<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let ready = self.read_slice(out.len())?;
        out[..ready.len()].copy_from_slice(ready);
        Ok(ready.len())
    }
}

impl<R: Read + Seek> Seek for Reader<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let place = match to {
            SeekFrom::Start(place) => Some(place),
            SeekFrom::End(by) => self.length.checked_add_signed(by),
            SeekFrom::Current(by) => self.position.checked_add_signed(by),
        };
        let before = || io::Error::new(io::ErrorKind::InvalidInput, "a seek to before the start");
        self.position = place.ok_or_else(before)?;
        Ok(self.position)
    }
}

impl From<SealError> for io::Error {
    fn from(error: SealError) -> Self {
        Self::new(io::ErrorKind::InvalidData, error)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use proptest::prelude::*;

    use super::*;
    use crate::chunks;

    fn key() -> Secret<32> {
        Secret::new([0x42; 32])
    }

    fn plaintext(bytes: usize) -> Vec<u8> {
        (0..bytes).map(|at| at.to_le_bytes()[0] ^ at.to_le_bytes()[1]).collect()
    }

    fn sealed(bytes: usize) -> Vec<u8> {
        let object = chunks::seal(&key(), b"context", &[7; 24], &plaintext(bytes)).unwrap();
        [b"before".as_slice(), &object].concat()
    }

    fn reader(sealed: Vec<u8>) -> io::Result<Reader<Cursor<Vec<u8>>>> {
        Reader::new(Cursor::new(sealed), 6, &key(), b"context")
    }

    fn seal_error(error: io::Error) -> Option<SealError> {
        error.into_inner().and_then(|inner| inner.downcast_ref::<SealError>().copied())
    }

    #[test]
    fn any_length_reads_from_start_to_end() {
        for bytes in [0, 1, 16_383, 16_384, 16_385, 70 * CHUNK_BYTES, 130 * CHUNK_BYTES + 3] {
            let mut reader = reader(sealed(bytes)).unwrap();
            assert_eq!(reader.length(), bytes as u64);
            let mut out = Vec::new();
            reader.read_to_end(&mut out).unwrap();
            assert_eq!(out, plaintext(bytes), "{bytes} bytes");
        }
    }

    #[test]
    fn seeking_follows_the_rules_of_std() {
        let mut reader = reader(sealed(100)).unwrap();
        assert_eq!(reader.seek(SeekFrom::End(-10)).unwrap(), 90);
        assert_eq!(reader.seek(SeekFrom::Current(-90)).unwrap(), 0);
        let before = reader.seek(SeekFrom::Current(-1)).unwrap_err();
        assert_eq!(before.kind(), io::ErrorKind::InvalidInput);
        assert_eq!(reader.seek(SeekFrom::Start(1000)).unwrap(), 1000);
        assert_eq!(reader.read(&mut [0; 10]).unwrap(), 0);
    }

    #[test]
    fn a_length_that_was_changed_is_refused_before_the_first_byte() {
        let whole = sealed(3 * CHUNK_BYTES);
        for cut in [1, 16, SEALED_CHUNK_BYTES + 16, whole.len() - 6 - HEADER_BYTES] {
            let error = reader(whole[..whole.len() - cut].to_vec()).map(|_| ()).unwrap_err();
            let error = seal_error(error);
            assert!(
                matches!(error, Some(SealError::Truncated | SealError::Tampered { .. })),
                "cut {cut}: {error:?}"
            );
        }
    }

    #[test]
    fn a_changed_chunk_fails_where_it_is_and_nowhere_else() {
        let mut changed = sealed(10 * CHUNK_BYTES);
        changed[6 + HEADER_BYTES + 4 * SEALED_CHUNK_BYTES + 100] ^= 1;
        let mut reader = reader(changed).unwrap();
        let mut out = vec![0; CHUNK_BYTES];
        reader.read_exact(&mut out).unwrap();
        reader.seek(SeekFrom::Start(4 * CHUNK_BYTES as u64 + 50)).unwrap();
        let error = reader.read(&mut out).unwrap_err();
        assert_eq!(seal_error(error), Some(SealError::Tampered { chunk: 4 }));
        reader.seek(SeekFrom::Start(5 * CHUNK_BYTES as u64)).unwrap();
        reader.read_exact(&mut out).unwrap();
        assert_eq!(out, plaintext(6 * CHUNK_BYTES)[5 * CHUNK_BYTES..]);
    }

    proptest! {
        #[test]
        fn any_range_reads_what_was_sealed(
            bytes in 1_usize..200_000,
            ranges in proptest::collection::vec((0.0..1.0_f64, 1_usize..50_000), 1..6),
        ) {
            let whole = plaintext(bytes);
            let mut reader = reader(sealed(bytes)).unwrap();
            for (part, length) in ranges {
                #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place inside a small buffer")]
                let start = (part * bytes as f64) as usize;
                let end = (start + length).min(bytes);
                let mut out = vec![0; end - start];
                reader.seek(SeekFrom::Start(start as u64)).unwrap();
                reader.read_exact(&mut out).unwrap();
                prop_assert_eq!(&out, &whole[start..end]);
            }
        }
    }
}
