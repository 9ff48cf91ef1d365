//! One log line a request, without its secrets.
//!
//! Owns what a line says: method, route pattern, status, body bytes that left, time until the last of
//! them, version of HTTP, the request's id and, where the operator wants it, the client's network; the
//! same goes to the metrics. Of requests that came too often, one a second of each address or grant has a line, with how
//! many have none: a flood fills no disk. Refuses to see more: paths hold grant ids, queries hold signatures, headers
//! hold bearers. The line is written when the body is done or dropped, so that an aborted download
//! shows.
//!
//! A request's id is the one that a trusted proxy gave it in `X-Request-Id`, or else a new one; it is in
//! the answer too, so that a viewer can name a request without naming himself.

use std::hash::{BuildHasher as _, RandomState};
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll};
use std::time::Instant;

use axum::body::Body;
use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, Version, header};
use axum::response::Response;
use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame, SizeHint};

use crate::metrics::{Metrics, Open};
use crate::names;
use crate::peer::{Network, Peer, Proxies};

/// What `route` says of a request that no route took.
const NO_ROUTE: &str = "-";

/// What the log says of a request whose client left before there was an answer.
const CLIENT_LEFT: u16 = 499;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Longest id that is taken over from a proxy, in characters.
const ID_CHARS_MAX: usize = 64;

/// What the log needs to know of the gateway.
pub(crate) struct Log {
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) proxies: Proxies,
    /// Whether lines have the client's network.
    pub(crate) networks: bool,
}

/// What a request is called, in the log and in its answer.
#[derive(Clone)]
struct RequestId(HeaderValue);

impl Log {
    /// The id that a batch gave its request, or a trusted proxy, or a new one.
    fn id(&self, request: &Request) -> RequestId {
        let extensions = request.extensions();
        if let Some(given) = extensions.get::<RequestId>() {
            return given.clone();
        }
        let is_trusted = extensions.get::<Peer>().is_some_and(|peer| self.proxies.trust(peer.0));
        let shown = request.headers().get(REQUEST_ID).filter(|_| is_trusted);
        RequestId(shown.filter(|id| is_id(id)).cloned().unwrap_or_else(new_id))
    }

    /// The network of the client, if it is wanted.
    fn network(&self, request: &Request) -> Option<Network> {
        let peer = request.extensions().get::<Peer>().filter(|_| self.networks)?;
        Some(match self.proxies.client(*peer, request.headers()) {
            IpAddr::V4(address) => Network::around(address.into(), 24),
            IpAddr::V6(address) => Network::around(address.into(), 48),
        })
    }

    /// Begins the line of a request, which is written whatever becomes of it.
    pub(crate) fn begin(&self, request: &mut Request) -> Line {
        let id = self.id(request);
        request.extensions_mut().insert(id.clone());
        Line {
            started: Instant::now(),
            method: known_method(request.method()),
            route: request.extensions().get::<MatchedPath>().cloned(),
            status: StatusCode::from_u16(CLIENT_LEFT).unwrap_or(StatusCode::BAD_REQUEST),
            bytes: 0,
            promised_bytes: None,
            complete: false,
            told: Told::Line,
            version: known_version(request.version()),
            network: self.network(request),
            id,
            _open: self.metrics.request(),
            metrics: Arc::clone(&self.metrics),
        }
    }
}

fn is_id(value: &HeaderValue) -> bool {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
    (1..=ID_CHARS_MAX).contains(&value.len()) && value.as_bytes().iter().all(is_plain)
}

/// 16 hex digits that no other request of any gateway is likely to have.
fn new_id() -> HeaderValue {
    static SEED: LazyLock<RandomState> = LazyLock::new(RandomState::new);
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let number = SEED.hash_one(COUNT.fetch_add(1, Ordering::Relaxed));
    let mut id = [0; 16];
    names::hex(&number.to_be_bytes(), &mut id);
    HeaderValue::from_bytes(&id).unwrap_or(HeaderValue::from_static("-"))
}

/// The version as a fixed word.
fn known_version(version: Version) -> &'static str {
    match version {
        Version::HTTP_10 => "1.0",
        Version::HTTP_2 => "2",
        _ => "1.1",
    }
}

/// The method as a fixed word, so that a client cannot write into the log.
fn known_method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "OTHER",
    }
}

/// A request on its way to the log.
pub(crate) struct Line {
    started: Instant,
    method: &'static str,
    route: Option<MatchedPath>,
    status: StatusCode,
    bytes: u64,
    /// `Content-Length`: the server stops asking a body that has kept its promise.
    promised_bytes: Option<u64>,
    complete: bool,
    told: Told,
    version: &'static str,
    network: Option<Network>,
    id: RequestId,
    metrics: Arc<Metrics>,
    _open: Open,
}

/// How the log tells of a request.
#[derive(Clone, Copy)]
enum Told {
    /// By a line of its own.
    Line,
    /// By one that stands for so many more.
    Sample(u32),
    /// By another's.
    Not,
}

impl Line {
    /// The request came too often; `untold` is how many others have no line, or nothing if it has none itself.
    pub(crate) fn refuse(&mut self, untold: Option<u32>) {
        self.told = untold.map_or(Told::Not, Told::Sample);
    }

    /// Names the answer, and ends the line with its body.
    pub(crate) fn follow(mut self, mut response: Response) -> Response {
        response.headers_mut().insert(REQUEST_ID, self.id.0.clone());
        self.status = response.status();
        let promised = response.headers().get(header::CONTENT_LENGTH);
        self.promised_bytes = promised.and_then(|value| value.to_str().ok()?.parse().ok());
        let bodiless = self.method == "HEAD" || self.status == StatusCode::NOT_MODIFIED;
        response.map(|body| {
            self.complete = bodiless || body.is_end_stream();
            Body::new(Counted { body, line: self })
        })
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        let route = self.route.as_ref().map_or(NO_ROUTE, MatchedPath::as_str);
        let took = self.started.elapsed();
        self.metrics.ended(route, self.status, took, self.bytes);
        let untold = match self.told {
            Told::Not => return,
            Told::Sample(untold) => Some(untold),
            Told::Line => None,
        };
        let time_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        tracing::info!(
            target: "access",
            method = self.method,
            route,
            status = self.status.as_u16(),
            bytes = self.bytes,
            complete = self.complete || self.promised_bytes == Some(self.bytes),
            time_us,
            version = self.version,
            id = self.id.0.to_str().unwrap_or_default(),
            network = self.network.map(tracing::field::display),
            untold,
        );
    }
}

/// A body that counts what leaves.
struct Counted {
    body: Body,
    line: Line,
}

impl HttpBody for Counted {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        match &polled {
            Poll::Ready(Some(Ok(frame))) => {
                self.line.bytes += frame.data_ref().map_or(0, |data| data.len() as u64);
                self.line.complete |= self.body.is_end_stream();
            }
            Poll::Ready(None) => self.line.complete = true,
            _ => {}
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
    use jiff::Timestamp;

    use super::*;

    fn log(networks: bool) -> Log {
        let trusted = vec!["10.0.0.0/8".parse().unwrap()];
        let proxies = Proxies { trusted, ..Proxies::default() };
        Log { metrics: Arc::new(Metrics::new(Timestamp::UNIX_EPOCH)), proxies, networks }
    }

    fn request(peer: &str, headers: &[(&str, &str)]) -> Request {
        let mut request = Request::new(Body::empty());
        request.extensions_mut().insert(Peer(peer.parse().unwrap()));
        for (name, value) in headers {
            let name: HeaderName = name.parse().unwrap();
            request.headers_mut().insert(name, value.parse().unwrap());
        }
        request
    }

    #[test]
    fn only_a_trusted_proxy_names_a_request() {
        let id = |peer: &str, shown: &str| {
            let id = log(false).id(&request(peer, &[("x-request-id", shown)]));
            id.0.to_str().unwrap().to_owned()
        };
        assert_eq!(id("10.1.2.3", "abc-123_x.Y"), "abc-123_x.Y");
        for (peer, shown) in [
            ("192.0.2.1", "abc"),
            ("10.1.2.3", ""),
            ("10.1.2.3", "a b"),
            ("10.1.2.3", &"a".repeat(65)),
        ] {
            let made = id(peer, shown);
            assert!(made.len() == 16 && made != shown, "{peer} {shown}: {made}");
        }
        assert_ne!(id("192.0.2.1", ""), id("192.0.2.1", ""));
        let mut inner = request("192.0.2.1", &[]);
        inner.extensions_mut().insert(RequestId(HeaderValue::from_static("outer")));
        assert_eq!(log(false).id(&inner).0, "outer");
    }

    #[test]
    fn a_client_is_its_network_and_only_where_that_is_wanted() {
        let network = |networks, peer: &str, headers: &[(&str, &str)]| {
            log(networks).network(&request(peer, headers)).map(|network| network.to_string())
        };
        assert_eq!(network(false, "192.0.2.77", &[]), None);
        assert_eq!(network(true, "192.0.2.77", &[]).unwrap(), "192.0.2.0/24");
        assert_eq!(network(true, "2001:db8:1:2::3", &[]).unwrap(), "2001:db8:1::/48");
        let through = [("x-forwarded-for", "198.51.100.9")];
        assert_eq!(network(true, "10.0.0.1", &through).unwrap(), "198.51.100.0/24");
        assert_eq!(network(true, "192.0.2.77", &through).unwrap(), "192.0.2.0/24");
    }
}
