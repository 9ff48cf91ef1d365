//! `veilcast-gateway`: the blind gateway as a process.
//!
//! Owns what a process has and a library must not: arguments, files, the environment, the clock,
//! standard streams, signals, the exit code. Standard output carries one line of JSON when the gateway answers; the access log
//! and errors go to standard error. Exit codes: 0 drained after a signal, 1 failed, 2 usage.

mod args;
mod certificate;
mod check;
mod credentials;
mod files;
mod logging;
mod memory;
mod operator;
mod parts;
mod plain;
mod private_file;
mod store;
mod urls;

use std::convert::Infallible;
use std::io::Write as _;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser as _;
use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};
use veil_gateway::{Config, Drained, Gateway, ServeLimits, Tls, serve, serve_tls};

use args::Args;
use logging::Log;
use store::Store;

/// Threads that read files; each holds one piece of 64 KiB.
const BLOCKING_THREAD_COUNT: usize = 64;

/// What is told of a public URL with `http:` that other machines reach.
const IN_CLEAR: &str = "a public URL with http: bearers travel in clear, and browsers decrypt only on \
                        https pages; put a proxy with a certificate before the gateway";

/// A failure as a person reads it: what happened, and what to do.
struct Failure {
    error: String,
    hint: String,
}

impl Failure {
    fn new(error: impl ToString, hint: impl Into<String>) -> Self {
        Self { error: error.to_string(), hint: hint.into() }
    }

    fn show(&self) {
        let text = format!("error: {}\nhint: {}\n", self.error, self.hint);
        let _ = std::io::stderr().write_all(text.as_bytes());
    }
}

fn main() -> ExitCode {
    let args = Args::parse();
    let done = parts::config(&args).and_then(|config| {
        if args.check_config {
            return check::run(&config);
        }
        let log = logging::start(config.log);
        memory::settle();
        run(&config, &log)
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.show();
            ExitCode::FAILURE
        }
    }
}

fn run(config: &Config, log: &Log) -> Result<(), Failure> {
    let Store { bucket, s3 } = store::open(config)?;
    let (signer, with_titles) = urls::signers(config, s3.as_ref())?.split();
    let plain = plain::trees(config, s3.as_ref())?;
    let page = parts::page(config)?;
    if page.is_empty() {
        tracing::warn!("this gateway was built without its watch page: links will answer 503");
    }
    let tls = certificate::Files::of(config).map(|files| tls(&files)).transpose()?;
    let connection_count = files::connections(config.limits.connection_count);
    let limits = ServeLimits { connection_count, ..config.limits };
    runtime()?.block_on(async {
        let listener = listen(config.listen).await?;
        let address = listener.local_addr().map_err(|error| {
            Failure::new(error, "the system closed the socket; start the gateway again")
        })?;
        let hosts = parts::hosts(address, config)?;
        if parts::is_in_clear(config) {
            tracing::warn!("{IN_CLEAR}");
        }
        let clock = Arc::new(Timestamp::now);
        let gateway = Gateway::new(bucket, signer, hosts, page, clock)
            .with_cors(config.cors.clone())
            .with_rates(config.rate.clone(), config.proxy.clone())
            .with_plain(plain);
        let gateway = with_titles(gateway.with_caches(&config.cache))?;
        let gateway = match &tls {
            None => gateway,
            Some(_) => gateway.with_strict_transport(config.tls.strict_transport_s),
        };
        let gateway = operator::equip(gateway, config, log)?;
        let aside = operator::listen(config, &gateway).await?;
        let pushing = operator::push(config, address.port(), &gateway)?;
        if let Some(s3) = s3 {
            tokio::spawn(s3.credential.keep());
        }
        let (stop, hangups) = (stop_signal()?, catch(SignalKind::hangup())?);
        announce(address, tls.is_some(), aside)?;
        let drained = tokio::select! {
            drained = serve_by(tls.clone(), listener, gateway, limits, stop) => drained,
            never = follow(config, tls, hangups) => match never {},
        };
        if let Some(pushing) = pushing {
            pushing.end().await;
        }
        if let Drained::Cut { connection_count } = drained {
            tracing::warn!(connection_count, "downloads were cut at the drain limit");
        }
        Ok(())
    })
}

/// TLS with the certificate that lies in the files now.
fn tls(files: &certificate::Files<'_>) -> Result<Tls, Failure> {
    let certificate = files.read()?;
    if certificate.ends <= Timestamp::now() {
        tracing::warn!(ended = %certificate.ends, "the certificate has ended: browsers refuse it");
    }
    Tls::new(certificate)
        .map_err(|error| Failure::new(error, "the system gives no randomness; look at its log"))
}

async fn serve_by(
    tls: Option<Tls>,
    listener: TcpListener,
    gateway: Gateway,
    limits: ServeLimits,
    stop: impl Future<Output = ()>,
) -> Drained {
    match tls {
        None => serve(listener, gateway, limits, stop).await,
        Some(tls) => serve_tls(listener, gateway, tls, limits, stop).await,
    }
}

/// Keeps what may change while the gateway runs. SIGHUP ends nothing, even where there is nothing to
/// read again.
async fn follow(config: &Config, tls: Option<Tls>, mut hangups: Signal) -> Infallible {
    if let Some((files, tls)) = certificate::Files::of(config).zip(tls) {
        return files.follow(tls, &mut hangups).await;
    }
    loop {
        hangups.recv().await;
        tracing::info!("SIGHUP: there is no certificate to read again");
    }
}

fn runtime() -> Result<Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .max_blocking_threads(BLOCKING_THREAD_COUNT)
        .build()
        .map_err(|error| Failure::new(error, "the system has no threads or memory left"))
}

async fn listen(address: SocketAddr) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).await.map_err(|error| {
        let hint = match error.kind() {
            std::io::ErrorKind::AddrInUse => {
                "another process has this port; stop it, or choose another with --listen"
            }
            std::io::ErrorKind::PermissionDenied => {
                "ports below 1024 need a privilege; choose another with --listen"
            }
            _ => "choose an address of this machine with --listen",
        };
        Failure::new(format!("cannot listen on {address}: {error}"), hint)
    })
}

/// Tells whoever started this process where it answers.
fn announce(
    address: SocketAddr,
    has_tls: bool,
    metrics: Option<SocketAddr>,
) -> Result<(), Failure> {
    let scheme = if has_tls { "https" } else { "http" };
    let mut line =
        serde_json::json!({ "event": "listening", "url": format!("{scheme}://{address}") });
    if let Some(metrics) = metrics {
        line["metrics_url"] = format!("http://{metrics}/metrics").into();
    }
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).map_err(|error| {
        Failure::new(format!("cannot write to standard output: {error}"), "do not close it")
    })
}

fn catch(kind: SignalKind) -> Result<Signal, Failure> {
    signal(kind).map_err(|error| {
        Failure::new(format!("cannot catch signals: {error}"), "the system has no descriptors left")
    })
}

/// Completes at the first SIGTERM or SIGINT. A second one ends the process at once.
fn stop_signal() -> Result<impl Future<Output = ()>, Failure> {
    let (mut term, mut int) = (catch(SignalKind::terminate())?, catch(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! { _ = term.recv() => {}, _ = int.recv() => {} }
        tracing::info!("draining: running downloads are finished, new ones refused");
        tokio::spawn(async move {
            tokio::select! { _ = term.recv() => {}, _ = int.recv() => {} }
            #[allow(clippy::exit, reason = "whoever asks twice wants it now")]
            std::process::exit(1);
        });
    })
}
