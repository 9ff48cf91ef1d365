//! What the operator sees of a running gateway and may do to it.
//!
//! Owns `GET /metrics`, `GET /performance/metrics` and `POST /performance/gc`, and the list of families
//! that all exporters read. Refuses to name a grant, a title or a viewer: it has only counts.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Map, Value as JsonValue, json};
use tokio::time::Instant;

use crate::admin;
use crate::gateway::Gateway;
use crate::metrics::family::{Families, In, TEXT_TYPE, Value};
use crate::metrics::histogram::Snapshot;
use crate::metrics::process::Process;
use crate::metrics::{RouteFigures, STATUS_CLASSES};
use crate::problem::Problem;

/// What a cache tells of itself.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(crate) struct CacheFigures {
    /// Looks that found what they looked for.
    pub(crate) hits: u64,
    /// Looks that did not.
    pub(crate) misses: u64,
    /// Entries now.
    pub(crate) entries: u64,
    /// What the entries weigh, in bytes.
    pub(crate) bytes: u64,
    /// What they may weigh at most, in bytes.
    pub(crate) limit_bytes: u64,
    /// Entries that gave way to others.
    pub(crate) evictions: u64,
}

/// A cache as the operator sees it.
pub(crate) trait Cache: Send + Sync {
    /// A word of lower-case letters and underscores.
    fn name(&self) -> &'static str;
    fn figures(&self) -> CacheFigures;
    /// Forgets every entry.
    fn purge(&self);
}

/// What only the process around a gateway can tell and do.
#[derive(Clone)]
pub struct ProcessHooks {
    /// How many lines of the log were lost because they could not be written fast enough.
    pub log_lines_dropped: Arc<dyn Fn() -> u64 + Send + Sync>,
    /// Returns memory that the allocator keeps to the system.
    pub release_memory: Arc<dyn Fn() + Send + Sync>,
}

impl Default for ProcessHooks {
    /// Loses no line, and leaves memory to the allocator.
    fn default() -> Self {
        Self { log_lines_dropped: Arc::new(|| 0), release_memory: Arc::new(|| ()) }
    }
}

/// `GET /metrics`: for this machine alone without a token, else with the operator's.
pub(crate) async fn text(
    State(gateway): State<Gateway>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if !gateway.hosts.are_local() {
        admin::check(&gateway, &headers)?;
    }
    Ok(text_of(&gateway))
}

/// `GET /metrics` on a listener of its own that only this machine reaches.
pub(crate) async fn open_text(State(gateway): State<Gateway>) -> Response {
    text_of(&gateway)
}

fn text_of(gateway: &Gateway) -> Response {
    ([(header::CONTENT_TYPE, TEXT_TYPE)], families(gateway).into_text()).into_response()
}

/// Everything that is counted, for every exporter.
#[allow(clippy::cast_precision_loss, reason = "counts and bytes, far below 2⁵²")]
pub(crate) fn families(gateway: &Gateway) -> Families {
    let mut families = Families::default();
    gateway.metrics.collect(&mut families);
    gateway.bucket.meter().collect(&mut families);
    type Field = fn(&CacheFigures) -> Value;
    let fields: [((&'static str, In, &'static str), Field); 6] = [
        (("veilcast_cache_hits", In::Count, "Looks into a cache that found."), |figures| {
            Value::Counter(figures.hits as f64)
        }),
        (("veilcast_cache_misses", In::Count, "Looks into a cache in vain."), |figures| {
            Value::Counter(figures.misses as f64)
        }),
        (("veilcast_cache_entries", In::Count, "Entries of a cache."), |figures| {
            Value::Gauge(figures.entries as f64)
        }),
        (("veilcast_cache", In::Bytes, "What a cache weighs."), |figures| {
            Value::Gauge(figures.bytes as f64)
        }),
        (("veilcast_cache_limit", In::Bytes, "What a cache may weigh."), |figures| {
            Value::Gauge(figures.limit_bytes as f64)
        }),
        (("veilcast_cache_evictions", In::Count, "Entries that gave way to others."), |figures| {
            Value::Counter(figures.evictions as f64)
        }),
    ];
    let caches: Vec<_> = gateway.caches.iter().map(|c| (c.name(), c.figures())).collect();
    for (what, field) in fields {
        let label = |name: &str| vec![("cache", name.to_owned())];
        families.add(what, caches.iter().map(|(name, figures)| (label(name), field(figures))));
    }
    let lost = ("veilcast_log_lines_dropped", In::Count, "Log lines lost to a slow reader.");
    families.counter(lost, (gateway.process.log_lines_dropped)());
    Process::now().collect(&mut families);
    families
}

/// `GET /performance/metrics`
pub(crate) async fn show(State(gateway): State<Gateway>) -> impl IntoResponse {
    let process = Process::now();
    let totals = gateway.metrics.totals();
    let routes: Vec<JsonValue> = gateway.metrics.routes().iter().map(route).collect();
    let caches: Vec<JsonValue> =
        gateway.caches.iter().map(|c| cache(c.name(), c.figures())).collect();
    let meter = gateway.bucket.meter();
    let reads: Map<String, JsonValue> =
        meter.reads().iter().map(|(read, count)| (read.word().to_owned(), json!(count))).collect();
    Json(json!({
        "version": env!("CARGO_PKG_VERSION"),
        "uptime_s": gateway.metrics.uptime().as_secs(),
        "memory": {
            "resident_bytes": process.resident_bytes,
            "resident_peak_bytes": process.resident_peak_bytes
        },
        "cpu_s": process.cpu_s,
        "threads": process.threads,
        "open_files": { "open": process.open_fds, "most": process.max_fds },
        "connections": { "open": totals.connections_open, "accepted": totals.connections },
        "requests": {
            "in_flight": totals.in_flight, "routes": routes
        },
        "caches": caches,
        "store": { "reads": reads, "answer": quantiles(&meter.answers()) },
        "signatures": totals.signatures,
        "log_lines_dropped": (gateway.process.log_lines_dropped)()
    }))
}

fn route(figures: &RouteFigures) -> JsonValue {
    let by_class = STATUS_CLASSES.iter().zip(figures.by_class).filter(|(_, count)| *count > 0);
    let by_status: Map<String, JsonValue> =
        by_class.map(|(class, count)| ((*class).to_owned(), json!(count))).collect();
    json!({
        "route": figures.route,
        "count": figures.durations.count(),
        "by_status": by_status,
        "body_bytes": figures.body_bytes,
        "time": quantiles(&figures.durations)
    })
}

/// p50, p90 and p99 in microseconds; `null` where nothing was measured.
fn quantiles(durations: &Snapshot) -> JsonValue {
    let us = |share| durations.quantile_s(share).map(|seconds| (seconds * 1e6).round());
    json!({ "p50_us": us(0.5), "p90_us": us(0.9), "p99_us": us(0.99) })
}

#[allow(clippy::cast_precision_loss, reason = "counts, far below 2⁵²")]
fn cache(name: &str, figures: CacheFigures) -> JsonValue {
    let looks = figures.hits + figures.misses;
    let ratio = (looks > 0).then(|| figures.hits as f64 / looks as f64);
    json!({
        "name": name, "hits": figures.hits, "misses": figures.misses, "hit_ratio": ratio,
        "entries": figures.entries, "bytes": figures.bytes, "limit_bytes": figures.limit_bytes,
        "evictions": figures.evictions
    })
}

/// `POST /performance/gc`: forgets all caches and returns memory to the system.
pub(crate) async fn collect_garbage(State(gateway): State<Gateway>) -> impl IntoResponse {
    let started = Instant::now();
    let before = Process::now().resident_bytes;
    let purged: Vec<JsonValue> = gateway.caches.iter().map(|cache| purge(cache.as_ref())).collect();
    let release = Arc::clone(&gateway.process.release_memory);
    // It walks the whole heap, so it is kept off the threads that answer.
    let _ = tokio::task::spawn_blocking(move || release()).await;
    Json(json!({
        "resident_bytes_before": before,
        "resident_bytes_after": Process::now().resident_bytes,
        "purged": purged,
        "time_us": u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX)
    }))
}

fn purge(cache: &dyn Cache) -> JsonValue {
    let figures = cache.figures();
    cache.purge();
    json!({ "name": cache.name(), "entries": figures.entries, "bytes": figures.bytes })
}
