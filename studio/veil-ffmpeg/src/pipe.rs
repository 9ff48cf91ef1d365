//! The pipes through which FFmpeg hands over what it makes.
//!
//! Owns: a pipe whose write end the child inherits by number, and the knowledge whether its reader
//! is waiting. Refuses to know: what flows through it.
//!
//! Invariant: reading never blocks a thread; the write end is closed here once the child has it.

use std::os::fd::{AsRawFd as _, OwnedFd};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};

use rustix::pipe::PipeFlags;
use tokio::io::{AsyncRead, ReadBuf};
use tokio::net::unix::pipe::Receiver;

use crate::error::Error;

/// Asked-for capacity: a fragment of the largest rung, so that FFmpeg rarely waits for its reader.
/// The system may give less; the pipe works all the same.
const CAPACITY_BYTES: usize = 1 << 20;

/// What is known about one pipe while it is read.
#[derive(Debug, Default)]
pub(crate) struct Flow {
    bytes: AtomicU64,
    hungry: AtomicBool,
    ended: AtomicBool,
}

impl Flow {
    /// Bytes read so far.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// A thread of ours begins to wait for FFmpeg.
    pub(crate) fn wait(&self) {
        self.hungry.store(true, Ordering::Relaxed);
    }

    /// The thread goes on, with so many bytes.
    pub(crate) fn moved(&self, bytes: usize) {
        self.hungry.store(false, Ordering::Relaxed);
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Nothing comes or goes any more.
    pub(crate) fn end(&self) {
        self.ended.store(true, Ordering::Relaxed);
    }

    /// The reader waits for FFmpeg, or needs nothing more: if nothing happens, it is not its fault.
    pub(crate) fn is_hungry(&self) -> bool {
        self.hungry.load(Ordering::Relaxed) || self.ended.load(Ordering::Relaxed)
    }
}

/// The end of a pipe that the child writes to.
#[derive(Debug)]
pub(crate) struct Inlet(OwnedFd);

impl Inlet {
    /// How FFmpeg spells it as an output.
    pub(crate) fn url(&self) -> String {
        format!("pipe:{}", self.0.as_raw_fd())
    }

    /// The descriptor that the child inherits.
    pub(crate) fn into_descriptor(self) -> OwnedFd {
        self.0
    }
}

/// The end of a pipe that we read from.
#[derive(Debug)]
pub(crate) struct Outlet {
    receiver: Receiver,
    flow: Arc<Flow>,
}

/// Makes a pipe from a child to us.
pub(crate) fn pipe() -> Result<(Inlet, Outlet), Error> {
    let start = |source: std::io::Error| Error::Start { what: "a pipe", source };
    let (read, write) =
        rustix::pipe::pipe_with(PipeFlags::CLOEXEC).map_err(|error| start(error.into()))?;
    let _ = rustix::pipe::fcntl_setpipe_size(&write, CAPACITY_BYTES);
    let receiver = Receiver::from_owned_fd(read).map_err(start)?;
    Ok((Inlet(write), Outlet { receiver, flow: Arc::default() }))
}

impl Outlet {
    /// What is known about the reading.
    pub(crate) fn flow(&self) -> Arc<Flow> {
        Arc::clone(&self.flow)
    }
}

impl Drop for Outlet {
    fn drop(&mut self) {
        self.flow.ended.store(true, Ordering::Relaxed);
    }
}

impl AsyncRead for Outlet {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.receiver).poll_read(context, buffer);
        self.flow.hungry.store(polled.is_pending(), Ordering::Relaxed);
        if polled.is_ready() {
            let count = buffer.filled().len() - before;
            self.flow.bytes.fetch_add(count as u64, Ordering::Relaxed);
            if count == 0 && buffer.remaining() > 0 {
                self.flow.ended.store(true, Ordering::Relaxed);
            }
        }
        polled
    }
}
