//! A stream of HTTP/2 whose client takes next to nothing.
//!
//! Owns the clock of each stream. The connection's own guard sees the socket, and a client can keep
//! that busy while it gives one stream no window; its body would wait in memory for ever. Here each
//! stream runs as a task that is dropped, which resets the stream and no other, when a piece of its
//! body waits and less than the minimum leaves in a span. A stream that waits for the store is not the
//! client's fault and is left alone.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use hyper::rt::Executor;

use super::activity::Running;
use super::stall::TAKEN_BYTES_MIN;

tokio::task_local! {
    /// The progress of the stream that this task is.
    static PROGRESS: Arc<Progress>;
}

/// Runs each stream of a connection as a task of its own.
#[derive(Clone, Copy)]
pub(super) struct Streams {
    pub(super) stall_timeout: Duration,
}

impl<F> Executor<F> for Streams
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    fn execute(&self, stream: F) {
        let progress = Arc::<Progress>::default();
        let span = self.stall_timeout;
        let watched = PROGRESS.scope(Arc::clone(&progress), stream);
        tokio::spawn(async move {
            tokio::select! { _ = watched => {}, () = progress.stalled(span) => {} }
        });
    }
}

/// How a body's pieces leave.
#[derive(Default)]
pub(super) struct Progress {
    /// Bytes that were handed on.
    given_bytes: AtomicU64,
    /// Bytes of the last piece while it waits to leave, or 0.
    waiting_bytes: AtomicU64,
}

impl Progress {
    /// Completes when a piece waits at both ends of a span, and too little left within it.
    async fn stalled(&self, span: Duration) {
        loop {
            let given = self.given_bytes.load(Ordering::Relaxed);
            let waited = self.waiting_bytes.load(Ordering::Relaxed) > 0;
            tokio::time::sleep(span).await;
            let taken = self.given_bytes.load(Ordering::Relaxed) - given;
            let waits = self.waiting_bytes.load(Ordering::Relaxed) > 0;
            if waited && waits && taken < TAKEN_BYTES_MIN as u64 {
                return;
            }
        }
    }
}

/// A body that tells its stream's clock, and its connection, how it gets on.
pub(super) struct Watched {
    body: Body,
    progress: Option<Arc<Progress>>,
    _running: Running,
}

impl Watched {
    /// Called within the task that serves the request.
    pub(super) fn new(body: Body, running: Running) -> Self {
        Self { body, progress: PROGRESS.try_with(Arc::clone).ok(), _running: running }
    }
}

impl HttpBody for Watched {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        if let Some(progress) = &self.progress {
            let bytes = match &polled {
                Poll::Ready(Some(Ok(frame))) => {
                    frame.data_ref().map_or(0, |data| data.len() as u64)
                }
                _ => 0,
            };
            // Whoever asks for the next piece has let the last one go.
            let left = progress.waiting_bytes.swap(bytes, Ordering::Relaxed);
            progress.given_bytes.fetch_add(left, Ordering::Relaxed);
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    const SPAN: Duration = Duration::from_secs(30);

    /// After how many seconds a stream whose pieces leave as `step` says is given up, within ten spans.
    async fn given_up_after(step: impl Fn(&Progress)) -> Option<u64> {
        let progress = Progress::default();
        let started = Instant::now();
        let pieces = async {
            loop {
                step(&progress);
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        };
        tokio::select! {
            () = progress.stalled(SPAN) => Some(started.elapsed().as_secs()),
            () = pieces => None,
            () = tokio::time::sleep(10 * SPAN) => None,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_is_given_up_when_a_piece_waits_and_not_when_the_store_does() {
        let waits = |progress: &Progress| progress.waiting_bytes.store(64 << 10, Ordering::Relaxed);
        assert!(given_up_after(waits).await.is_some_and(|seconds| seconds <= 2 * SPAN.as_secs()));
        assert_eq!(given_up_after(|_| ()).await, None);
        let takes = |bytes: u64| {
            move |progress: &Progress| {
                progress.waiting_bytes.store(64 << 10, Ordering::Relaxed);
                progress.given_bytes.fetch_add(bytes, Ordering::Relaxed);
            }
        };
        assert!(given_up_after(takes(100)).await.is_some());
        assert_eq!(given_up_after(takes(1024)).await, None);
    }
}
