//! Figures as Prometheus reads them (the OpenMetrics text).
//!
//! Owns: the names of series. They are as many as there are routes, whatever clients send.

use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use crate::wire::desk::Performance;
use crate::wire::jobs::Queue;

/// What the text is.
pub(crate) const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

type Labels = Vec<(&'static str, String)>;
type Number = Gauge<f64, AtomicU64>;

/// All figures as text.
pub(crate) fn text(figures: &Performance, queue: &Queue) -> Result<String, std::fmt::Error> {
    let mut registry = Registry::with_prefix("veilcast_studio");
    single(&mut registry, figures, queue);
    routes(&mut registry, figures);
    let mut text = String::new();
    encode(&mut text, &registry)?;
    Ok(text)
}

#[expect(clippy::cast_precision_loss, reason = "figures for charts")]
fn single(registry: &mut Registry, figures: &Performance, queue: &Queue) {
    let children = figures.children.iter().map(|child| child.rss_bytes).sum::<u64>();
    let all: [(&str, &str, f64); 14] = [
        ("uptime_seconds", "Time since the beginning", figures.uptime_s as f64),
        ("resident_bytes", "Memory of this process", figures.rss_bytes as f64),
        ("resident_peak_bytes", "The most memory of this process", figures.rss_peak_bytes as f64),
        ("cpu_seconds", "Processor time of this process", figures.cpu_ms as f64 / 1e3),
        (
            "children_cpu_seconds",
            "Processor time of ended children",
            figures.children_cpu_ms as f64 / 1e3,
        ),
        ("children", "Processes below this one", figures.children.len() as f64),
        ("children_resident_bytes", "Memory of processes below", children as f64),
        ("cache_bytes", "Thumbnails, waveforms and previews", figures.cache.bytes as f64),
        ("upload_bytes", "Unfinished uploads", figures.cache.upload_bytes as f64),
        ("media_bytes", "The library's files", figures.cache.media_bytes as f64),
        ("listeners", "Listeners of events", figures.listeners as f64),
        ("jobs_running", "Jobs that run", queue.running as f64),
        ("jobs_pending", "Jobs that wait", queue.pending as f64),
        (
            "jobs_oldest_pending_seconds",
            "How long the oldest has waited",
            queue.oldest_pending_s as f64,
        ),
    ];
    for (name, help, value) in all {
        let gauge = Number::default();
        gauge.set(value);
        registry.register(name, help, gauge);
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of requests")]
fn routes(registry: &mut Registry, figures: &Performance) {
    let requests = Family::<Labels, Number>::default();
    let errors = Family::<Labels, Number>::default();
    let seconds = Family::<Labels, Number>::default();
    for one in &figures.requests {
        let route = || ("route", one.route.clone());
        requests.get_or_create(&vec![route()]).set(one.count as f64);
        errors.get_or_create(&vec![route()]).set(one.errors as f64);
        for (quantile, ms) in [("0.5", one.p50_ms), ("0.95", one.p95_ms), ("0.99", one.p99_ms)] {
            let labels = vec![route(), ("quantile", quantile.to_owned())];
            seconds.get_or_create(&labels).set(ms / 1e3);
        }
    }
    registry.register("requests", "Requests since the beginning", requests);
    registry.register("request_errors", "Requests answered with 5xx", errors);
    registry.register("request_seconds", "How long requests take", seconds);
}
