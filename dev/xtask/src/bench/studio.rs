//! `studio` and `studio-page`: what the studio's process holds and uses, idle, while it renders and after a hundred productions; how soon its
//! interface answers meanwhile; and how soon its page is there, with and without a render.
//!
//! The work is done by `bench/studio`, which writes a line of JSON; here the figures are made.

use std::process::Command;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::measure::{median, percentile};
use super::verdict;
use super::visits::visits;
use crate::args::BenchOptions;
use crate::console::note;
use crate::failure::{Outcome, fail};
use crate::repo::Repo;
use crate::stop::Stop;

/// Productions, and visits with and without a render, where none are asked for.
const PRODUCTIONS: usize = 100;
const VISITS: usize = 10;

const IDLE_BYTES_AIM: f64 = 30e6;
const IDLE_CPU_AIM: f64 = 0.005;
const PEAK_BYTES_AIM: f64 = 120e6;
/// Memory after all productions over that after the first ten.
const GROWTH_AIM: f64 = 1.1;
const ANSWER_AIM_MS: f64 = 50.0;
const PAINT_AIM_MS: f64 = 500.0;
const INTERACTIVE_AIM_MS: f64 = 1000.0;
const TASK_AIM_MS: f64 = 50.0;

const START_LIMIT: Duration = Duration::from_secs(120);
const EACH_LIMIT: Duration = Duration::from_secs(15);

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Idle {
    rss_bytes: f64,
    /// Of one processor.
    cpu_share: f64,
}

/// What `bench/studio work` writes.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Work {
    idle: Idle,
    after_first_bytes: f64,
    after_all_bytes: f64,
    peak_bytes: f64,
    answers_ms: Vec<f64>,
    productions: usize,
    processes_left: Vec<String>,
    files_left: Vec<String>,
}

/// One visit to the page, in milliseconds.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Visit {
    paint_ms: f64,
    interactive_ms: f64,
    longest_task_ms: f64,
}

/// What `bench/studio page` writes.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    idle: Vec<Visit>,
    rendering: Vec<Visit>,
    /// Whether it still rendered when the last visit was over.
    is_rendering: bool,
}

/// Renders tiny productions and holds the process to its bounds.
pub(super) fn run(repo: &Repo, options: &BenchOptions, stop: &Stop) -> Outcome<Value> {
    let count = options.runs.unwrap_or(PRODUCTIONS);
    let seen: Work = part(repo, "work", count, stop)?;
    let mb = |bytes: f64| bytes / 1e6;
    let (idle, peak) = (seen.idle.rss_bytes, seen.peak_bytes);
    verdict(&format!("idle memory: {:.1} MB (aim 30)", mb(idle)), idle <= IDLE_BYTES_AIM);
    let cpu = seen.idle.cpu_share;
    verdict(&format!("idle CPU: {:.2} % (aim 0.5)", cpu * 100.0), cpu < IDLE_CPU_AIM);
    verdict(
        &format!("memory while rendering: {:.1} MB (aim 120)", mb(peak)),
        peak <= PEAK_BYTES_AIM,
    );
    let growth = seen.after_all_bytes / seen.after_first_bytes;
    let words = format!(
        "memory after {} productions: {:.1} MB, {growth:.3} of that after ten (aim {GROWTH_AIM})",
        seen.productions,
        mb(seen.after_all_bytes),
    );
    verdict(&words, growth <= GROWTH_AIM);
    let p99 = percentile(seen.answers_ms.iter().copied(), 99);
    note(format_args!("{} answers while it rendered", seen.answers_ms.len()));
    verdict(&format!("their p99: {p99:.1} ms (aim {ANSWER_AIM_MS})"), p99 < ANSWER_AIM_MS);
    let left = [seen.processes_left.as_slice(), seen.files_left.as_slice()].concat();
    verdict(&format!("processes and temporary files left: {left:?}"), left.is_empty());
    Ok(json!({ "seen": seen, "p99_ms": p99, "growth": growth }))
}

/// Visits the page, with and without a render.
pub(super) fn run_page(repo: &Repo, options: &BenchOptions, stop: &Stop) -> Outcome<Value> {
    let count = options.runs.unwrap_or(VISITS);
    let seen: Page = part(repo, "page", count, stop)?;
    if !seen.is_rendering {
        return Err(fail("the render was over before the last visit"));
    }
    for (name, visits) in [("idle", &seen.idle), ("rendering", &seen.rendering)] {
        let paint = median(visits.iter().map(|visit| visit.paint_ms));
        let words = format!("first contentful paint, {name}: {paint:.0} ms (aim {PAINT_AIM_MS})");
        verdict(&words, paint < PAINT_AIM_MS);
        let interactive = median(visits.iter().map(|visit| visit.interactive_ms));
        let words = format!("interactive, {name}: {interactive:.0} ms (aim {INTERACTIVE_AIM_MS})");
        verdict(&words, interactive < INTERACTIVE_AIM_MS);
        let longest = visits.iter().map(|visit| visit.longest_task_ms).fold(0.0, f64::max);
        let words = format!("longest task, {name}: {longest:.0} ms (aim {TASK_AIM_MS})");
        verdict(&words, longest <= TASK_AIM_MS);
    }
    Ok(json!(seen))
}

fn part<T: serde::de::DeserializeOwned>(
    repo: &Repo,
    part: &str,
    count: usize,
    stop: &Stop,
) -> Outcome<T> {
    let turns = u32::try_from(count + 1).unwrap_or(u32::MAX);
    let program = repo.bin_dir("release").join("veilcast");
    let words = |node: &mut Command| {
        node.arg(program).args([part, &count.to_string()]);
    };
    let lines = visits(repo, "studio", words, START_LIMIT + EACH_LIMIT * turns, stop)?;
    lines.into_iter().next().ok_or_else(|| fail("the bench wrote nothing"))
}
