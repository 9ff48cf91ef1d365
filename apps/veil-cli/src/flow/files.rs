//! Between two files: each thread reads, works and writes batches of its own, wherever they belong.
//!
//! Invariant: an object's length is authenticated before its first byte is written.

use std::fs::File;
use std::io;
use std::num::NonZero;
use std::os::unix::fs::FileExt as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use veil_seal::SealError;
use veil_seal::chunks::{
    CHUNK_BYTES, HEADER_BYTES, SEALED_CHUNK_BYTES, TAG_BYTES, chunk_offset, plaintext_len,
};
use veil_seal::stream::{Finished, Opener, Run, Sealer};
use zeroize::Zeroizing;

use super::{BATCH_CHUNKS, FlowError};

/// The most threads: beyond, memory is what is waited for.
const MAX_THREADS: usize = 4;

/// A file, and where in it our bytes begin.
pub(super) struct Place<'a> {
    pub(super) file: &'a File,
    pub(super) offset: u64,
}

impl Place<'_> {
    fn read(&self, at: u64, out: &mut [u8]) -> Result<(), FlowError> {
        self.file.read_exact_at(out, self.offset + at).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => FlowError::Changed,
            _ => FlowError::Read(error),
        })
    }

    fn write(&self, at: u64, bytes: &[u8]) -> Result<(), FlowError> {
        self.file.write_all_at(bytes, self.offset + at).map_err(FlowError::Write)
    }

    pub(super) fn header(&self, length: u64) -> Result<[u8; HEADER_BYTES], FlowError> {
        let mut header = [0; HEADER_BYTES];
        if length < HEADER_BYTES as u64 {
            return Err(SealError::Truncated.into());
        }
        self.read(0, &mut header)?;
        Ok(header)
    }

    /// Refuses a file that goes on after `length` bytes.
    fn ends_at(&self, length: u64) -> Result<(), FlowError> {
        match self.file.read_at(&mut [0], self.offset + length) {
            Ok(0) => Ok(()),
            Ok(_) => Err(FlowError::Changed),
            Err(error) => Err(FlowError::Read(error)),
        }
    }
}

/// Work that several threads take by the batch.
struct Batches<T> {
    state: T,
    left: u64,
}

/// Lets threads take batches of chunks and work on them until none is left or one fails.
///
/// `take` is called in order, by one thread at a time; `work` on several at once.
fn share<S: Send, B: Send>(
    state: S,
    chunks: u64,
    take: impl Fn(&mut S, usize) -> Result<B, FlowError> + Sync,
    work: impl Fn(B, usize, &mut Buffers) -> Result<(), FlowError> + Sync,
) -> Result<S, FlowError> {
    let batches = Mutex::new(Batches { state, left: chunks });
    let next = || {
        let mut batches = batches.lock().unwrap_or_else(PoisonError::into_inner);
        let count = usize::try_from(batches.left).unwrap_or(usize::MAX).min(BATCH_CHUNKS);
        batches.left -= count as u64;
        (count > 0).then(|| take(&mut batches.state, count).map(|batch| (batch, count)))
    };
    let worker = || -> Result<(), FlowError> {
        let mut buffers = Buffers::new();
        while let Some(batch) = next() {
            let done = batch.and_then(|(batch, count)| work(batch, count, &mut buffers));
            if done.is_err() {
                batches.lock().unwrap_or_else(PoisonError::into_inner).left = 0;
                return done;
            }
        }
        Ok(())
    };
    let threads = threads_for(chunks);
    thread::scope(|scope| {
        let helpers: Vec<_> = (1..threads).map(|_| scope.spawn(worker)).collect();
        let mine = worker();
        let theirs = helpers
            .into_iter()
            .map(|helper| helper.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        theirs.fold(mine, Result::and)
    })?;
    Ok(batches.into_inner().unwrap_or_else(PoisonError::into_inner).state)
}

fn threads_for(chunks: u64) -> usize {
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let batches = usize::try_from(chunks.div_ceil(BATCH_CHUNKS as u64)).unwrap_or(usize::MAX);
    cores.min(MAX_THREADS).min(batches).max(1)
}

/// What one thread works in.
struct Buffers {
    sealed: Vec<u8>,
    plaintext: Zeroizing<Vec<u8>>,
}

impl Buffers {
    fn new() -> Self {
        Self { sealed: Vec::new(), plaintext: Vec::new().into() }
    }

    /// Room for so many full chunks.
    fn for_chunks(&mut self, chunks: usize) -> (&mut [u8], &mut [u8]) {
        self.sealed.resize(chunks * SEALED_CHUNK_BYTES, 0);
        self.plaintext.resize(chunks * CHUNK_BYTES, 0);
        (&mut self.sealed, &mut self.plaintext)
    }
}

pub(super) fn seal_file(
    from: &Place<'_>,
    length: u64,
    to: &Place<'_>,
    sealer: Sealer,
    moved: &AtomicU64,
) -> Result<Finished, FlowError> {
    to.write(0, &sealer.header())?;
    let full = length / CHUNK_BYTES as u64;
    let take = |sealer: &mut Sealer, count| Ok(sealer.take(count)?);
    let work = |run: Run, count: usize, buffers: &mut Buffers| {
        let first = run.first();
        let buffer = &mut buffers.sealed;
        buffer.resize(count * SEALED_CHUNK_BYTES, 0);
        for (chunk, piece) in (first..).zip(buffer.chunks_exact_mut(SEALED_CHUNK_BYTES)) {
            from.read(chunk * CHUNK_BYTES as u64, &mut piece[..CHUNK_BYTES])?;
        }
        run.seal(buffer)?;
        to.write(chunk_offset(first), buffer)?;
        moved.fetch_add((count * CHUNK_BYTES) as u64, Ordering::Relaxed);
        Ok(())
    };
    let sealer = share(sealer, full, take, work)?;
    let mut last = [0; SEALED_CHUNK_BYTES];
    let last_bytes = usize::try_from(length % CHUNK_BYTES as u64).unwrap_or(0);
    from.read(full * CHUNK_BYTES as u64, &mut last[..last_bytes])?;
    from.ends_at(length)?;
    let finished = sealer.finish(&mut last[..last_bytes + TAG_BYTES])?;
    to.write(chunk_offset(full), &last[..last_bytes + TAG_BYTES])?;
    moved.fetch_add(last_bytes as u64, Ordering::Relaxed);
    Ok(finished)
}

pub(super) fn open_file(
    from: &Place<'_>,
    length: u64,
    to: &Place<'_>,
    opener: Opener,
    moved: &AtomicU64,
) -> Result<Finished, FlowError> {
    let plaintext_bytes = plaintext_len(length).ok_or(SealError::Truncated)?;
    let full = plaintext_bytes / CHUNK_BYTES as u64;
    let mut sealed_last = vec![0; usize::try_from(length - chunk_offset(full)).unwrap_or(0)];
    let mut last = Zeroizing::new([0; CHUNK_BYTES]);
    from.read(chunk_offset(full), &mut sealed_last)?;
    let last_bytes = opener.open_last(full, &sealed_last, &mut *last)?;
    let take = |next: &mut u64, count: usize| {
        let first = *next;
        *next += count as u64;
        Ok(first)
    };
    let work = |first: u64, count: usize, buffers: &mut Buffers| {
        let (sealed, plaintext) = buffers.for_chunks(count);
        from.read(chunk_offset(first), sealed)?;
        opener.open(first, sealed, plaintext)?;
        to.write(first * CHUNK_BYTES as u64, plaintext)?;
        moved.fetch_add(plaintext.len() as u64, Ordering::Relaxed);
        Ok(())
    };
    share(0, full, take, work)?;
    from.ends_at(length)?;
    to.write(full * CHUNK_BYTES as u64, &last[..last_bytes])?;
    moved.fetch_add(last_bytes as u64, Ordering::Relaxed);
    Ok(opener.finish(full, &sealed_last, &mut *last)?)
}
