//! A stream that gives up on a reader who takes next to nothing.
//!
//! Owns the clock of writes that wait: while bytes wait to leave, the client must take
//! [`TAKEN_BYTES_MIN`] in each span, or the connection ends. A trickle of single bytes is no way
//! around it. Reads are not watched here: a head has hyper's limit and a body its handler's.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

/// What a client must take in each span, in bytes: over 30 s, a modem of 1995 does.
pub(super) const TAKEN_BYTES_MIN: usize = 16 << 10;

/// Watches the writes of `inner`.
pub(crate) struct StallGuard<S> {
    inner: S,
    span: Duration,
    /// Runs while bytes wait.
    timer: Option<Pin<Box<Sleep>>>,
    taken_bytes: usize,
}

impl<S> StallGuard<S> {
    pub(crate) fn new(inner: S, span: Duration) -> Self {
        Self { inner, span, timer: None, taken_bytes: 0 }
    }

    /// Counts what a write took; on a write that waits, sees whether the span is over.
    fn judge(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if let Poll::Ready(result) = &written {
            self.taken_bytes += result.as_ref().map_or(0, |bytes| *bytes);
            return written;
        }
        let span = self.span;
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep(span)));
        while timer.as_mut().poll(context).is_ready() {
            if self.taken_bytes < TAKEN_BYTES_MIN {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
            self.taken_bytes = 0;
            timer.as_mut().reset(Instant::now() + span);
        }
        Poll::Pending
    }

    /// Everything has left: the next wait begins a new span.
    fn caught_up(&mut self) {
        self.timer = None;
        self.taken_bytes = 0;
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for StallGuard<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for StallGuard<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write(context, bytes);
        self.judge(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write_vectored(context, slices);
        self.judge(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = ready!(Pin::new(&mut self.inner).poll_flush(context));
        self.caught_up();
        Poll::Ready(flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};
    use tokio::time::timeout;

    use super::*;

    const SPAN: Duration = Duration::from_secs(30);

    #[tokio::test(start_paused = true)]
    async fn a_reader_that_takes_nothing_is_given_up_after_one_span() {
        let (near, far) = duplex(1024);
        let started = Instant::now();
        let mut guarded = StallGuard::new(near, SPAN);
        let sent = timeout(10 * SPAN, guarded.write_all(&[0; 4096])).await.unwrap();
        let error = sent.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(started.elapsed().as_secs(), SPAN.as_secs());
        drop(far);
    }

    #[tokio::test(start_paused = true)]
    async fn a_trickle_is_given_up_and_a_slow_but_honest_reader_is_not() {
        assert!(send_to_reader(1).await.is_err());
        assert!(send_to_reader(1024).await.is_ok());
    }

    /// Sends 256 KiB to a reader that takes `bytes` each second.
    async fn send_to_reader(bytes: usize) -> io::Result<()> {
        let (near, mut far) = duplex(1024);
        let reader = tokio::spawn(async move {
            let mut buffer = vec![0; bytes];
            while far.read_exact(&mut buffer).await.is_ok() {
                sleep(Duration::from_secs(1)).await;
            }
        });
        let sent = StallGuard::new(near, SPAN).write_all(&[0; 256 << 10]).await;
        reader.abort();
        sent
    }
}
