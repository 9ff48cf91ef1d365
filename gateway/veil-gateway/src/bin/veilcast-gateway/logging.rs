//! The log on standard error.
//!
//! Owns its two forms, and that only the gateway's own lines appear: what libraries below log at
//! debug level holds paths, and paths hold grant ids.

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer as _, fmt};
use veil_gateway::LogForm;

/// Starts logging for the rest of the process's life.
pub(crate) fn start(form: LogForm) {
    let ours = Targets::new()
        .with_target("access", LevelFilter::INFO)
        .with_target("veil_gateway", LevelFilter::INFO)
        .with_target("veilcast_gateway", LevelFilter::INFO);
    let layer = fmt::layer().with_writer(std::io::stderr).with_ansi(false);
    let layer = match form {
        LogForm::Text => layer.boxed(),
        LogForm::Json => layer.json().flatten_event(true).boxed(),
    };
    tracing_subscriber::registry().with(layer.with_filter(ours)).init();
}
