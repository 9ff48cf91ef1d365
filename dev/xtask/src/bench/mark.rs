//! `mark`: `veilcast import --mark` against an import without marks, and against the two encodes that it needs.
//!
//! The two encodes are the unmarked import's own FFmpeg command, run twice without us. Peaks are of our processes: the one that
//! marks holds frames.

use serde_json::{Value, json};

use super::import::{import, megabytes};
use super::measure::median;
use super::source::named_or_usual;
use super::verdict;
use crate::args::BenchOptions;
use crate::console::{note, table};
use crate::failure::Outcome;
use crate::repo::Repo;
use crate::stop::Stop;

/// Runs where none are asked for.
const RUNS: usize = 3;

/// Wall time of a marked import over that of an unmarked one.
const IMPORT_AIM: f64 = 2.1;

/// Wall time of a marked import over that of two encodes.
const ENCODES_AIM: f64 = 1.1;

struct Run {
    marked_s: f64,
    plain_s: f64,
    encodes_s: f64,
    peak_bytes: u64,
}

/// Runs all three in turn and prints the table.
pub(super) fn run(repo: &Repo, options: &BenchOptions, stop: &Stop) -> Outcome<Value> {
    let video = named_or_usual(repo, options.video.as_deref())?;
    let count = options.runs.unwrap_or(RUNS);
    note(format_args!("{count} runs with {}", video.display()));
    let mut runs = Vec::new();
    for _ in 0..count {
        let plain = import(repo, &video, &[], stop)?;
        let mut encodes_s = 0.0;
        for _ in 0..2 {
            encodes_s += plain.bare(repo, stop)?.wall.as_secs_f64();
        }
        let plain_s = plain.measured.wall.as_secs_f64();
        let marked = import(repo, &video, &["--mark"], stop)?.measured;
        let (marked_s, peak_bytes) = (marked.wall.as_secs_f64(), marked.peak_bytes);
        runs.push(Run { marked_s, plain_s, encodes_s, peak_bytes });
    }
    show(&runs);
    let over_import = median(runs.iter().map(|run| run.marked_s / run.plain_s));
    let over_encodes = median(runs.iter().map(|run| run.marked_s / run.encodes_s));
    let told = |what: &str, ratio: f64, aim: f64| {
        verdict(&format!("marked over {what}: {ratio:.3}, aim {aim}"), ratio <= aim);
    };
    told("unmarked", over_import, IMPORT_AIM);
    told("two encodes", over_encodes, ENCODES_AIM);
    Ok(json!({
        "bench": "mark",
        "video": video.file_name().map(|name| name.to_string_lossy()),
        "runs": runs.iter().map(Run::json).collect::<Vec<_>>(),
        "median": { "over_import": over_import, "over_encodes": over_encodes },
        "aim": { "over_import": IMPORT_AIM, "over_encodes": ENCODES_AIM },
    }))
}

impl Run {
    fn json(&self) -> Value {
        let Self { marked_s, plain_s, encodes_s, peak_bytes } = self;
        json!({ "marked_s": marked_s, "plain_s": plain_s, "encodes_s": encodes_s, "peak_bytes": peak_bytes })
    }
}

fn show(runs: &[Run]) {
    let head = ["run", "marked", "unmarked", "two encodes", "peak memory"].map(String::from);
    let mut rows = vec![head.to_vec()];
    for (at, run) in runs.iter().enumerate() {
        let seconds = |value: f64| format!("{value:.2} s");
        rows.push(vec![
            (at + 1).to_string(),
            seconds(run.marked_s),
            seconds(run.plain_s),
            seconds(run.encodes_s),
            megabytes(run.peak_bytes),
        ]);
    }
    table(&rows);
}
