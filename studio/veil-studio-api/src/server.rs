//! Sockets: accepting, limiting, and letting go.
//!
//! Owns: how many connections there are, what a head may cost, and how a stop ends them. Refuses to know routes. HTTP/1.1 alone: browsers speak
//! nothing else to this machine without TLS, and a proxy has it for others.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use crate::app::Api;
use crate::follow::{follow, follow_watched};
use crate::routes;

/// Most connections at once; others wait outside.
const CONNECTIONS_MAX: usize = 256;
/// How long a head may take to arrive, and how large it and its fields may be.
const HEAD_LIMIT: Duration = Duration::from_secs(15);
const HEAD_BYTES_MAX: usize = 32 << 10;
const FIELDS_MAX: usize = 100;
/// How long connections may finish what they do after a stop.
const DRAIN_LIMIT: Duration = Duration::from_secs(5);
/// How long accepting rests after an error of the system, such as too many open files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves the interface on `listener` until `stop`.
pub async fn serve(listener: TcpListener, api: Api, stop: CancellationToken) {
    let events = Arc::clone(api.events());
    let mut followers = JoinSet::new();
    followers.spawn(follow(api.clone()));
    followers.spawn(follow_watched(api.clone()));
    let router = routes::router(api);
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            Some(_) = connections.join_next() => continue,
            accepted = accept(&listener, &places) => accepted,
        };
        match accepted {
            Ok((stream, place)) => {
                let (router, stop) = (router.clone(), stop.clone());
                connections.spawn(async move {
                    connection(stream, router, stop).await;
                    drop(place);
                });
            }
            Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
        }
    }
    drop(listener);
    events.end();
    followers.abort_all();
    let all = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(DRAIN_LIMIT, all).await.is_err() {
        connections.shutdown().await;
    }
}

async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> std::io::Result<(TcpStream, tokio::sync::OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await.map_err(std::io::Error::other)?;
    let (stream, _) = listener.accept().await?;
    Ok((stream, place))
}

async fn connection(stream: TcpStream, router: Router, stop: CancellationToken) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request: Request<Incoming>| {
        let router = router.clone();
        async move { router.oneshot(request.map(Body::new)).await as Result<_, Infallible> }
    });
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_LIMIT)
        .max_buf_size(HEAD_BYTES_MAX)
        .max_headers(FIELDS_MAX);
    let mut served = std::pin::pin!(builder.serve_connection(TokioIo::new(stream), service));
    tokio::select! {
        _ = served.as_mut() => return,
        () = stop.cancelled() => served.as_mut().graceful_shutdown(),
    }
    let _ = served.await;
}
