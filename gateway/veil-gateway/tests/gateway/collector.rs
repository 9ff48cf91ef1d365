//! Figures pushed by the real binary to a collector that decodes what comes.

#![allow(clippy::disallowed_types, reason = "the binary is started through veil-testkit")]

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::sleep;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use axum::serve::Listener;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::metrics::v1::{Metric, metric, number_data_point};
use prost::Message as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::client::PATIENCE;
use crate::process::{Process, command};
use crate::tls::Pair;

/// One push: its headers and what was in it.
type Push = (HeaderMap, ExportMetricsServiceRequest);

/// A collector that hands on what it takes, and answers as it is told to.
struct Collector {
    _runtime: Runtime,
    scheme: &'static str,
    address: SocketAddr,
    pushes: Receiver<Push>,
    status: Arc<AtomicU16>,
}

#[derive(Clone)]
struct Taker {
    pushes: Arc<Mutex<Sender<Push>>>,
    status: Arc<AtomicU16>,
}

async fn take(State(taker): State<Taker>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let message = ExportMetricsServiceRequest::decode(body).unwrap();
    // Before the test hears of the push: what it says from then on holds for the next one.
    let status = taker.status.load(Ordering::Relaxed);
    taker.pushes.lock().unwrap().send((headers, message)).unwrap();
    StatusCode::from_u16(status).unwrap()
}

impl Collector {
    fn start() -> Self {
        Self::serve(None)
    }

    /// A collector with a certificate, or in clear.
    fn serve(certificate: Option<&Pair>) -> Self {
        let runtime = Runtime::new().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, pushes) = channel();
        let status = Arc::new(AtomicU16::new(200));
        let taker = Taker { pushes: Arc::new(Mutex::new(sender)), status: Arc::clone(&status) };
        let router = Router::new().route("/v1/metrics", post(take)).with_state(taker);
        let scheme = match certificate {
            None => {
                runtime.spawn(async move { axum::serve(listener, router).await });
                "http"
            }
            Some(pair) => {
                let acceptor = TlsAcceptor::from(Arc::new(pair.server_config()));
                let listener = TlsListener { listener, acceptor };
                runtime.spawn(async move { axum::serve(listener, router).await });
                "https"
            }
        };
        Self { _runtime: runtime, scheme, address, pushes, status }
    }

    fn next(&self) -> Push {
        self.pushes.recv_timeout(PATIENCE).unwrap()
    }
}

/// Accepts who shakes hands.
struct TlsListener {
    listener: TcpListener,
    acceptor: TlsAcceptor,
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let (stream, peer) = self.listener.accept().await.unwrap();
            if let Ok(stream) = self.acceptor.accept(stream).await {
                return (stream, peer);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        self.listener.local_addr()
    }
}

fn metrics(push: &Push) -> &[Metric] {
    &push.1.resource_metrics[0].scope_metrics[0].metrics
}

/// The sum of a counter's points whose route is `route`.
fn count(push: &Push, name: &str, route: &str) -> f64 {
    let metric = metrics(push).iter().find(|metric| metric.name == name);
    let Some(metric::Data::Sum(sum)) = metric.and_then(|metric| metric.data.clone()) else {
        return 0.0;
    };
    let of_route = sum.data_points.iter().filter(|point| {
        format!("{:?}", point.attributes).contains(&format!("StringValue(\"{route}\")"))
    });
    of_route
        .map(|point| match point.value {
            Some(number_data_point::Value::AsDouble(value)) => value,
            _ => 0.0,
        })
        .sum()
}

fn start(collector: &Collector, every_s: u32) -> Process {
    start_by(command(), collector, every_s)
}

fn start_by(command: Command, collector: &Collector, every_s: u32) -> Process {
    let folder = tempfile::tempdir().unwrap();
    let headers = folder.path().join("headers");
    fs::write(&headers, "Authorization: Basic c2VjcmV0\nx-scope-orgid: films\n").unwrap();
    fs::set_permissions(&headers, fs::Permissions::from_mode(0o600)).unwrap();
    let path = folder.path().join("gateway.toml");
    let text = format!(
        "[metrics.otlp]\nendpoint = \"{}://{}/v1/metrics\"\nheaders = \"{}\"\nevery_s = {every_s}\n",
        collector.scheme,
        collector.address,
        headers.display()
    );
    fs::write(&path, text).unwrap();
    Process::start_by(command, &["--config", path.to_str().unwrap()])
}

#[test]
fn a_collector_gets_what_was_counted_with_headers_from_a_file_and_the_rest_at_the_end() {
    let collector = Collector::start();
    let process = start(&collector, 1);
    assert_eq!(process.send("GET /nothing", &[]).status, 404);
    let push = collector.next();
    assert_eq!(push.0["content-type"], "application/x-protobuf");
    assert_eq!(push.0["authorization"], "Basic c2VjcmV0");
    assert_eq!(push.0["x-scope-orgid"], "films");
    let resource = format!("{:?}", push.1.resource_metrics[0].resource);
    assert!(resource.contains("veilcast-gateway"), "{resource}");
    let has = |name: &str| metrics(&push).iter().any(|metric| metric.name == name);
    for name in ["veilcast_http_request_duration", "veilcast_store_reads", "process_cpu"] {
        assert!(has(name), "{name}");
    }
    assert_eq!(process.send("GET /nothing", &[]).status, 404);
    let log = process.end();
    assert!(!log.contains("c2VjcmV0") && !log.contains("takes no figures"), "{log}");
    let last = collector.pushes.try_iter().last().unwrap();
    // Cumulative, and counted once though two listeners could read it.
    assert!((count(&last, "veilcast_http_requests", "-") - 2.0).abs() < 0.1);
}

#[test]
fn a_collector_that_fails_is_told_of_once_and_costs_nobody_anything() {
    let collector = Collector::start();
    collector.status.store(503, Ordering::Relaxed);
    let process = start(&collector, 1);
    collector.next();
    collector.next();
    assert_eq!(process.send("GET /healthz", &[]).status, 200);
    collector.status.store(200, Ordering::Relaxed);
    collector.next();
    // A third may have been on its way when the collector recovered.
    let answer = process.send("GET /metrics", &[]);
    let text = answer.text();
    let failed = |count| format!("veilcast_otlp_pushes_total{{outcome=\"failed\"}} {count}.");
    assert!(text.contains(&failed(2)) || text.contains(&failed(3)), "{text}");
    collector.next();
    let log = process.end();
    assert_eq!(log.matches("takes no figures").count(), 1, "{log}");
    assert_eq!(log.matches("takes figures again").count(), 1, "{log}");
    assert!(log.contains("503") && !log.contains("c2VjcmV0"), "{log}");
}

#[test]
fn a_collector_by_https_gets_figures_where_its_certificate_is_trusted_and_nothing_elsewhere() {
    let pair = Pair::new();
    let folder = tempfile::tempdir().unwrap();
    let roots = folder.path().join("roots.pem");
    fs::write(&roots, &pair.chain).unwrap();
    let collector = Collector::serve(Some(&pair));
    let mut trusting = command();
    trusting.env("SSL_CERT_FILE", &roots).env_remove("SSL_CERT_DIR");
    let process = start_by(trusting, &collector, 1);
    assert_eq!(collector.next().0["authorization"], "Basic c2VjcmV0");
    let log = process.end();
    assert!(!log.contains("takes no figures"), "{log}");
    while collector.pushes.try_recv().is_ok() {}

    fs::write(&roots, Pair::new().chain).unwrap();
    let mut doubting = command();
    doubting.env("SSL_CERT_FILE", &roots).env_remove("SSL_CERT_DIR");
    let process = start_by(doubting, &collector, 1);
    let failed = || {
        let figures = process.send("GET /metrics", &[]);
        figures.text().contains("veilcast_otlp_pushes_total{outcome=\"failed\"} 1")
    };
    let end = Instant::now() + PATIENCE;
    while !failed() {
        assert!(Instant::now() < end, "nothing was tried");
        sleep(Duration::from_millis(50));
    }
    let log = process.end();
    assert!(log.contains("takes no figures") && log.contains("no connection"), "{log}");
    assert!(collector.pushes.try_recv().is_err());
}
