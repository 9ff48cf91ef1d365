//! Sockets: accepting, limiting, and letting go.
//!
//! Owns what a connection may cost: how many there are, how long a head may take, how slowly a client
//! may read, and how a shutdown ends them. Refuses to know routes. Invariant: once shutdown is asked
//! for, no request is begun, and those that run are finished or cut at the drain limit.

mod limits;
mod stall;

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tower::ServiceExt as _;

use crate::gateway::Gateway;
use crate::metrics::{Metrics, Open};
pub use limits::ServeLimits;
use stall::StallGuard;

/// Most bytes that hyper buffers of a head, and of a body on its way out. A head over our own limits
/// but below this gets a proper answer; over it, hyper's bare 431.
const CONNECTION_BUFFER_BYTES: usize = 64 << 10;

/// Most header fields that hyper parses; above our own limit, below what costs.
const HEADER_COUNT_MAX: usize = 128;

/// How long accepting rests after an error of the system, such as too many open files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How the serving ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drained {
    /// Every connection was finished.
    Clean,
    /// Some were cut at the drain limit.
    Cut {
        /// How many.
        connection_count: usize,
    },
}

/// Most connections to the operator's listener: scrapers and probes.
const METRICS_CONNECTION_COUNT: usize = 64;

/// Serves the figures of `gateway`, and probes of it, on `listener`; without a token where only this
/// machine reaches it. It ends with the process, so that probes see the gateway drain.
pub async fn serve_metrics(listener: TcpListener, gateway: Gateway, limits: ServeLimits) {
    let is_open = listener.local_addr().is_ok_and(|address| address.ip().is_loopback());
    let limits = ServeLimits { connection_count: METRICS_CONNECTION_COUNT, ..limits };
    let never = std::future::pending();
    let metrics = Arc::clone(&gateway.metrics);
    accept_all(&listener, &gateway.metrics_router(is_open), &metrics, limits, never).await;
}

/// Serves `gateway` on `listener` until `shutdown` completes, then drains.
pub async fn serve(
    listener: TcpListener,
    gateway: Gateway,
    limits: ServeLimits,
    shutdown: impl Future<Output = ()>,
) -> Drained {
    let (metrics, ready) = (Arc::clone(&gateway.metrics), Arc::clone(&gateway.ready));
    let router = gateway.router();
    let accepting = accept_all(&listener, &router, &metrics, limits, shutdown);
    let (connections, stop) = accepting.await;
    ready.drain();
    drop(listener);
    let _ = stop.send(true);
    drain(connections, limits.drain_timeout).await
}

/// Accepts until `shutdown` completes; returns the connections, and what tells them to end.
async fn accept_all(
    listener: &TcpListener,
    router: &axum::Router,
    metrics: &Arc<Metrics>,
    limits: ServeLimits,
    shutdown: impl Future<Output = ()>,
) -> (JoinSet<()>, watch::Sender<bool>) {
    let slots = Arc::new(Semaphore::new(limits.connection_count.min(Semaphore::MAX_PERMITS)));
    let (stop, stopped) = watch::channel(false);
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            () = &mut shutdown => break,
            Some(_) = connections.join_next() => continue,
            accepted = accept(listener, &slots) => accepted,
        };
        match accepted {
            Ok((stream, slot)) => {
                let service = router.clone();
                let stopped = stopped.clone();
                let open = (slot, metrics.connection());
                connections.spawn(connection(stream, service, limits, stopped, open));
            }
            Err(error) => {
                tracing::warn!(kind = %error.kind(), "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    (connections, stop)
}

/// Takes a free slot first, so that clients beyond the limit wait outside.
async fn accept(
    listener: &TcpListener,
    slots: &Arc<Semaphore>,
) -> io::Result<(TcpStream, OwnedSemaphorePermit)> {
    let slot = Arc::clone(slots).acquire_owned().await.map_err(io::Error::other)?;
    let (stream, _) = listener.accept().await?;
    Ok((stream, slot))
}

async fn drain(mut connections: JoinSet<()>, timeout: Duration) -> Drained {
    let all = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(timeout, all).await.is_ok() {
        return Drained::Clean;
    }
    let connection_count = connections.len();
    connections.shutdown().await;
    Drained::Cut { connection_count }
}

/// Serves one connection to its end. Its errors are the client's: it went away, or was too slow.
async fn connection(
    stream: TcpStream,
    router: axum::Router,
    limits: ServeLimits,
    mut stopped: watch::Receiver<bool>,
    _open: (OwnedSemaphorePermit, Open),
) {
    let _ = stream.set_nodelay(true);
    let guarded = TokioIo::new(StallGuard::new(stream, limits.stall_timeout));
    let service = router.map_request(|request: hyper::Request<hyper::body::Incoming>| {
        request.map(axum::body::Body::new)
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_timeout)
        .max_buf_size(CONNECTION_BUFFER_BYTES)
        .max_headers(HEADER_COUNT_MAX)
        .serve_connection(guarded, TowerToHyperService::new(service));
    let mut served = pin!(served);
    let asked = stopped.wait_for(|stopped| *stopped);
    let ended = tokio::select! {
        ended = served.as_mut() => Some(ended),
        _ = asked => None,
    };
    if ended.is_none() {
        served.as_mut().graceful_shutdown();
        let _ = served.await;
    }
}
