//! Moves bytes through a sealer or an opener: from a file or a stream to a file or a stream, on two threads or more.
//!
//! Between two files each thread reads, seals and writes batches of its own, wherever they belong. Everything else is a pipeline of two:
//! one reads and seals or opens, the other writes, in order. Memory is a few batches, whatever the length. Invariants: nothing is
//! written that wasn't authenticated; between files the length is authenticated first.

use std::fs::File;
use std::io::{self, Read, Write};
use std::sync::atomic::AtomicU64;

use veil_seal::SealError;
use veil_seal::chunks::HEADER_BYTES;
use veil_seal::secret::Secret;
use veil_seal::stream::{Finished, Opener, Sealer};

use self::files::{Place, open_file, seal_file};
use self::pipeline::{open_stream, pipeline, seal_stream};

mod files;
mod pipeline;

/// Chunks in a batch: 1 MiB, so that a system call costs little and four threads stay below 16 MiB.
const BATCH_CHUNKS: usize = 64;

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
mod tests;
