//! Everything that isn't between two files: one thread reads and works, the other writes, in order.
//!
//! Invariant: of an object that is refused, an output gets authentic chunks from before the fault and nothing else.

use std::io::{self, Read, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use veil_seal::SealError;
use veil_seal::chunks::{CHUNK_BYTES, SEALED_CHUNK_BYTES, TAG_BYTES};
use veil_seal::stream::{Finished, Opener, Sealer};
use zeroize::Zeroizing;

use super::{BATCH_CHUNKS, FlowError, fill};

/// Batches under way: one is filled while the other is written.
const PIPELINE_BATCHES: usize = 2;

/// A batch on its way to the output.
struct Full {
    bytes: Zeroizing<Vec<u8>>,
    used: usize,
}

/// The producer's side of a pipeline.
pub(super) struct Lane {
    full: SyncSender<Full>,
    empty: Receiver<Zeroizing<Vec<u8>>>,
}

impl Lane {
    /// A buffer to fill; `None` when the writer has failed, which it says itself.
    fn buffer(&self) -> Option<Zeroizing<Vec<u8>>> {
        self.empty.recv().ok()
    }

    fn send(&self, bytes: Zeroizing<Vec<u8>>, used: usize) {
        // A writer that has gone says why itself.
        let _ = self.full.send(Full { bytes, used });
    }
}

/// Runs `produce` on a thread of its own and writes what it sends; `None` from it means that the writer failed first.
pub(super) fn pipeline(
    produce: impl FnOnce(&Lane) -> Result<Option<Finished>, FlowError> + Send,
    output: &mut dyn Write,
) -> Result<Finished, FlowError> {
    let (full, filled) = sync_channel::<Full>(PIPELINE_BATCHES);
    let (emptied, empty) = sync_channel(PIPELINE_BATCHES);
    for _ in 0..PIPELINE_BATCHES {
        let _ = emptied.send(Vec::new().into());
    }
    let lane = Lane { full, empty };
    thread::scope(|scope| {
        let producer = scope.spawn(move || produce(&lane));
        let written = write_all(filled, emptied, output);
        let produced = producer.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        written.map_err(FlowError::Write)?;
        produced?.ok_or_else(|| FlowError::Write(io::ErrorKind::BrokenPipe.into()))
    })
}

/// Writes until the producer has gone. Both channels close when this returns, which ends the producer.
fn write_all(
    filled: Receiver<Full>,
    emptied: SyncSender<Zeroizing<Vec<u8>>>,
    output: &mut dyn Write,
) -> io::Result<()> {
    for Full { bytes, used } in filled {
        output.write_all(&bytes[..used])?;
        let _ = emptied.send(bytes);
    }
    output.flush()
}

pub(super) fn seal_stream(
    input: &mut dyn Read,
    mut sealer: Sealer,
    lane: &Lane,
    moved: &AtomicU64,
) -> Result<Option<Finished>, FlowError> {
    loop {
        let Some(mut buffer) = lane.buffer() else { return Ok(None) };
        buffer.resize(BATCH_CHUNKS * SEALED_CHUNK_BYTES, 0);
        let (count, last_bytes) = fill_chunks(input, &mut buffer)?;
        let run_bytes = count * SEALED_CHUNK_BYTES;
        sealer.take(count)?.seal(&mut buffer[..run_bytes])?;
        moved.fetch_add((count * CHUNK_BYTES + last_bytes.unwrap_or(0)) as u64, Ordering::Relaxed);
        let Some(last_bytes) = last_bytes else {
            lane.send(buffer, run_bytes);
            continue;
        };
        let end = run_bytes + last_bytes + TAG_BYTES;
        let finished = sealer.finish(&mut buffer[run_bytes..end])?;
        lane.send(buffer, end);
        return Ok(Some(finished));
    }
}

/// Reads plaintext into the first bytes of each place for a sealed chunk. Returns how many chunks are full, and the bytes of the last one
/// when the input has ended.
fn fill_chunks(
    input: &mut dyn Read,
    buffer: &mut [u8],
) -> Result<(usize, Option<usize>), FlowError> {
    for (at, piece) in buffer.chunks_exact_mut(SEALED_CHUNK_BYTES).enumerate() {
        let bytes = fill(input, &mut piece[..CHUNK_BYTES])?;
        if bytes < CHUNK_BYTES {
            return Ok((at, Some(bytes)));
        }
    }
    Ok((BATCH_CHUNKS, None))
}

pub(super) fn open_stream(
    input: &mut dyn Read,
    opener: Opener,
    lane: &Lane,
    moved: &AtomicU64,
) -> Result<Option<Finished>, FlowError> {
    let mut sealed = vec![0; BATCH_CHUNKS * SEALED_CHUNK_BYTES];
    let mut next = 0;
    loop {
        let Some(mut plaintext) = lane.buffer() else { return Ok(None) };
        plaintext.resize(BATCH_CHUNKS * CHUNK_BYTES, 0);
        let bytes = fill(input, &mut sealed)?;
        let ended = bytes < sealed.len();
        let count = bytes / SEALED_CHUNK_BYTES;
        let (full, last) = sealed[..bytes].split_at(count * SEALED_CHUNK_BYTES);
        let (out, last_out) = plaintext.split_at_mut(count * CHUNK_BYTES);
        let opened = open_batch(&opener, next, full, out);
        let opened_bytes = opened.as_ref().map_or_else(|(bytes, _)| *bytes, |()| out.len());
        moved.fetch_add(opened_bytes as u64, Ordering::Relaxed);
        if let Err((bytes, error)) = opened {
            lane.send(plaintext, bytes);
            return Err(error.into());
        }
        next += count as u64;
        if !ended {
            lane.send(plaintext, opened_bytes);
            continue;
        }
        let last_bytes = opener.open_last(next, last, last_out);
        lane.send(plaintext, opened_bytes + *last_bytes.as_ref().unwrap_or(&0));
        moved.fetch_add(last_bytes? as u64, Ordering::Relaxed);
        let mut again = Zeroizing::new([0; CHUNK_BYTES]);
        return Ok(Some(opener.finish(next, last, &mut *again)?));
    }
}

/// Opens a batch; with an error comes how many bytes before it are authentic.
fn open_batch(
    opener: &Opener,
    first: u64,
    sealed: &[u8],
    out: &mut [u8],
) -> Result<(), (usize, SealError)> {
    let (sealed, _) = sealed.as_chunks::<SEALED_CHUNK_BYTES>();
    let mut chunks = (first..).zip(sealed.iter().zip(out.chunks_exact_mut(CHUNK_BYTES)));
    chunks.try_for_each(|(chunk, (sealed, out))| {
        let before = usize::try_from(chunk - first).unwrap_or(0) * CHUNK_BYTES;
        opener.open(chunk, sealed, out).map_err(|error| (before, error))
    })
}
