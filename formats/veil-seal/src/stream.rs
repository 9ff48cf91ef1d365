//! Sealing and opening what doesn't fit in memory: a sans-I/O core for files, pipes, sockets and threads alike.
//!
//! The caller moves the bytes; this module says which chunk is which. A [`Sealer`] hands out [`Run`]s of chunk numbers, each of
//! which seals once, wherever and in whatever order the caller likes: by moving them, no nonce can be used twice. Only
//! `finish` makes a [`Finished`], and whoever publishes an output asks for one, so a forgotten `finish` does not compile:
//!
//! ```compile_fail
//! # use veil_seal::{secret::Secret, stream::{Finished, Sealer}};
//! fn publish(output: Vec<u8>, finished: Finished) {}
//! let sealer = Sealer::new(&Secret::new([1; 32]), b"context", &[2; 24]);
//! let output = sealer.header().to_vec();
//! publish(output, sealer); // a `Sealer` is no `Finished`
//! ```
//!
//! ```
//! # use veil_seal::{secret::Secret, stream::{Finished, Sealer}};
//! fn publish(output: Vec<u8>, finished: Finished) {
//!     assert_eq!(output.len() as u64, finished.sealed_bytes());
//! }
//! let sealer = Sealer::new(&Secret::new([1; 32]), b"context", &[2; 24]);
//! let mut output = sealer.header().to_vec();
//! let mut last = b"text................".to_vec(); // four bytes, and room for the tag
//! let finished = sealer.finish(&mut last)?;
//! output.extend_from_slice(&last);
//! publish(output, finished);
//! # Ok::<(), veil_seal::SealError>(())
//! ```

use std::sync::Arc;

use zeroize::Zeroize;

use crate::SealError;
use crate::chunks::{
    CHUNK_BYTES, HEADER_BYTES, MAX_CHUNKS, ObjectCipher, SALT_BYTES, SEALED_CHUNK_BYTES, TAG_BYTES,
};
use crate::secret::Secret;

/// Seals one object, chunk by chunk.
#[must_use = "an object is whole only after `finish`"]
pub struct Sealer {
    cipher: Arc<ObjectCipher>,
    header: [u8; HEADER_BYTES],
    next: u64,
}

impl Sealer {
    /// Begins an object; `salt` must be fresh for every object sealed under one key.
    pub fn new(key: &Secret<32>, context: &[u8], salt: &[u8; SALT_BYTES]) -> Self {
        let cipher = ObjectCipher::derive(key, salt, context);
        Self { header: cipher.header(salt), cipher: Arc::new(cipher), next: 0 }
    }

    /// The object's first bytes: `salt ‖ commitment`.
    #[must_use]
    pub fn header(&self) -> [u8; HEADER_BYTES] {
        self.header
    }

    /// Takes the next `chunks` full chunks, to be sealed at any time and on any thread.
    ///
    /// # Errors
    /// [`SealError::TooLarge`] when that leaves none of [`MAX_CHUNKS`] for the last chunk.
    pub fn take(&mut self, chunks: usize) -> Result<Run, SealError> {
        let end = self.next.checked_add(chunks as u64).filter(|end| *end < MAX_CHUNKS);
        let end = end.ok_or(SealError::TooLarge)?;
        let first = std::mem::replace(&mut self.next, end);
        Ok(Run { cipher: Arc::clone(&self.cipher), first, chunks })
    }

    /// Seals the last chunk where it lies: `buffer` is less than [`CHUNK_BYTES`] of plaintext, maybe none, and [`TAG_BYTES`] of
    /// room for the tag.
    ///
    /// # Errors
    /// [`SealError::Malformed`] when `buffer` has another length.
    pub fn finish(self, buffer: &mut [u8]) -> Result<Finished, SealError> {
        check_last(buffer.len())?;
        self.cipher.seal_chunk(self.next, buffer)?;
        Ok(Finished::new(self.next, buffer.len() - TAG_BYTES))
    }
}

/// Some consecutive full chunks of an object, each of which is sealed once.
#[must_use = "a run that isn't sealed leaves a hole in the object"]
pub struct Run {
    cipher: Arc<ObjectCipher>,
    first: u64,
    chunks: usize,
}

impl Run {
    /// Number of the first chunk: it belongs at [`crate::chunks::chunk_offset`].
    #[must_use]
    pub fn first(&self) -> u64 {
        self.first
    }

    /// Seals the chunks where they lie. `buffer` is [`SEALED_CHUNK_BYTES`] for each: the plaintext, and room for its tag.
    ///
    /// # Errors
    /// [`SealError::Malformed`] when `buffer` has another length.
    pub fn seal(self, buffer: &mut [u8]) -> Result<(), SealError> {
        if buffer.len() != self.chunks * SEALED_CHUNK_BYTES {
            return Err(SealError::Malformed { what: "the buffer of a run" });
        }
        let mut chunks = (self.first..).zip(buffer.chunks_exact_mut(SEALED_CHUNK_BYTES));
        chunks.try_for_each(|(chunk, buffer)| self.cipher.seal_chunk(chunk, buffer))
    }
}

/// Opens one object, chunk by chunk, in any order and on any thread.
#[must_use = "an object is whole only after `finish`"]
pub struct Opener {
    cipher: ObjectCipher,
}

impl Opener {
    /// Begins with the object's first bytes.
    ///
    /// # Errors
    /// [`SealError::WrongKey`] when the commitment is that of another key or context.
    pub fn new(
        key: &Secret<32>,
        context: &[u8],
        header: &[u8; HEADER_BYTES],
    ) -> Result<Self, SealError> {
        Ok(Self { cipher: ObjectCipher::of_header(key, context, header)? })
    }

    /// Opens full chunks, the first of which is number `first`. `sealed` is [`SEALED_CHUNK_BYTES`] for each, `out` [`CHUNK_BYTES`].
    ///
    /// # Errors
    /// [`SealError::Tampered`] with the first chunk that fails, and `out` is zeros; [`SealError::Malformed`] when the
    /// lengths don't fit.
    pub fn open(&self, first: u64, sealed: &[u8], out: &mut [u8]) -> Result<(), SealError> {
        let (sealed, rest) = sealed.as_chunks::<SEALED_CHUNK_BYTES>();
        let (pieces, out_rest) = out.as_chunks_mut::<CHUNK_BYTES>();
        if !rest.is_empty() || !out_rest.is_empty() || sealed.len() != pieces.len() {
            return Err(SealError::Malformed { what: "the buffer of a run" });
        }
        let mut chunks = (first..).zip(sealed.iter().zip(pieces));
        let opened = chunks
            .try_for_each(|(chunk, (sealed, out))| self.cipher.open_chunk(chunk, sealed, out));
        if opened.is_err() {
            out.zeroize();
        }
        opened
    }

    /// Opens the last chunk, number `chunk`, into the first bytes of `out` and says how many. It is shorter than the others; where a full one
    /// is last, the object is truncated.
    ///
    /// # Errors
    /// [`SealError::Truncated`] when `sealed` can't be a last chunk, [`SealError::Tampered`] when it is another or was
    /// changed, and `out` is zeros.
    pub fn open_last(&self, chunk: u64, sealed: &[u8], out: &mut [u8]) -> Result<usize, SealError> {
        check_last(sealed.len()).map_err(|_| SealError::Truncated)?;
        let bytes = sealed.len() - TAG_BYTES;
        let out =
            out.get_mut(..bytes).ok_or(SealError::Malformed { what: "the buffer of a run" })?;
        let opened = self.cipher.open_chunk(chunk, sealed, out);
        if opened.is_err() {
            out.zeroize();
        }
        opened.map(|()| bytes)
    }

    /// Opens the last chunk as [`Self::open_last`] does, once every chunk before it is open.
    ///
    /// # Errors
    /// As [`Self::open_last`].
    pub fn finish(self, chunk: u64, sealed: &[u8], out: &mut [u8]) -> Result<Finished, SealError> {
        self.open_last(chunk, sealed, out).map(|bytes| Finished::new(chunk, bytes))
    }
}

fn check_last(sealed_bytes: usize) -> Result<(), SealError> {
    if (TAG_BYTES..SEALED_CHUNK_BYTES).contains(&sealed_bytes) {
        return Ok(());
    }
    Err(SealError::Malformed { what: "the buffer of a last chunk" })
}

/// The proof that an object's last chunk was sealed or opened.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "publish the output with it"]
pub struct Finished {
    full_chunks: u64,
    last_bytes: u64,
}

impl Finished {
    fn new(full_chunks: u64, last_bytes: usize) -> Self {
        Self { full_chunks, last_bytes: last_bytes as u64 }
    }

    /// Bytes of plaintext.
    #[must_use]
    pub fn plaintext_bytes(&self) -> u64 {
        self.full_chunks * CHUNK_BYTES as u64 + self.last_bytes
    }

    /// Bytes of the object, its header included.
    #[must_use]
    pub fn sealed_bytes(&self) -> u64 {
        crate::chunks::chunk_offset(self.full_chunks) + self.last_bytes + TAG_BYTES as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chunks;

    const SALT: [u8; SALT_BYTES] = [7; SALT_BYTES];

    fn key() -> Secret<32> {
        Secret::new([0x42; 32])
    }

    fn plaintext(bytes: usize) -> Vec<u8> {
        (0..bytes).map(|at| at.to_le_bytes()[0] ^ at.to_le_bytes()[1]).collect()
    }

    /// Puts the plaintext of full chunks where [`Run::seal`] wants it.
    fn spaced(full: &[[u8; CHUNK_BYTES]]) -> Vec<u8> {
        full.iter().flat_map(|chunk| chunk.iter().copied().chain([0; TAG_BYTES])).collect()
    }

    /// Seals in runs of `run` chunks, the last run first.
    fn sealed_in_runs(plaintext: &[u8], run: usize) -> Vec<u8> {
        let (full, last) = plaintext.as_chunks::<CHUNK_BYTES>();
        let mut sealer = Sealer::new(&key(), b"context", &SALT);
        let mut sealed = sealer.header().to_vec();
        let mut runs: Vec<(Run, Vec<u8>)> = Vec::new();
        for pieces in full.chunks(run) {
            runs.push((sealer.take(pieces.len()).unwrap(), spaced(pieces)));
        }
        let mut buffers = Vec::new();
        for (run, mut buffer) in runs.into_iter().rev() {
            let first = run.first();
            run.seal(&mut buffer).unwrap();
            buffers.push((first, buffer));
        }
        buffers.sort_by_key(|(first, _)| *first);
        buffers.iter().for_each(|(_, buffer)| sealed.extend_from_slice(buffer));
        let mut last = [last, &[0; TAG_BYTES]].concat();
        let finished = sealer.finish(&mut last).unwrap();
        sealed.extend_from_slice(&last);
        assert_eq!(finished.plaintext_bytes(), plaintext.len() as u64);
        assert_eq!(finished.sealed_bytes(), sealed.len() as u64);
        sealed
    }

    #[test]
    fn runs_in_any_order_give_the_object_that_is_sealed_at_once() {
        for bytes in [0, 5, CHUNK_BYTES, 7 * CHUNK_BYTES + 1, 8 * CHUNK_BYTES] {
            let plaintext = plaintext(bytes);
            let whole = chunks::seal(&key(), b"context", &SALT, &plaintext).unwrap();
            for run in [1, 3, 100] {
                assert_eq!(
                    sealed_in_runs(&plaintext, run),
                    whole,
                    "{bytes} bytes in runs of {run}"
                );
            }
        }
    }

    #[test]
    fn chunks_open_in_any_order() {
        let plaintext = plaintext(3 * CHUNK_BYTES + 9);
        let sealed = chunks::seal(&key(), b"context", &SALT, &plaintext).unwrap();
        let (header, body) = sealed.split_first_chunk().unwrap();
        let opener = Opener::new(&key(), b"context", header).unwrap();
        let mut out = vec![0; 2 * CHUNK_BYTES];
        let chunk = |at: usize| at * SEALED_CHUNK_BYTES..(at + 2) * SEALED_CHUNK_BYTES;
        opener.open(1, &body[chunk(1)], &mut out).unwrap();
        assert_eq!(out, plaintext[CHUNK_BYTES..3 * CHUNK_BYTES]);
        let wrong = opener.open(0, &body[chunk(1)], &mut out);
        assert_eq!(wrong, Err(SealError::Tampered { chunk: 0 }));
        assert!(out.iter().all(|byte| *byte == 0), "a failed run shows nothing");
        let mut last = [0; CHUNK_BYTES];
        let finished = opener.finish(3, &body[3 * SEALED_CHUNK_BYTES..], &mut last).unwrap();
        assert_eq!(finished.plaintext_bytes(), plaintext.len() as u64);
        assert_eq!(last[..9], plaintext[3 * CHUNK_BYTES..]);
    }

    #[test]
    fn a_full_chunk_is_never_the_last() {
        let sealed = chunks::seal(&key(), b"", &SALT, &[1; CHUNK_BYTES]).unwrap();
        let (header, body) = sealed.split_first_chunk().unwrap();
        let mut out = vec![0; CHUNK_BYTES];
        let opener = Opener::new(&key(), b"", header).unwrap();
        let cut = opener.open_last(0, &body[..SEALED_CHUNK_BYTES], &mut out);
        assert_eq!(cut, Err(SealError::Truncated));
        let malformed = SealError::Malformed { what: "the buffer of a last chunk" };
        let mut full = vec![0; SEALED_CHUNK_BYTES];
        for length in [0, 15, SEALED_CHUNK_BYTES] {
            let finished = Sealer::new(&key(), b"", &SALT).finish(&mut full[..length]);
            assert_eq!(finished, Err(malformed), "{length}");
        }
    }

    #[test]
    fn an_object_has_no_more_chunks_than_it_may() {
        let mut sealer = Sealer::new(&key(), b"", &SALT);
        let most = usize::try_from(MAX_CHUNKS - 1).unwrap();
        let run = sealer.take(most).unwrap();
        assert_eq!(run.first(), 0);
        assert_eq!(sealer.take(1).map(|_| ()), Err(SealError::TooLarge));
        let finished = sealer.finish(&mut [0; TAG_BYTES]).unwrap();
        assert_eq!(finished.plaintext_bytes(), (MAX_CHUNKS - 1) * CHUNK_BYTES as u64);
    }
}
