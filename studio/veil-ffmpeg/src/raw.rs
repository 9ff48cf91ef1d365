//! Runs whose frames pass through this process: decoding alone, or decoding and encoding again.
//!
//! Owns: the processes, the pipes between them and us, the stall rule, and the verdict. Refuses to know: what happens to frames on their
//! way. Both ends are for threads that block; `nut` says where in the bytes the frames are.
//!
//! Invariant: dropping a run stops its processes, and whoever reads or writes an end then gets its end or an error.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustix::pipe::PipeFlags;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::carrier::Carrier;
use crate::child::{Child, Exit, Invocation, Launcher};
use crate::error::Error;
use crate::matrix;
use crate::package::STALL_LIMIT;
use crate::pipe::Flow;
use crate::recode;
use crate::sandbox::{Confinement, Jail};
use crate::tools::Tools;

pub use crate::recode::{Codec, Container, Encoding};

/// What errors call the two processes.
const DECODING: &str = "decoding";
pub(crate) const ENCODING: &str = "encoding";

/// How often a run is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Address space of a process: an 8K video with frame threads maps some 8 GiB, most of it untouched.
const ADDRESS_SPACE_BYTES: u64 = 24 << 30;

/// Asked-for capacity of a pipe; the system may give less.
const PIPE_BYTES: usize = 1 << 20;

/// Our end of a pipe, for a thread that blocks.
#[derive(Debug)]
pub struct End {
    file: File,
    flow: Arc<Flow>,
}

/// A run that decodes a carrier's picture into a NUT stream of raw frames. Dropping it stops FFmpeg.
#[derive(Debug)]
pub struct Decoding {
    frames: Option<End>,
    verdict: JoinHandle<Result<(), Error>>,
}

/// A run that decodes a carrier's picture, and encodes what it is given in its place beside everything else that the carrier has.
/// Dropping it stops both FFmpegs.
#[derive(Debug)]
pub struct Recoding {
    ends: Option<(End, End)>,
    verdict: JoinHandle<Result<(), Error>>,
    /// The file, and how it is to be turned.
    turned: Option<(PathBuf, [i32; 9])>,
}

impl Decoding {
    /// Starts FFmpeg on the carrier, inside the sandbox.
    ///
    /// # Errors
    /// [`Error::Start`] when a pipe or the process can't be made.
    pub async fn start(
        launcher: &Launcher,
        tools: &Tools,
        carrier: &Carrier,
    ) -> Result<Self, Error> {
        Ok(Self::watched(decoder(launcher, tools, carrier).await?))
    }

    /// As [`Decoding::start`], with arguments that are made when it is known where the frames go.
    pub(crate) async fn start_with(
        launcher: &Launcher,
        invocation: Invocation,
        arguments: impl FnOnce(&str) -> Vec<OsString>,
    ) -> Result<Self, Error> {
        let (read, theirs) = new_pipe()?;
        let url = format!("pipe:{}", theirs.as_raw_fd());
        let invocation = invocation.args(arguments(&url)).inherit(theirs);
        Ok(Self::watched((invocation.start(launcher).await?, End::new(read))))
    }

    fn watched((child, frames): (Child, End)) -> Self {
        let run =
            Run { flows: vec![Arc::clone(&frames.flow)], written: None, stall_limit: STALL_LIMIT };
        let verdict = tokio::spawn(run.watch(Some(child), None));
        Self { frames: Some(frames), verdict }
    }

    /// The stream, once.
    pub fn take_frames(&mut self) -> Option<End> {
        self.frames.take()
    }

    /// Waits for the end and tells whether it was a good one.
    ///
    /// # Errors
    /// [`Error::Failed`], [`Error::Stalled`], [`Error::Sandbox`].
    pub async fn finish(mut self) -> Result<(), Error> {
        self.frames = None;
        (&mut self.verdict).await.unwrap_or_else(|gone| Err(lost(gone)))
    }
}

impl Drop for Decoding {
    fn drop(&mut self) {
        // The task owns the child, and a dropped child is stopped.
        self.verdict.abort();
    }
}

impl Recoding {
    /// Starts both FFmpegs, inside the sandbox. `out` is a file that is there and may be written; its content is replaced.
    ///
    /// # Errors
    /// [`Error::Start`] when a pipe or a process can't be made.
    pub async fn start(
        launcher: &Launcher,
        tools: &Tools,
        carrier: &Carrier,
        encoding: Encoding,
        out: &Path,
    ) -> Result<Self, Error> {
        Self::start_with(launcher, tools, carrier, (encoding, out), STALL_LIMIT).await
    }

    /// As [`Recoding::start`], with another patience than [`STALL_LIMIT`].
    ///
    /// # Errors
    /// As [`Recoding::start`].
    pub async fn start_with(
        launcher: &Launcher,
        tools: &Tools,
        carrier: &Carrier,
        (encoding, out): (Encoding, &Path),
        stall_limit: Duration,
    ) -> Result<Self, Error> {
        let (decoder, frames) = decoder(launcher, tools, carrier).await?;
        let (theirs, sink) = {
            let (read, write) = new_pipe()?;
            (read, End::new(write))
        };
        let out = tokio::fs::canonicalize(out).await.map_err(Error::Read)?;
        let url = format!("pipe:{}", theirs.as_raw_fd());
        let jail = Jail {
            read: vec![carrier.path.clone()],
            write: Some((out.clone(), recode::bytes_max(carrier))),
            address_space_bytes: ADDRESS_SPACE_BYTES,
            cpu_seconds: None,
            landlock_optional: false,
        };
        let encoder = Invocation::new(&tools.ffmpeg, Confinement::Full(jail))
            .args(recode::encoder_arguments(carrier, encoding, &url, &out))
            .inherit(theirs)
            .start(launcher)
            .await?;
        let flows = vec![Arc::clone(&frames.flow), Arc::clone(&sink.flow)];
        let run = Run { flows, written: File::open(&out).ok(), stall_limit };
        let verdict = tokio::spawn(run.watch(Some(decoder), Some(encoder)));
        let turned = carrier.matrix.map(|matrix| (out, matrix));
        Ok(Self { ends: Some((frames, sink)), verdict, turned })
    }

    /// The stream as it comes out of the decoder, and where it has to go, both once. The encoder ends when its end is dropped.
    pub fn take_ends(&mut self) -> Option<(End, End)> {
        self.ends.take()
    }

    /// Waits for the end and tells whether it was a good one.
    ///
    /// # Errors
    /// [`Error::Failed`], [`Error::Stalled`], [`Error::Sandbox`].
    pub async fn finish(mut self) -> Result<(), Error> {
        self.ends = None;
        (&mut self.verdict).await.unwrap_or_else(|gone| Err(lost(gone)))?;
        let Some((out, matrix)) = self.turned.take() else { return Ok(()) };
        let file = File::options().read(true).write(true).open(out);
        file.and_then(|file| matrix::set(&file, matrix)).map_err(Error::Read)
    }
}

impl Drop for Recoding {
    fn drop(&mut self) {
        self.verdict.abort();
    }
}

fn lost(gone: tokio::task::JoinError) -> Error {
    Error::Read(io::Error::other(gone))
}

async fn decoder(
    launcher: &Launcher,
    tools: &Tools,
    carrier: &Carrier,
) -> Result<(Child, End), Error> {
    let (read, theirs) = new_pipe()?;
    let url = format!("pipe:{}", theirs.as_raw_fd());
    let jail = decoding_jail(&carrier.path);
    let invocation = Invocation::new(&tools.ffmpeg, Confinement::Full(jail))
        .args(recode::decoder_arguments(carrier, &url))
        .inherit(theirs);
    Ok((invocation.start(launcher).await?, End::new(read)))
}

/// What a decoder may do: read one file.
pub(crate) fn decoding_jail(path: &Path) -> Jail {
    Jail {
        read: vec![path.to_owned()],
        write: None,
        address_space_bytes: ADDRESS_SPACE_BYTES,
        cpu_seconds: None,
        landlock_optional: false,
    }
}

pub(crate) fn new_pipe() -> Result<(OwnedFd, OwnedFd), Error> {
    let ends = rustix::pipe::pipe_with(PipeFlags::CLOEXEC);
    let ends = ends.map_err(|error| Error::Start { what: "a pipe", source: error.into() })?;
    let _ = rustix::pipe::fcntl_setpipe_size(&ends.1, PIPE_BYTES);
    Ok(ends)
}

impl End {
    pub(crate) fn new(descriptor: OwnedFd) -> Self {
        Self { file: descriptor.into(), flow: Arc::default() }
    }

    /// What is known about the reading or writing.
    pub(crate) fn flow(&self) -> Arc<Flow> {
        Arc::clone(&self.flow)
    }
}

impl Read for End {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.flow.wait();
        let read = self.file.read(buffer);
        self.flow.moved(*read.as_ref().unwrap_or(&0));
        read
    }
}

impl Write for End {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.flow.wait();
        let written = self.file.write(bytes);
        self.flow.moved(*written.as_ref().unwrap_or(&0));
        written
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for End {
    fn drop(&mut self) {
        self.flow.end();
    }
}

/// What is watched while processes run.
pub(crate) struct Run {
    pub(crate) flows: Vec<Arc<Flow>>,
    pub(crate) written: Option<File>,
    pub(crate) stall_limit: Duration,
}

impl Run {
    /// Waits for both processes; the first that fails ends the other.
    pub(crate) async fn watch(
        self,
        mut decoder: Option<Child>,
        mut encoder: Option<Child>,
    ) -> Result<(), Error> {
        let (mut seen, mut since) = (self.signs_of_life(), Instant::now());
        while decoder.is_some() || encoder.is_some() {
            tokio::select! {
                exit = ended(&mut decoder) => judge(DECODING, exit?)?,
                exit = ended(&mut encoder) => judge(ENCODING, exit?)?,
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
            let now = self.signs_of_life();
            // Where no thread of ours waits for FFmpeg, we are the slow ones.
            if now != seen || !self.flows.iter().any(|flow| flow.is_hungry()) {
                (seen, since) = (now, Instant::now());
            } else if since.elapsed() >= self.stall_limit {
                // The decoder is first; where we wait for it as well, the encoder has nothing to do.
                let starving = self.flows.first().is_some_and(|frames| frames.is_hungry());
                let decodes = decoder.is_some() && (starving || encoder.is_none());
                let step = if decodes { DECODING } else { ENCODING };
                return Err(Error::Stalled { step, after: self.stall_limit });
            }
        }
        Ok(())
    }

    /// Changes whenever FFmpeg gets any further.
    fn signs_of_life(&self) -> (u64, u64) {
        let length = |file: &File| file.metadata().map_or(0, |metadata| metadata.len());
        let bytes = self.flows.iter().map(|flow| flow.bytes()).sum();
        (bytes, self.written.as_ref().map_or(0, length))
    }
}

/// Waits for a process that is there, and forgets it; for ever where there is none.
async fn ended(child: &mut Option<Child>) -> Result<Exit, Error> {
    let exit = match child {
        Some(child) => child.wait().await,
        None => std::future::pending().await,
    };
    *child = None;
    exit
}

/// What FFmpeg 5.1 says when the end of a file doesn't fit on its disk any more, and then ends as if all were well.
const UNFINISHED: [&str; 2] = ["Error writing trailer", "Error closing file"];

/// What a run's end means, for runs that write files.
///
/// # Errors
/// [`Error::Failed`] with what FFmpeg said.
pub(crate) fn judge(step: &'static str, exit: Exit) -> Result<(), Error> {
    let whole = !UNFINISHED.iter().any(|words| exit.stderr.contains(words));
    if exit.status.success() && whole {
        return Ok(());
    }
    let said = exit.stderr;
    let stderr = if said.is_empty() { format!("FFmpeg ended with {}", exit.status) } else { said };
    Err(Error::Failed { step, stderr })
}
