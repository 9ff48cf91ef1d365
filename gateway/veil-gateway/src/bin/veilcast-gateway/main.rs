//! `veilcast-gateway`: the blind gateway as a process.
//!
//! Owns what a process has and a library must not: arguments, the clock, standard streams, signals,
//! the exit code. Standard output carries one line of JSON when the gateway answers; the access log
//! and errors go to standard error. Exit codes: 0 drained after a signal, 1 failed, 2 usage.

mod args;
mod credentials;
mod files;
mod logging;
mod operator;
mod private_file;

use std::io::Write as _;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser as _;
use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use veil_gateway::{Bucket, Drained, Gateway, Hosts, PageFiles, ServeLimits, Signer, serve};

use args::Args;

/// Threads that read files; each holds one piece of 64 KiB.
const BLOCKING_THREAD_COUNT: usize = 64;

/// A failure as a person reads it: what happened, and what to do.
struct Failure {
    error: String,
    hint: &'static str,
}

impl Failure {
    fn new(error: impl ToString, hint: &'static str) -> Self {
        Self { error: error.to_string(), hint }
    }
}

fn main() -> ExitCode {
    let args = Args::parse();
    logging::start(args.log);
    match run(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let text = format!("error: {}\nhint: {}\n", failure.error, failure.hint);
            let _ = std::io::stderr().write_all(text.as_bytes());
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<(), Failure> {
    let credentials = credentials::read(&args.credentials)?;
    let bucket = Bucket::folder(&args.bucket).map_err(|error| {
        Failure::new(error, "name the folder that `veilcast` publishes into, or create it first")
    })?;
    let page = match &args.page {
        None => PageFiles::embedded(),
        Some(folder) => PageFiles::folder(folder)
            .map_err(|error| Failure::new(error, "name the folder that `npm run build` wrote"))?,
    };
    if page.is_empty() {
        tracing::warn!("this gateway was built without its watch page: links will answer 503");
    }
    let limits = ServeLimits::default();
    let limits =
        ServeLimits { connection_count: files::connections(limits.connection_count), ..limits };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .max_blocking_threads(BLOCKING_THREAD_COUNT)
        .build()
        .map_err(|error| Failure::new(error, "the system has no threads or memory left"))?;
    runtime.block_on(async {
        let listener = listen(args.listen).await?;
        let address = listener.local_addr().map_err(|error| {
            Failure::new(error, "the system closed the socket; start the gateway again")
        })?;
        let hosts = hosts(address, &args.public_url)?;
        let clock = Arc::new(Timestamp::now);
        let gateway = Gateway::new(bucket, Signer::local(credentials), hosts, page, clock);
        let gateway = operator::equip(gateway, args.admin_token.as_deref())?;
        let aside = match args.metrics_listen {
            Some(address) => Some(operator::listen(address, &gateway).await?),
            None => None,
        };
        let stop = stop_signal()?;
        announce(address, aside)?;
        let drained = serve(listener, gateway, limits, stop).await;
        if let Drained::Cut { connection_count } = drained {
            tracing::warn!(connection_count, "downloads were cut at the drain limit");
        }
        Ok(())
    })
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

/// The hosts to answer for. Beyond loopback the gateway must be told its names, or it could not tell
/// its own visitors from those of a page that rebinds its name to this address.
fn hosts(address: SocketAddr, public_urls: &[String]) -> Result<Hosts, Failure> {
    let mut hosts = Hosts::listening_on(address);
    for url in public_urls {
        hosts.add_public_url(url).map_err(|error| {
            let hint = "write it as https://videos.example.org";
            Failure::new(format!("--public-url {url}: {error}"), hint)
        })?;
        if url.starts_with("http://") && !address.ip().is_loopback() {
            tracing::warn!(
                "a public URL with http: bearers travel in clear, and browsers decrypt only on https \
                 pages; put a proxy with a certificate before the gateway"
            );
        }
    }
    if hosts.is_empty() {
        let error =
            format!("{address} is reachable from other machines, and no --public-url is set");
        let hint = "add --public-url https://videos.example.org, or listen on 127.0.0.1";
        return Err(Failure::new(error, hint));
    }
    Ok(hosts)
}

/// Tells whoever started this process where it answers.
fn announce(address: SocketAddr, metrics: Option<SocketAddr>) -> Result<(), Failure> {
    let mut line = serde_json::json!({ "event": "listening", "url": format!("http://{address}") });
    if let Some(metrics) = metrics {
        line["metrics_url"] = format!("http://{metrics}/metrics").into();
    }
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).map_err(|error| {
        Failure::new(format!("cannot write to standard output: {error}"), "do not close it")
    })
}

/// Completes at the first SIGTERM or SIGINT. A second one ends the process at once.
fn stop_signal() -> Result<impl Future<Output = ()>, Failure> {
    let catch = |kind| {
        signal(kind).map_err(|error| {
            Failure::new(
                format!("cannot catch signals: {error}"),
                "the system has no descriptors left",
            )
        })
    };
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
