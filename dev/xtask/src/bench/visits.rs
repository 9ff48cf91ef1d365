//! Visits to pages: `bench/visits.mjs` makes them and writes a line of JSON for each.

use std::process::{Command, Stdio};
use std::time::Duration;

use serde::de::DeserializeOwned;
use veil_testkit::Spawned;

use crate::failure::{During, Outcome, fail};
use crate::repo::Repo;
use crate::stop::{Ended, Stop};

/// Makes the visits of the bench of this name and returns what each wrote. `words` adds what the bench wants to know.
pub(super) fn visits<T: DeserializeOwned>(
    repo: &Repo,
    bench: &str,
    words: impl FnOnce(&mut Command),
    limit: Duration,
    stop: &Stop,
) -> Outcome<Vec<T>> {
    let mut node = repo.command("node");
    node.args(["bench/visits.mjs", bench]);
    words(&mut node);
    let mut node =
        Spawned::start_with_stderr(&mut node, Stdio::inherit()).during("starting the visits")?;
    let status = match stop.wait_within(&mut node, limit)? {
        Ended::Asked => return Err(fail("stopped")),
        Ended::Child(status) => status,
    };
    if !status.success() {
        return Err(fail(format!("the visits ended with {status}")));
    }
    std::iter::from_fn(|| node.next_line(Duration::from_secs(1)).ok())
        .map(|line| serde_json::from_str(&line).during("reading a visit"))
        .collect()
}
