//! One connection, from its first byte to its last.
//!
//! Owns what is spoken on it (TLS, then HTTP/1.1 or HTTP/2 by their first bytes) and what it may cost.
//! Its errors are the client's: it went away, or was too slow.

use std::convert::Infallible;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::timeout;
use tower::ServiceExt as _;

use super::activity::Activity;
use super::limits::ServeLimits;
use super::stall::StallGuard;
use super::streams::{Streams, Watched};
use super::tls::Tls;
use crate::peer::Peer;

/// Most bytes that hyper buffers of an HTTP/1.1 head, and of a body on its way out. A head over our own
/// limits but below this gets a proper answer; over it, hyper's bare 431.
const CONNECTION_BUFFER_BYTES: usize = 64 << 10;

/// Most header fields that hyper parses of an HTTP/1.1 head; above our own limit, below what costs.
const HEADER_COUNT_MAX: usize = 128;

/// Largest header list of an HTTP/2 request, as RFC 9113 §6.5.2 counts it, in bytes; above our own
/// limits, below what costs. Stops endless CONTINUATION frames.
const HEADER_LIST_BYTES_MAX: u32 = 32 << 10;

/// What a client may send ahead of a request's reader, in bytes: a stream, and all of them together.
const STREAM_WINDOW_BYTES: u32 = 64 << 10;
const CONNECTION_WINDOW_BYTES: u32 = 128 << 10;

/// Most bytes that wait to leave on one HTTP/2 stream, besides the piece in hand.
const SEND_BUFFER_BYTES: usize = 16 << 10;

/// Streams that a client may have opened and reset before they were answered (the rapid reset attack),
/// and streams that we reset for its mistakes, before the connection ends.
const RESET_STREAM_COUNT_MAX: usize = 32;

/// How long an HTTP/2 connection may be silent before it is asked whether it lives, and then answer.
const PING_INTERVAL: Duration = Duration::from_secs(20);
const PING_TIMEOUT: Duration = Duration::from_secs(20);

/// What a connection needs of the server.
#[derive(Clone)]
pub(super) struct Server {
    pub(super) router: Router,
    pub(super) limits: ServeLimits,
    pub(super) tls: Option<Tls>,
    pub(super) stopped: watch::Receiver<bool>,
}

impl Server {
    /// Serves one connection to its end.
    pub(super) async fn connection(self, stream: TcpStream, peer: IpAddr) {
        let _ = stream.set_nodelay(true);
        let guarded = StallGuard::new(stream, self.limits.stall_timeout);
        let Some(tls) = &self.tls else { return self.http(guarded, peer).await };
        let mut stopped = self.stopped.clone();
        let shaken = tokio::select! {
            shaken = timeout(self.limits.head_timeout, tls.acceptor().accept(guarded)) => shaken,
            _ = stopped.wait_for(|stopped| *stopped) => return,
        };
        if let Ok(Ok(stream)) = shaken {
            self.http(stream, peer).await;
        }
    }

    async fn http<S: AsyncRead + AsyncWrite + Send + Unpin + 'static>(
        self,
        stream: S,
        peer: IpAddr,
    ) {
        let Self { router, limits, mut stopped, .. } = self;
        let activity = Activity::new();
        let service = {
            let activity = Arc::clone(&activity);
            service_fn(move |request| answer(router.clone(), request, peer, Arc::clone(&activity)))
        };
        let builder = builder(&limits);
        let mut served = pin!(builder.serve_connection(TokioIo::new(stream), service));
        let is_quiet = tokio::select! {
            _ = served.as_mut() => return,
            _ = stopped.wait_for(|stopped| *stopped) => false,
            () = activity.quiet(&limits) => true,
        };
        served.as_mut().graceful_shutdown();
        if is_quiet {
            // What was answered last may still be on its way.
            let _ = timeout(limits.stall_timeout, served).await;
        } else {
            let _ = served.await;
        }
    }
}

async fn answer(
    router: Router,
    request: Request<Incoming>,
    peer: IpAddr,
    activity: Arc<Activity>,
) -> Result<Response<Watched>, Infallible> {
    let running = activity.begin(request.version());
    let mut request = request.map(Body::new);
    request.extensions_mut().insert(Peer(peer));
    let response = router.oneshot(request).await?;
    Ok(response.map(|body| Watched::new(body, running)))
}

fn builder(limits: &ServeLimits) -> auto::Builder<Streams> {
    let mut builder = auto::Builder::new(Streams { stall_timeout: limits.stall_timeout });
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_timeout)
        .max_buf_size(CONNECTION_BUFFER_BYTES)
        .max_headers(HEADER_COUNT_MAX);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(limits.stream_count)
        .max_header_list_size(HEADER_LIST_BYTES_MAX)
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .max_send_buf_size(SEND_BUFFER_BYTES)
        .max_pending_accept_reset_streams(RESET_STREAM_COUNT_MAX)
        .max_local_error_reset_streams(RESET_STREAM_COUNT_MAX)
        .keep_alive_interval(PING_INTERVAL)
        .keep_alive_timeout(PING_TIMEOUT);
    builder
}
