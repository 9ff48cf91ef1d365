//! The figures as OpenTelemetry's protocol has them (OTLP 1.x, metrics).
//!
//! Owns the translation, which is pure: families in, message out. Names and units are those that
//! Prometheus makes its own names of again, so that what is pushed and what is scraped are called the
//! same. Counters are cumulative since the process began: a push that is lost loses nothing.

use jiff::Timestamp;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value};
use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, Gauge, Histogram, HistogramDataPoint, Metric, NumberDataPoint,
    ResourceMetrics, ScopeMetrics, Sum, metric, number_data_point,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use prost::Message as _;

use super::family::{Families, Family, In, Labels, Value};
use super::histogram::Snapshot;

/// What the service is called.
const SERVICE: &str = "veilcast-gateway";

/// When the counting began and when it was read, in nanoseconds of Unix time.
#[derive(Clone, Copy)]
struct Span {
    from: u64,
    to: u64,
}

/// Writes an export request of what was counted from `started` to `now` by the process `instance`.
pub(crate) fn request(
    families: Families,
    instance: &str,
    started: Timestamp,
    now: Timestamp,
) -> Vec<u8> {
    let span = Span { from: nanoseconds(started), to: nanoseconds(now) };
    let attributes = [
        ("service.name", SERVICE),
        ("service.version", env!("CARGO_PKG_VERSION")),
        ("service.instance.id", instance),
    ];
    let attributes = attributes.map(|(name, value)| attribute(name, value.to_owned())).into();
    let scope = InstrumentationScope { name: SERVICE.to_owned(), ..Default::default() };
    let metrics = families.0.into_iter().map(|family| metric(family, span)).collect();
    let scope_metrics = vec![ScopeMetrics { scope: Some(scope), metrics, ..Default::default() }];
    let resource = Some(Resource { attributes, ..Default::default() });
    let resource_metrics = vec![ResourceMetrics { resource, scope_metrics, ..Default::default() }];
    ExportMetricsServiceRequest { resource_metrics }.encode_to_vec()
}

/// Zero for a clock before 1970.
fn nanoseconds(at: Timestamp) -> u64 {
    u64::try_from(at.as_nanosecond()).unwrap_or(0)
}

fn attribute(name: &str, value: String) -> KeyValue {
    let value = Some(AnyValue { value: Some(any_value::Value::StringValue(value)) });
    KeyValue { key: name.to_owned(), value, ..Default::default() }
}

fn attributes(labels: Labels) -> Vec<KeyValue> {
    labels.into_iter().map(|(name, value)| attribute(name, value)).collect()
}

fn metric(family: Family, span: Span) -> Metric {
    let unit = match family.unit {
        In::Count => "",
        In::Bytes => "By",
        In::Seconds => "s",
    };
    let cumulative = AggregationTemporality::Cumulative.into();
    let data = match family.samples.first() {
        Some((_, Value::Histogram(_))) => metric::Data::Histogram(Histogram {
            data_points: histograms(family.samples, span),
            aggregation_temporality: cumulative,
        }),
        Some((_, Value::Counter(_))) => metric::Data::Sum(Sum {
            data_points: numbers(family.samples, span),
            aggregation_temporality: cumulative,
            is_monotonic: true,
        }),
        _ => metric::Data::Gauge(Gauge { data_points: numbers(family.samples, span) }),
    };
    Metric {
        name: family.name.to_owned(),
        description: family.help.to_owned(),
        unit: unit.to_owned(),
        data: Some(data),
        ..Default::default()
    }
}

fn numbers(samples: Vec<(Labels, Value)>, span: Span) -> Vec<NumberDataPoint> {
    let point = |(labels, value)| {
        let (Value::Counter(value) | Value::Gauge(value)) = value else { return None };
        Some(NumberDataPoint {
            attributes: attributes(labels),
            start_time_unix_nano: span.from,
            time_unix_nano: span.to,
            value: Some(number_data_point::Value::AsDouble(value)),
            ..Default::default()
        })
    };
    samples.into_iter().filter_map(point).collect()
}

fn histograms(samples: Vec<(Labels, Value)>, span: Span) -> Vec<HistogramDataPoint> {
    let point = |(labels, value)| {
        let Value::Histogram(durations) = value else { return None };
        Some(histogram(attributes(labels), &durations, span))
    };
    samples.into_iter().filter_map(point).collect()
}

fn histogram(attributes: Vec<KeyValue>, durations: &Snapshot, span: Span) -> HistogramDataPoint {
    let buckets = durations.buckets();
    HistogramDataPoint {
        attributes,
        start_time_unix_nano: span.from,
        time_unix_nano: span.to,
        count: durations.count(),
        sum: Some(durations.sum_s()),
        bucket_counts: buckets.iter().map(|(_, count)| *count).collect(),
        // The last bucket has no end.
        explicit_bounds: buckets[..buckets.len() - 1].iter().map(|(end, _)| *end).collect(),
        ..Default::default()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn every_kind_of_family_is_translated_once_with_its_labels_and_times() {
        let counted = super::super::histogram::Histogram::default();
        counted.record(Duration::from_millis(5));
        let mut families = Families::default();
        let labels = vec![("route", "/a".to_owned())];
        let what = ("veilcast_requests", In::Count, "Requests.");
        families.add(what, [(labels, Value::Counter(3.0))]);
        families.gauge(("veilcast_memory", In::Bytes, "Memory."), 1.5);
        let what = ("veilcast_time", In::Seconds, "Time.");
        families.add(what, [(Labels::new(), Value::Histogram(counted.snapshot()))]);
        let at = |second| Timestamp::from_second(second).unwrap();
        let bytes = request(families, "here:1", at(10), at(70));
        let message = ExportMetricsServiceRequest::decode(bytes.as_slice()).unwrap();
        let [resource] = message.resource_metrics.as_slice() else { panic!("{message:?}") };
        let who = &resource.resource.as_ref().unwrap().attributes;
        assert!(who.contains(&attribute("service.instance.id", "here:1".to_owned())));
        let metrics = &resource.scope_metrics[0].metrics;
        let shape = |metric: &Metric| (metric.name.clone(), metric.unit.clone());
        let shapes: Vec<_> = metrics.iter().map(shape).collect();
        let named = |name: &str, unit: &str| (name.to_owned(), unit.to_owned());
        assert_eq!(
            shapes,
            [
                named("veilcast_requests", ""),
                named("veilcast_memory", "By"),
                named("veilcast_time", "s")
            ]
        );
        let Some(metric::Data::Sum(sum)) = &metrics[0].data else { panic!("{metrics:?}") };
        assert!(sum.is_monotonic);
        assert_eq!(sum.data_points[0].attributes, [attribute("route", "/a".to_owned())]);
        assert_eq!(sum.data_points[0].start_time_unix_nano, 10_000_000_000);
        assert_eq!(sum.data_points[0].time_unix_nano, 70_000_000_000);
        let Some(metric::Data::Histogram(times)) = &metrics[2].data else { panic!("{metrics:?}") };
        let point = &times.data_points[0];
        assert_eq!(point.bucket_counts.len(), point.explicit_bounds.len() + 1);
        assert_eq!((point.count, point.bucket_counts.iter().sum::<u64>()), (1, 1));
    }
}
