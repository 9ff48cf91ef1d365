//! The log on standard error.
//!
//! Owns its two forms, and that only the gateway's own lines appear: what libraries below log at
//! debug level holds paths, and paths hold grant ids. Lines of the access log go through a bounded queue
//! to a thread of their own, so that a slow reader of standard error (a full disk, a stopped terminal)
//! never holds up an answer: lines that find no room are counted and lost. Everything else is written
//! at once.

use std::io::{BufWriter, Stderr, stderr};

use tracing::level_filters::LevelFilter;
use tracing_appender::non_blocking::{ErrorCounter, NonBlocking, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer, fmt};
use veil_gateway::LogForm;

/// Most lines that wait: half a second of the busiest gateway, in about 2 MB.
const WAITING_LINES_MAX: usize = 8192;

/// How much is written at once when lines come fast, in bytes.
const WRITE_BYTES: usize = 32 << 10;

/// The log; what waits is written when it is dropped.
pub(crate) struct Log {
    _worker: WorkerGuard,
    dropped: ErrorCounter,
}

impl Log {
    /// Counts lines that were lost.
    pub(crate) fn dropped(&self) -> impl Fn() -> u64 + Send + Sync + 'static {
        let dropped = self.dropped.clone();
        move || dropped.dropped_lines() as u64
    }
}

/// Starts logging until the log is dropped.
pub(crate) fn start(form: LogForm) -> Log {
    let (access, worker) = queue(BufWriter::with_capacity(WRITE_BYTES, stderr()));
    let dropped = access.error_counter();
    let of_access = Targets::new().with_target("access", LevelFilter::INFO);
    let others = Targets::new()
        .with_target("veil_gateway", LevelFilter::INFO)
        .with_target("veilcast_gateway", LevelFilter::INFO);
    tracing_subscriber::registry()
        .with(layer(form, access).with_filter(of_access))
        .with(layer(form, stderr).with_filter(others))
        .init();
    Log { _worker: worker, dropped }
}

fn queue(out: BufWriter<Stderr>) -> (NonBlocking, WorkerGuard) {
    let queue = NonBlockingBuilder::default().lossy(true).thread_name("log");
    queue.buffered_lines_limit(WAITING_LINES_MAX).finish(out)
}

fn layer<S, W>(form: LogForm, out: W) -> Box<dyn Layer<S> + Send + Sync>
where
    S: tracing::Subscriber + for<'a> LookupSpan<'a>,
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let layer = fmt::layer().with_writer(out).with_ansi(false);
    match form {
        LogForm::Text => layer.boxed(),
        LogForm::Json => layer.json().flatten_event(true).boxed(),
    }
}
