//! `veilcast studio`: the studio's page and its HTTP interface, until Ctrl-C.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use veil_studio::Studio;
use veil_studio::jobs::{JobSettings, Jobs};
use veil_studio::pipeline::Encoder;
use veil_studio::watch::{Watch, WatchError};
use veil_studio_api::{Api, ApiError, Desk, Password, Reach, preset, serve};
use zeroize::Zeroizing;

use crate::args::studio::StudioArgs;
use crate::commands::import::encoder;
use crate::commands::make::services::services;
use crate::commands::{stop_signal, tell};
use crate::error::CliError;
use crate::output::{Format, note};
use crate::sealed::ask::read_secret;
use crate::turns;

/// The longest file of a password.
const PASSWORD_BYTES_MAX: u64 = 2048;
/// How often the studio sweeps.
const SWEEP_EVERY: Duration = Duration::from_secs(600);

pub(crate) async fn run(studio: Studio, args: &StudioArgs, format: Format) -> Result<(), CliError> {
    let password = args.password_file.as_deref().map(password).transpose()?;
    let listener = TcpListener::bind(args.listen).await;
    let listener = listener.map_err(|error| {
        CliError::new(format!("cannot listen on {}: {error}", args.listen))
            .hint("--listen 127.0.0.1:0 lets the system pick a port")
    })?;
    let address = listener.local_addr().map_err(|error| CliError::new(error.to_string()))?;
    let studio = Arc::new(studio);
    let turns = turns::open(&args.budget, false, Some(studio.data().root()))?;
    let encoder = Encoder { turns: Some(turns), ..encoder().await? };
    let jobs = jobs(&studio, args, encoder.clone()).await?;
    let watch = watch(&studio, args, &encoder)?;
    let desk = Desk { encoder, jobs: jobs.clone(), watch: watch.clone() };
    let reach = Reach { address, public_url: args.public_url.clone(), password };
    let api = Api::new(Arc::clone(&studio), desk, reach)?;
    let told = Arc::clone(&studio);
    let api = api.telling(move |grants| {
        let studio = Arc::clone(&told);
        Box::pin(async move {
            tell::forget(&studio, grants).await;
        })
    });
    let base = args.public_url.clone().unwrap_or_else(|| format!("http://{address}"));
    let url = Zeroizing::new(format!("{}/#token={}", base.trim_end_matches('/'), api.token()));
    let answer = json!({ "event": "ready", "url": *url, "address": address.to_string() });
    format.answer(&answer, || {
        format!(
            "The studio is at {}\n\nWhoever has this address can use it. Ctrl-C stops it.",
            *url
        )
    });
    let stop = CancellationToken::new();
    let serving = tokio::spawn(serve(listener, api, stop.clone()));
    let working = tokio::spawn({
        let (jobs, stop) = (jobs.clone(), stop.clone());
        async move { jobs.run(stop).await }
    });
    let watching = watch.map(|watch| {
        let stop = stop.clone();
        tokio::spawn(async move { watch.run(stop).await })
    });
    let stopped = tokio::select! {
        stopped = stop_signal() => stopped,
        () = keep_house(&studio) => Ok(()),
    };
    stop.cancel();
    let _ = serving.await;
    if let Some(watching) = watching {
        let _ = watching.await;
    }
    let broken = |_| CliError::new("a part of the program broke down");
    working.await.map_err(broken)??;
    jobs.close().await;
    stopped
}

/// The studio's jobs, as they are preset.
async fn jobs(studio: &Arc<Studio>, args: &StudioArgs, encoder: Encoder) -> Result<Jobs, CliError> {
    let settings = JobSettings {
        encoder: Some(encoder),
        services: services(&args.services)?,
        rate_per_minute: preset(studio.data())?.hide_per_minute.into(),
        ..JobSettings::new(Timestamp::now)
    };
    Ok(Jobs::open(Arc::clone(studio), settings).await?)
}

/// The watched folders, if there are any.
fn watch(
    studio: &Arc<Studio>,
    args: &StudioArgs,
    encoder: &Encoder,
) -> Result<Option<Arc<Watch>>, CliError> {
    if args.watch.is_empty() {
        return Ok(None);
    }
    let watch = Watch::new(Arc::clone(studio), encoder.clone(), &args.watch, Timestamp::now)?;
    Ok(Some(Arc::new(watch)))
}

fn password(path: &Path) -> Result<Password, CliError> {
    let bytes = read_secret(path, PASSWORD_BYTES_MAX)?;
    let text = std::str::from_utf8(&bytes).unwrap_or_default();
    let line = Zeroizing::new(text.lines().next().unwrap_or_default().to_owned());
    Password::new(&line).map_err(|error| {
        CliError::new(format!("{}: {error}", path.display())).hint("its first line is the password")
    })
}

/// Sweeps from time to time, for ever.
async fn keep_house(studio: &Studio) {
    let mut told = Vec::new();
    let mut sweep = tokio::time::interval(SWEEP_EVERY);
    loop {
        sweep.tick().await;
        let failures = match studio.sweep(Timestamp::now()).await {
            Ok(swept) => swept.failures,
            Err(error) => vec![error.to_string()],
        };
        // Said once, and again when it is another failure.
        if failures != told {
            failures
                .iter()
                .for_each(|failure| note(&format!("warning: sweeping failed: {failure}")));
            told = failures;
        }
    }
}

impl From<WatchError> for CliError {
    fn from(error: WatchError) -> Self {
        let hint = match error {
            WatchError::NoFolder(_) => "--watch names a folder that is there",
            WatchError::Own(_) => "watch a folder elsewhere",
            _ => "watch a folder that holds them all",
        };
        Self::new(error.to_string()).hint(hint)
    }
}

impl From<ApiError> for CliError {
    fn from(error: ApiError) -> Self {
        Self { message: error.to_string(), hint: error.hint() }
    }
}
