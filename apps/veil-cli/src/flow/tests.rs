//! Every way through a flow, whole and broken.

use std::os::unix::fs::FileExt as _;
use std::sync::{Arc, Mutex};

use veil_seal::chunks::{self, CHUNK_BYTES, SEALED_CHUNK_BYTES, chunk_offset};

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
                out.resize(usize::try_from(file.metadata().unwrap().len() - BEFORE).unwrap(), 0);
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
    for (whole, flow) in [(plaintext(40_000), &sealing as Flow<'_>), (sealed(40_000), &opening)] {
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
