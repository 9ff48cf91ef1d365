//! `veilcast worker`: works on jobs until it is told to stop.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use tokio_util::sync::CancellationToken;
use veil_studio::Studio;
use veil_studio::jobs::{JobSettings, JobState, Jobs};
use veil_studio::pipeline::Encoder;

use crate::args::jobs::WorkerArgs;
use crate::commands::import::encoder;
use crate::commands::make::services::services;
use crate::commands::stop_signal;
use crate::error::CliError;
use crate::output::Format;
use crate::turns;

/// How often is looked whether anything is left to do.
const LOOK_EVERY: Duration = Duration::from_millis(200);

pub(crate) async fn run(
    studio: Studio,
    args: &WorkerArgs,
    data: &Path,
    format: Format,
) -> Result<(), CliError> {
    let turns = turns::open(&args.budget, false, Some(data))?;
    let settings = JobSettings {
        encoder: Some(Encoder { turns: Some(turns), ..encoder().await? }),
        services: services(&args.services)?,
        slots: args.slots.get(),
        stall_limit: args.stall,
        ..JobSettings::new(Timestamp::now)
    };
    let jobs = Jobs::open(Arc::new(studio), settings).await?;
    let stop = CancellationToken::new();
    let workers = tokio::spawn({
        let (jobs, stop) = (jobs.clone(), stop.clone());
        async move { jobs.run(stop).await }
    });
    format.answer(&json!({ "event": "ready" }), || "working on jobs; Ctrl-C stops".to_owned());
    let waited = tokio::select! {
        stopped = stop_signal() => stopped,
        done = until_done(&jobs), if args.until_done => done,
    };
    stop.cancel();
    let broken = |_| CliError::new("a part of the program broke down");
    workers.await.map_err(broken)??;
    jobs.close().await;
    waited
}

/// Waits until no job waits or runs.
async fn until_done(jobs: &Jobs) -> Result<(), CliError> {
    let busy = [JobState::Waiting, JobState::Running, JobState::Cancelling];
    while jobs.count(&busy).await? > 0 {
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Ok(())
}

/// A length of time from a second to a day.
pub(crate) fn stall(text: &str) -> Result<Duration, String> {
    let length: Option<SignedDuration> = text.parse().ok();
    let fits = |length: &SignedDuration| {
        (SignedDuration::from_secs(1)..=SignedDuration::from_hours(24)).contains(length)
    };
    let length = length.filter(fits).and_then(|length| Duration::try_from(length).ok());
    length.ok_or_else(|| "a time from a second to a day, such as 90s or 5m".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stall_is_a_time_that_can_be_waited() {
        assert_eq!(stall("90s"), Ok(Duration::from_secs(90)));
        for text in ["", "0s", "2d", "-1s", "soon"] {
            assert!(stall(text).is_err(), "{text}");
        }
    }
}
