//! What the gateway counts of itself.
//!
//! Owns the meters that requests, reads and signatures run through, and the one list of families that
//! Prometheus, OTLP and `/performance/metrics` all read ([`family`]). Recording is a few atomic
//! additions. Refuses to see a path, a query or a header: routes are known by their pattern.
//! Invariant: the number of series is bounded by what the program has, never by what clients send.

pub(crate) mod family;
pub(crate) mod histogram;
pub(crate) mod process;
pub(crate) mod store;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use family::{Families, In, Labels, Value};
use histogram::{Histogram, Snapshot};

/// Classes of status codes, 1xx to 5xx.
pub(crate) const STATUS_CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// Where figures go: the table `[metrics]`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MetricsSettings {
    /// An address of their own for `/metrics`, `/healthz` and `/readyz`. On loopback it wants no
    /// token. Default none.
    pub listen: Option<SocketAddr>,
}

/// Counters of everything but the store and the caches, which have their own.
pub(crate) struct Metrics {
    started: Instant,
    started_at: Timestamp,
    /// By pattern: there are as many as routes.
    routes: RwLock<HashMap<String, Arc<RouteMeter>>>,
    in_flight: AtomicI64,
    connections_open: AtomicI64,
    connections: AtomicU64,
    signatures: AtomicU64,
}

/// One route's requests.
#[derive(Debug, Default)]
struct RouteMeter {
    by_class: [AtomicU64; STATUS_CLASSES.len()],
    body_bytes: AtomicU64,
    durations: Histogram,
}

/// One route's requests at one moment.
pub(crate) struct RouteFigures {
    /// The route's pattern; `-` for requests that no route took.
    pub(crate) route: String,
    /// Requests by [`STATUS_CLASSES`].
    pub(crate) by_class: [u64; STATUS_CLASSES.len()],
    /// Bytes of bodies that left.
    pub(crate) body_bytes: u64,
    /// From the head's arrival to the body's last byte.
    pub(crate) durations: Snapshot,
}

/// Totals at one moment.
pub(crate) struct Totals {
    pub(crate) in_flight: i64,
    pub(crate) connections_open: i64,
    pub(crate) connections: u64,
    pub(crate) signatures: u64,
}

/// Counts one thing as long as it lives.
pub(crate) struct Open {
    metrics: Arc<Metrics>,
    gauge: fn(&Metrics) -> &AtomicI64,
}

impl Drop for Open {
    fn drop(&mut self) {
        (self.gauge)(&self.metrics).fetch_sub(1, Relaxed);
    }
}

impl Metrics {
    /// Counters at zero, of a gateway that starts at `now`.
    pub(crate) fn new(now: Timestamp) -> Self {
        Self {
            started: Instant::now(),
            started_at: now,
            routes: RwLock::default(),
            in_flight: AtomicI64::new(0),
            connections_open: AtomicI64::new(0),
            connections: AtomicU64::new(0),
            signatures: AtomicU64::new(0),
        }
    }

    /// Counts a connection until the guard is dropped.
    pub(crate) fn connection(self: &Arc<Self>) -> Open {
        self.connections.fetch_add(1, Relaxed);
        self.open(|metrics| &metrics.connections_open)
    }

    /// Counts a request as in flight until the guard is dropped.
    pub(crate) fn request(self: &Arc<Self>) -> Open {
        self.open(|metrics| &metrics.in_flight)
    }

    fn open(self: &Arc<Self>, gauge: fn(&Self) -> &AtomicI64) -> Open {
        gauge(self).fetch_add(1, Relaxed);
        Open { metrics: Arc::clone(self), gauge }
    }

    /// Counts signatures that were made.
    pub(crate) fn signed(&self, count: usize) {
        self.signatures.fetch_add(count as u64, Relaxed);
    }

    /// Counts a request that has ended.
    pub(crate) fn ended(&self, route: &str, status: StatusCode, took: Duration, body_bytes: u64) {
        let meter = self.route(route);
        let class = usize::from(status.as_u16() / 100).clamp(1, STATUS_CLASSES.len()) - 1;
        meter.by_class[class].fetch_add(1, Relaxed);
        meter.body_bytes.fetch_add(body_bytes, Relaxed);
        meter.durations.record(took);
    }

    fn route(&self, route: &str) -> Arc<RouteMeter> {
        let known = self.routes.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(meter) = known.get(route) {
            return Arc::clone(meter);
        }
        drop(known);
        let mut routes = self.routes.write().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(routes.entry(route.to_owned()).or_default())
    }

    /// How long this gateway has been there.
    pub(crate) fn uptime(&self) -> Duration {
        self.started.elapsed()
    }

    /// Requests by route, in the order of their patterns.
    pub(crate) fn routes(&self) -> Vec<RouteFigures> {
        let routes = self.routes.read().unwrap_or_else(PoisonError::into_inner);
        let figures = |(route, meter): (&String, &Arc<RouteMeter>)| RouteFigures {
            route: route.clone(),
            by_class: meter.by_class.each_ref().map(|count| count.load(Relaxed)),
            body_bytes: meter.body_bytes.load(Relaxed),
            durations: meter.durations.snapshot(),
        };
        let mut figures: Vec<_> = routes.iter().map(figures).collect();
        figures.sort_by(|one, other| one.route.cmp(&other.route));
        figures
    }

    pub(crate) fn totals(&self) -> Totals {
        Totals {
            in_flight: self.in_flight.load(Relaxed),
            connections_open: self.connections_open.load(Relaxed),
            connections: self.connections.load(Relaxed),
            signatures: self.signatures.load(Relaxed),
        }
    }

    /// Adds everything that is counted here.
    #[allow(clippy::cast_precision_loss, reason = "counts, far below 2⁵²")]
    pub(crate) fn collect(&self, families: &mut Families) {
        let version = vec![("version", env!("CARGO_PKG_VERSION").to_owned())];
        let build = ("veilcast_build_info", In::Count, "Always 1; the version is in its label.");
        families.add(build, [(version, Value::Gauge(1.0))]);
        let start = ("process_start_time", In::Seconds, "When this process began, in Unix time.");
        families.gauge(start, self.started_at.as_second() as f64);
        self.collect_routes(families);
        let totals = self.totals();
        for (what, value) in [
            (("veilcast_http_requests_in_flight", "Requests being answered."), totals.in_flight),
            (("veilcast_connections_open", "Connections of clients."), totals.connections_open),
        ] {
            families.gauge((what.0, In::Count, what.1), value as f64);
        }
        for (what, value) in [
            (("veilcast_connections", "Connections that were accepted."), totals.connections),
            (("veilcast_signatures", "URLs that were signed."), totals.signatures),
        ] {
            families.counter((what.0, In::Count, what.1), value);
        }
    }

    #[allow(clippy::cast_precision_loss, reason = "counts, far below 2⁵²")]
    fn collect_routes(&self, families: &mut Families) {
        let routes = self.routes();
        let label = |figures: &RouteFigures| -> Labels { vec![("route", figures.route.clone())] };
        let requests = routes.iter().flat_map(|figures| {
            let by_class = STATUS_CLASSES.iter().zip(figures.by_class);
            by_class.filter(|(_, count)| *count > 0).map(|(class, count)| {
                let labels =
                    vec![("route", figures.route.clone()), ("status", (*class).to_owned())];
                (labels, Value::Counter(count as f64))
            })
        });
        let what = ("veilcast_http_requests", In::Count, "Requests that were answered.");
        families.add(what, requests);
        let what = ("veilcast_http_response", In::Bytes, "Bytes of bodies that left.");
        let bytes = |figures: &RouteFigures| Value::Counter(figures.body_bytes as f64);
        families.add(what, routes.iter().map(|figures| (label(figures), bytes(figures))));
        let help = "Time from a request's head to its answer's last byte.";
        let what = ("veilcast_http_request_duration", In::Seconds, help);
        let durations = |figures: &RouteFigures| Value::Histogram(figures.durations.clone());
        families.add(what, routes.iter().map(|figures| (label(figures), durations(figures))));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_counted_by_route_and_class_and_in_flight_until_it_ends() {
        let metrics = Arc::new(Metrics::new(Timestamp::UNIX_EPOCH));
        let open = metrics.request();
        assert_eq!(metrics.totals().in_flight, 1);
        drop(open);
        assert_eq!(metrics.totals().in_flight, 0);
        for (status, bytes) in [(200, 10), (206, 5), (404, 0), (999, 0)] {
            let status = StatusCode::from_u16(status).unwrap();
            metrics.ended("/a/{b}", status, Duration::from_millis(1), bytes);
        }
        let [route] = metrics.routes().try_into().ok().unwrap();
        assert_eq!((route.route.as_str(), route.by_class), ("/a/{b}", [0, 2, 0, 1, 1]));
        assert_eq!((route.body_bytes, route.durations.count()), (15, 4));
        let mut families = Families::default();
        metrics.collect(&mut families);
        let text = families.into_text();
        let line = "veilcast_http_requests_total{route=\"/a/{b}\",status=\"2xx\"} 2.0\n";
        assert!(text.contains(line), "{text}");
        assert!(text.contains("veilcast_http_response_bytes_total{route=\"/a/{b}\"} 15.0"));
    }

    #[test]
    fn counting_a_request_takes_less_than_a_microsecond() {
        let metrics = Arc::new(Metrics::new(Timestamp::UNIX_EPOCH));
        for at in 0..16 {
            let route = format!("/v1/grants/{{grant}}/{at}");
            metrics.ended(&route, StatusCode::OK, Duration::from_micros(50), 1);
        }
        let best = (0..20).map(|_| {
            let started = Instant::now();
            for _ in 0..1000 {
                let _open = metrics.request();
                metrics.ended("/v1/grants/{grant}/7", StatusCode::OK, Duration::from_micros(50), 9);
            }
            started.elapsed() / 1000
        });
        let best = best.min().unwrap();
        // Without optimisation it is some five times slower.
        let limit = if cfg!(debug_assertions) { 10 } else { 1 };
        assert!(best < Duration::from_micros(limit), "{best:?}");
    }
}
