//! Sockets: accepting, limiting, and letting go.
//!
//! Owns how many connections there are and how a shutdown ends them; what one may cost is
//! `connection`'s. Refuses to know routes. Invariant: once shutdown is asked for, no request is begun,
//! and those that run are finished or cut at the drain limit.

mod activity;
mod connection;
mod limits;
mod slots;
mod stall;
mod streams;
mod tls;

use std::io;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;

use crate::gateway::Gateway;
use crate::metrics::Metrics;
use crate::rate::Rates;
use connection::Server;
pub use limits::ServeLimits;
use slots::{Slot, Slots};
pub use tls::{Certificate, CertificateError, Tls};

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
    let door = Door::new(&gateway, limits, false);
    let (_stop, stopped) = watch::channel(false);
    let server = Server { router: gateway.metrics_router(is_open), limits, tls: None, stopped };
    door.accept_all(&listener, &server, std::future::pending()).await;
}

/// Serves `gateway` on `listener` in clear, until `shutdown` completes, then drains: HTTP/1.1, and
/// HTTP/2 to who begins with it (h2c with prior knowledge).
pub async fn serve(
    listener: TcpListener,
    gateway: Gateway,
    limits: ServeLimits,
    shutdown: impl Future<Output = ()>,
) -> Drained {
    run(listener, gateway, None, limits, shutdown).await
}

/// Serves `gateway` on `listener` by TLS, as [`serve`] does in clear.
pub async fn serve_tls(
    listener: TcpListener,
    gateway: Gateway,
    tls: Tls,
    limits: ServeLimits,
    shutdown: impl Future<Output = ()>,
) -> Drained {
    run(listener, gateway, Some(tls), limits, shutdown).await
}

async fn run(
    listener: TcpListener,
    gateway: Gateway,
    tls: Option<Tls>,
    limits: ServeLimits,
    shutdown: impl Future<Output = ()>,
) -> Drained {
    let door = Door::new(&gateway, limits, tls.is_some());
    let ready = Arc::clone(&gateway.ready);
    let (stop, stopped) = watch::channel(false);
    let server = Server { router: gateway.router(), limits, tls, stopped };
    let connections = door.accept_all(&listener, &server, shutdown).await;
    ready.drain();
    drop(listener);
    let _ = stop.send(true);
    drain(connections, limits.drain_timeout).await
}

/// Who may come in.
struct Door {
    rates: Arc<Rates>,
    places: Arc<Semaphore>,
    slots: Arc<Slots>,
    metrics: Arc<Metrics>,
    has_tls: bool,
}

impl Door {
    fn new(gateway: &Gateway, limits: ServeLimits, has_tls: bool) -> Self {
        Self {
            rates: Arc::clone(&gateway.rates),
            places: Arc::new(Semaphore::new(limits.connection_count.min(Semaphore::MAX_PERMITS))),
            slots: Slots::new(limits.connections_per_address),
            metrics: Arc::clone(&gateway.metrics),
            has_tls,
        }
    }

    /// Accepts until `shutdown` completes; returns the connections.
    async fn accept_all(
        &self,
        listener: &TcpListener,
        server: &Server,
        shutdown: impl Future<Output = ()>,
    ) -> JoinSet<()> {
        let mut connections = JoinSet::new();
        let mut shutdown = pin!(shutdown);
        loop {
            let accepted = tokio::select! {
                () = &mut shutdown => return connections,
                Some(_) = connections.join_next() => continue,
                accepted = self.accept(listener) => accepted,
            };
            match accepted {
                Ok((stream, peer, place)) => {
                    // Who is over a limit is closed here, by dropping the stream.
                    let Some(slot) = self.admit(peer) else { continue };
                    let open = (place, slot, self.metrics.connection());
                    let server = server.clone();
                    connections.spawn(async move {
                        server.connection(stream, peer).await;
                        drop(open);
                    });
                }
                Err(error) => {
                    tracing::warn!(kind = %error.kind(), "a connection could not be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    /// Takes a free place first, so that clients beyond the limit wait outside.
    async fn accept(
        &self,
        listener: &TcpListener,
    ) -> io::Result<(TcpStream, IpAddr, OwnedSemaphorePermit)> {
        let place = Arc::clone(&self.places).acquire_owned().await.map_err(io::Error::other)?;
        let (stream, peer) = listener.accept().await?;
        Ok((stream, peer.ip().to_canonical(), place))
    }

    /// Admits a connection, with the slot of its address where that is counted.
    fn admit(&self, peer: IpAddr) -> Option<Option<Slot>> {
        let slot = match self.rates.counted(peer) {
            None => None,
            Some(subject) => Some(self.slots.take(subject)?),
        };
        (!self.has_tls || self.rates.take_handshake(peer)).then_some(slot)
    }
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
