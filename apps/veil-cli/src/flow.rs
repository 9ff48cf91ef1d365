//! Moves bytes through a sealer or an opener: from a file or a stream to a file or a stream, on two threads or more.
//!
//! Between two files each thread reads, seals and writes batches of its own, wherever they belong. Everything else is a pipeline of two:
//! one reads and seals or opens, the other writes, in order. Memory is a few batches, whatever the length. Invariants: nothing is
//! written that wasn't authenticated; between files the length is authenticated first.

use std::fs::File;
use std::io::{self, Read, Write};
use std::num::NonZero;
use std::os::unix::fs::FileExt as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread;

use veil_seal::SealError;
use veil_seal::chunks::{
    CHUNK_BYTES, HEADER_BYTES, SEALED_CHUNK_BYTES, TAG_BYTES, chunk_offset, plaintext_len,
};
use veil_seal::secret::Secret;
use veil_seal::stream::{Finished, Opener, Run, Sealer};
use zeroize::Zeroizing;

/// Chunks in a batch: 1 MiB, so that a system call costs little and four threads stay below 16 MiB.
const BATCH_CHUNKS: usize = 64;

/// The most threads: beyond, memory is what is waited for.
const MAX_THREADS: usize = 4;

/// Batches of a pipeline: one is filled while the other is written.
const PIPELINE_BATCHES: usize = 2;

/// Where bytes come from.
pub(crate) enum Input {
    /// A regular file.
    File {
        /// The file.
        file: File,
        /// Where the bytes begin.
        offset: u64,
        /// How many there are.
        length: u64,
    },
    /// Anything else, to its end.
    Stream(Box<dyn Read + Send>),
}

/// Where bytes go.
pub(crate) enum Output {
    /// A regular file, opened for writing.
    File {
        /// The file.
        file: File,
        /// Where the bytes begin.
        offset: u64,
    },
    /// Anything else.
    Stream(Box<dyn Write + Send>),
}

/// Why bytes did not get through.
#[derive(Debug)]
pub(crate) enum FlowError {
    /// The input failed.
    Read(io::Error),
    /// The output failed.
    Write(io::Error),
    /// The input became shorter or longer meanwhile.
    Changed,
    /// The bytes were refused.
    Seal(SealError),
}

impl From<SealError> for FlowError {
    fn from(error: SealError) -> Self {
        Self::Seal(error)
    }
}

/// Seals all of `input` into `output`, the object's header first. `moved` counts bytes of plaintext.
///
/// # Errors
/// [`FlowError`]; what the output holds then is no object.
pub(crate) fn seal(
    input: Input,
    output: Output,
    sealer: Sealer,
    moved: &AtomicU64,
) -> Result<Finished, FlowError> {
    match (input, output) {
        (Input::File { file, offset, length }, Output::File { file: out, offset: to }) => {
            let from = Place { file: &file, offset };
            seal_file(&from, length, &Place { file: &out, offset: to }, sealer, moved)
        }
        (input, output) => {
            let (mut input, mut output) = (input.into_stream()?, output.into_stream()?);
            output.write_all(&sealer.header()).map_err(FlowError::Write)?;
            pipeline(|lane| seal_stream(&mut input, sealer, lane, moved), &mut output)
        }
    }
}

/// Opens the object that is all of `input` into `output`. `moved` counts bytes of plaintext.
///
/// # Errors
/// [`FlowError`]; a stream has then got the chunks that were authentic and came before the fault.
pub(crate) fn open(
    input: Input,
    output: Output,
    key: &Secret<32>,
    context: &[u8],
    moved: &AtomicU64,
) -> Result<Finished, FlowError> {
    match (input, output) {
        (Input::File { file, offset, length }, Output::File { file: out, offset: to }) => {
            let from = Place { file: &file, offset };
            let header = from.header(length)?;
            let opener = Opener::new(key, context, &header)?;
            open_file(&from, length, &Place { file: &out, offset: to }, opener, moved)
        }
        (input, output) => {
            let (mut input, mut output) = (input.into_stream()?, output.into_stream()?);
            let mut header = [0; HEADER_BYTES];
            if fill(&mut input, &mut header)? < HEADER_BYTES {
                return Err(SealError::Truncated.into());
            }
            let opener = Opener::new(key, context, &header)?;
            pipeline(|lane| open_stream(&mut input, opener, lane, moved), &mut output)
        }
    }
}

impl Input {
    fn into_stream(self) -> Result<Box<dyn Read + Send>, FlowError> {
        match self {
            Self::Stream(stream) => Ok(stream),
            Self::File { mut file, offset, .. } => {
                io::Seek::seek(&mut file, io::SeekFrom::Start(offset)).map_err(FlowError::Read)?;
                Ok(Box::new(file))
            }
        }
    }
}

impl Output {
    fn into_stream(self) -> Result<Box<dyn Write + Send>, FlowError> {
        match self {
            Self::Stream(stream) => Ok(stream),
            Self::File { mut file, offset } => {
                io::Seek::seek(&mut file, io::SeekFrom::Start(offset)).map_err(FlowError::Write)?;
                Ok(Box::new(file))
            }
        }
    }
}

/// A file, and where in it our bytes begin.
struct Place<'a> {
    file: &'a File,
    offset: u64,
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

    fn header(&self, length: u64) -> Result<[u8; HEADER_BYTES], FlowError> {
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

fn seal_file(
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

fn open_file(
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

/// A batch on its way to the output.
struct Full {
    bytes: Zeroizing<Vec<u8>>,
    used: usize,
}

/// The producer's side of a pipeline.
struct Lane {
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
fn pipeline(
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

fn seal_stream(
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

fn open_stream(
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

/// Reads until `out` is full or the input ends; returns how many bytes.
fn fill(input: &mut dyn Read, out: &mut [u8]) -> Result<usize, FlowError> {
    let mut filled = 0;
    while filled < out.len() {
        match input.read(&mut out[filled..]) {
            Ok(0) => break,
            Ok(bytes) => filled += bytes,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(FlowError::Read(error)),
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use veil_seal::chunks;

    use super::*;

    const CONTEXT: &[u8] = b"context";
    const SALT: [u8; 24] = [7; 24];
    /// What lies before the bytes in every file here.
    const BEFORE: u64 = 5;

    fn key() -> Secret<32> {
        Secret::new([0x42; 32])
    }

    fn plaintext(bytes: usize) -> Vec<u8> {
        (0..bytes).map(|at| at.to_le_bytes()[0] ^ at.to_le_bytes()[1]).collect()
    }

    fn sealed(bytes: usize) -> Vec<u8> {
        chunks::seal(&key(), CONTEXT, &SALT, &plaintext(bytes)).unwrap()
    }

    /// A stream that gives a few bytes at a time, as pipes do.
    struct Dribble(io::Cursor<Vec<u8>>);

    impl Read for Dribble {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            let bytes = out.len().min(60_000);
            self.0.read(&mut out[..bytes])
        }
    }

    /// A stream whose bytes can be looked at afterwards.
    #[derive(Clone, Default)]
    struct Shelf(Arc<Mutex<Vec<u8>>>);

    impl Write for Shelf {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn file_with(bytes: &[u8]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&[b"before".as_slice(), bytes].concat()[1..]).unwrap();
        file
    }

    fn file_input(bytes: &[u8]) -> Input {
        Input::File { file: file_with(bytes), offset: BEFORE, length: bytes.len() as u64 }
    }

    fn stream_input(bytes: &[u8]) -> Input {
        Input::Stream(Box::new(Dribble(io::Cursor::new(bytes.to_vec()))))
    }

    type Flow<'a> = &'a dyn Fn(Input, Output, &AtomicU64) -> Result<Finished, FlowError>;

    /// Runs a flow from and to files and streams; what came out of each, and how it ended.
    fn run(flow: Flow<'_>, bytes: &[u8]) -> Vec<(Vec<u8>, Result<u64, FlowError>, u64)> {
        let mut outcomes = Vec::new();
        for from_file in [true, false] {
            for to_file in [true, false] {
                let input = if from_file { file_input(bytes) } else { stream_input(bytes) };
                let (shelf, file, moved) = (Shelf::default(), file_with(b""), AtomicU64::new(0));
                let output = if to_file {
                    Output::File { file: file.try_clone().unwrap(), offset: BEFORE }
                } else {
                    Output::Stream(Box::new(shelf.clone()))
                };
                let ended = flow(input, output, &moved).map(|finished| finished.plaintext_bytes());
                let mut out = shelf.0.lock().unwrap().clone();
                if to_file {
                    out.resize(
                        usize::try_from(file.metadata().unwrap().len() - BEFORE).unwrap(),
                        0,
                    );
                    file.read_exact_at(&mut out, BEFORE).unwrap();
                }
                outcomes.push((out, ended, moved.into_inner()));
            }
        }
        outcomes
    }

    fn sealing(input: Input, output: Output, moved: &AtomicU64) -> Result<Finished, FlowError> {
        seal(input, output, Sealer::new(&key(), CONTEXT, &SALT), moved)
    }

    fn opening(input: Input, output: Output, moved: &AtomicU64) -> Result<Finished, FlowError> {
        open(input, output, &key(), CONTEXT, moved)
    }

    #[test]
    fn every_way_gives_the_object_that_is_sealed_at_once_and_back() {
        let batch = BATCH_CHUNKS * CHUNK_BYTES;
        for bytes in [0, 1, 16_383, 16_384, 16_385, batch - 1, batch, 3 * batch + 20_000] {
            for (out, ended, moved) in run(&sealing, &plaintext(bytes)) {
                assert_eq!((ended.unwrap(), moved), (bytes as u64, bytes as u64));
                assert!(out == sealed(bytes), "{bytes} bytes sealed");
            }
            for (out, ended, moved) in run(&opening, &sealed(bytes)) {
                assert_eq!((ended.unwrap(), moved), (bytes as u64, bytes as u64));
                assert!(out == plaintext(bytes), "{bytes} bytes opened");
            }
        }
    }

    /// Opens a broken object every way: each is refused, and all that came out is a beginning of the plaintext.
    fn check_refused(broken: &[u8], whole: &[u8], expected: impl Fn(SealError) -> bool) {
        for (out, ended, _) in run(&opening, broken) {
            let Err(FlowError::Seal(error)) = ended else { panic!("{ended:?}") };
            assert!(expected(error), "{error:?}");
            // Between files a batch that was not reached is a hole: zeros.
            let authentic = out.chunks(CHUNK_BYTES).zip(whole.chunks(CHUNK_BYTES));
            for (out, whole) in authentic {
                assert!(out == whole || out.iter().all(|byte| *byte == 0));
            }
        }
    }

    #[test]
    fn a_truncated_object_is_refused_wherever_it_ends() {
        let bytes = 2 * CHUNK_BYTES + 3;
        let whole = sealed(bytes);
        let cuts = (0..whole.len()).filter(|at| at % 97 == 0 || at % SEALED_CHUNK_BYTES < 80);
        for cut in cuts {
            check_refused(&whole[..cut], &plaintext(bytes), |error| {
                matches!(error, SealError::Truncated | SealError::Tampered { .. })
            });
        }
    }

    #[test]
    fn a_changed_or_swapped_chunk_is_refused_and_shows_nothing() {
        let bytes = 70 * CHUNK_BYTES;
        let tampered = |error| matches!(error, SealError::Tampered { .. });
        for chunk in [0, 1, 63, 64, 69, 70] {
            let mut changed = sealed(bytes);
            changed[usize::try_from(chunk_offset(chunk)).unwrap() + 3] ^= 1;
            check_refused(&changed, &plaintext(bytes), tampered);
        }
        let mut swapped = sealed(bytes);
        let at = |chunk| usize::try_from(chunk_offset(chunk)).unwrap();
        let second = swapped[at(1)..at(2)].to_vec();
        swapped.copy_within(at(65)..at(66), at(1));
        swapped[at(65)..at(66)].copy_from_slice(&second);
        check_refused(&swapped, &plaintext(bytes), tampered);
    }

    #[test]
    fn an_object_of_another_key_is_refused_before_anything_is_written() {
        let other = chunks::seal(&Secret::new([1; 32]), CONTEXT, &SALT, b"text").unwrap();
        for (out, ended, _) in run(&opening, &other) {
            assert!(matches!(ended, Err(FlowError::Seal(SealError::WrongKey))), "{ended:?}");
            assert_eq!(out, b"");
        }
    }

    #[test]
    fn a_file_that_grows_or_shrinks_meanwhile_is_noticed() {
        for (whole, flow) in [(plaintext(40_000), &sealing as Flow<'_>), (sealed(40_000), &opening)]
        {
            for off in [-20_000_i64, 1] {
                let file = file_with(&whole);
                let length = whole.len() as u64;
                file.set_len((BEFORE + length).checked_add_signed(off).unwrap()).unwrap();
                let input = Input::File { file, offset: BEFORE, length };
                let output = Output::File { file: file_with(b""), offset: BEFORE };
                let ended = flow(input, output, &AtomicU64::new(0));
                assert!(matches!(ended, Err(FlowError::Changed)), "{off}: {ended:?}");
            }
        }
    }

    /// A stream that fails at once.
    struct Broken;

    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::ErrorKind::ConnectionReset.into())
        }
    }

    impl Write for Broken {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn it_is_told_which_side_failed() {
        let moved = AtomicU64::new(0);
        let read =
            sealing(Input::Stream(Box::new(Broken)), Output::Stream(Box::new(io::sink())), &moved);
        assert!(matches!(read, Err(FlowError::Read(_))), "{read:?}");
        let long = stream_input(&plaintext(9 * BATCH_CHUNKS * CHUNK_BYTES));
        let write = sealing(long, Output::Stream(Box::new(Broken)), &moved);
        assert!(matches!(write, Err(FlowError::Write(_))), "{write:?}");
        let read_only = File::open("/dev/null").unwrap();
        let output = Output::File { file: read_only, offset: 0 };
        let write = sealing(file_input(&plaintext(100)), output, &moved);
        assert!(matches!(write, Err(FlowError::Write(_))), "{write:?}");
    }
}
