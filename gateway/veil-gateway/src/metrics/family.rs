//! Figures at one moment, before they take a form.
//!
//! Owns the one list that every exporter reads, so that none can count differently from another, and
//! its text form (OpenMetrics 1.0, which Prometheus scrapes). Refuses to know where figures come from.
//! Invariant: a label's value is one of few: a route's pattern, a status class, a name of ours; never
//! anything that a client wrote.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::exemplar::Exemplar;
use prometheus_client::registry::{Registry, Unit};

use super::histogram::Snapshot;

/// What the text form is called.
pub(crate) const TEXT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Names and values that tell the samples of a family apart.
pub(crate) type Labels = Vec<(&'static str, String)>;

/// What a family counts in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum In {
    /// Things.
    Count,
    /// Bytes.
    Bytes,
    /// Seconds.
    Seconds,
}

/// One sample.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    /// It only grows.
    Counter(f64),
    /// It goes up and down.
    Gauge(f64),
    /// Durations.
    Histogram(Snapshot),
}

/// Samples of one name.
#[derive(Debug, Clone)]
pub(crate) struct Family {
    /// As in Prometheus, without its unit and `_total`.
    pub(crate) name: &'static str,
    pub(crate) help: &'static str,
    pub(crate) unit: In,
    pub(crate) samples: Vec<(Labels, Value)>,
}

/// Families in the order in which they were added.
#[derive(Debug, Clone, Default)]
pub(crate) struct Families(pub(crate) Vec<Family>);

impl Families {
    /// Adds a family of several samples; one without any is left out.
    pub(crate) fn add(
        &mut self,
        (name, unit, help): (&'static str, In, &'static str),
        samples: impl IntoIterator<Item = (Labels, Value)>,
    ) {
        let samples: Vec<_> = samples.into_iter().collect();
        if !samples.is_empty() {
            self.0.push(Family { name, help, unit, samples });
        }
    }

    /// Adds a family of one counter.
    #[allow(clippy::cast_precision_loss, reason = "exact up to 2⁵², as every reader of them is")]
    pub(crate) fn counter(&mut self, what: (&'static str, In, &'static str), value: u64) {
        self.add(what, [(Labels::new(), Value::Counter(value as f64))]);
    }

    /// Adds a family of one gauge.
    pub(crate) fn gauge(&mut self, what: (&'static str, In, &'static str), value: f64) {
        self.add(what, [(Labels::new(), Value::Gauge(value))]);
    }

    /// The text form.
    pub(crate) fn into_text(self) -> String {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(self));
        let mut text = String::new();
        // Writing into a string fails at nothing.
        let _ = encode(&mut text, &registry);
        text
    }
}

impl Collector for Families {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        for family in &self.0 {
            let unit = match family.unit {
                In::Count => None,
                In::Bytes => Some(Unit::Bytes),
                In::Seconds => Some(Unit::Seconds),
            };
            let kind = match family.samples.first() {
                Some((_, Value::Counter(_))) => MetricType::Counter,
                Some((_, Value::Histogram(_))) => MetricType::Histogram,
                _ => MetricType::Gauge,
            };
            let mut metric =
                encoder.encode_descriptor(family.name, family.help, unit.as_ref(), kind)?;
            for (labels, value) in &family.samples {
                if labels.is_empty() {
                    write(&mut metric, value)?;
                } else {
                    write(&mut metric.encode_family(labels)?, value)?;
                }
            }
        }
        Ok(())
    }
}

fn write(metric: &mut MetricEncoder<'_>, value: &Value) -> fmt::Result {
    match value {
        Value::Counter(value) => {
            metric.encode_counter(value, None::<&Exemplar<Vec<(&str, &str)>, f64>>)
        }
        Value::Gauge(value) => metric.encode_gauge(value),
        Value::Histogram(durations) => metric.encode_histogram::<Vec<(&str, &str)>>(
            durations.sum_s(),
            durations.count(),
            &durations.buckets(),
            None,
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::histogram::Histogram;
    use super::*;

    #[test]
    fn the_text_form_is_what_prometheus_reads() {
        let mut families = Families::default();
        families.counter(("veilcast_things", In::Count, "Things seen."), 3);
        families.gauge(("veilcast_memory", In::Bytes, "Memory in use."), 1.5);
        let labels = |route: &str| vec![("route", route.to_owned())];
        let what = ("veilcast_requests", In::Count, "Requests.");
        families.add(what, [(labels("/a\"b"), Value::Counter(1.0))]);
        families.add(("veilcast_none", In::Count, "Nothing."), []);
        let text = families.into_text();
        assert_eq!(
            text,
            "# HELP veilcast_things Things seen.\n# TYPE veilcast_things counter\n\
             veilcast_things_total 3.0\n\
             # HELP veilcast_memory_bytes Memory in use.\n# TYPE veilcast_memory_bytes gauge\n\
             # UNIT veilcast_memory_bytes bytes\nveilcast_memory_bytes 1.5\n\
             # HELP veilcast_requests Requests.\n# TYPE veilcast_requests counter\n\
             veilcast_requests_total{route=\"/a\\\"b\"} 1.0\n# EOF\n"
        );
    }

    #[test]
    fn a_histogram_is_cumulative_and_ends_at_infinity() {
        let histogram = Histogram::default();
        for us in [1, 20, 1 << 40] {
            histogram.record(Duration::from_micros(us));
        }
        let mut families = Families::default();
        let what = ("veilcast_time", In::Seconds, "Time.");
        families.add(what, [(Labels::new(), Value::Histogram(histogram.snapshot()))]);
        let text = families.into_text();
        for line in [
            "veilcast_time_seconds_count 3",
            "veilcast_time_seconds_bucket{le=\"0.000016\"} 1",
            "veilcast_time_seconds_bucket{le=\"0.000032\"} 2",
            "veilcast_time_seconds_bucket{le=\"+Inf\"} 3",
        ] {
            assert!(text.contains(line), "{line} in {text}");
        }
    }
}
