//! `page`: how soon the watch page is there, how soon it answers, and how still it stands, on a first visit and on the
//! next.
//!
//! The visits are made by `bench/page`, which writes a line of JSON for each; here the product is put up for them
//! and the figures are made.

use std::process::Command;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use super::measure::{median, upper_tenth};
use super::source::named_or_usual;
use super::verdict;
use super::visits::visits;
use crate::args::BenchOptions;
use crate::console::{note, table};
use crate::demo::Product;
use crate::failure::{Outcome, fail};
use crate::repo::Repo;
use crate::stop::{Ended, Stop};

/// Pairs of visits where none are asked for.
const VISITS: usize = 10;

/// First Contentful Paint, and until the page answers, in milliseconds; Cumulative Layout Shift.
const PAINT_AIM_MS: f64 = 500.0;
const INTERACTIVE_AIM_MS: f64 = 1000.0;
const SHIFT_AIM: f64 = 0.05;

const TITLE: &str = "page";

const START_LIMIT: Duration = Duration::from_secs(60);
const PAIR_LIMIT: Duration = Duration::from_secs(20);

/// One line of the visits.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Visit {
    visit: String,
    which: String,
    paint_ms: f64,
    interactive_ms: f64,
    frame_ms: Option<f64>,
    shift: f64,
    longest_task_ms: f64,
    has_worker: bool,
}

/// A figure of a visit: its key, what a person reads, and the aim for its median.
type Figure = (&'static str, &'static str, Option<f64>, fn(&Visit) -> Option<f64>);

const FIGURES: [Figure; 5] = [
    ("paint_ms", "first contentful paint, ms", Some(PAINT_AIM_MS), |seen| Some(seen.paint_ms)),
    ("interactive_ms", "interactive, ms", Some(INTERACTIVE_AIM_MS), |seen| {
        Some(seen.interactive_ms)
    }),
    ("frame_ms", "first frame, ms", None, |seen| seen.frame_ms),
    ("shift", "cumulative layout shift", Some(SHIFT_AIM), |seen| Some(seen.shift)),
    ("longest_task_ms", "longest task, ms", None, |seen| Some(seen.longest_task_ms)),
];

/// Imports, serves, visits and prints the table.
pub(super) fn run(repo: &Repo, options: &BenchOptions, stop: &Stop) -> Outcome<Value> {
    let video = named_or_usual(repo, options.video.as_deref())?;
    let count = options.runs.unwrap_or(VISITS);
    note(format_args!("{count} pairs of visits to {}", video.display()));
    let product = Product::new(repo, "bench")?;
    let mut import = product.import(&video, TITLE, &["--ladder", "480,720"])?;
    match stop.wait(&mut import)? {
        Ended::Asked => return product.end(import).and_then(|()| Err(fail("stopped"))),
        Ended::Child(status) if status.success() => {}
        Ended::Child(status) => return Err(fail(format!("the import ended with {status}"))),
    }
    let up = product.up()?;
    let visits = product.share(TITLE).and_then(|link| visit(repo, &link, count, stop));
    let ended = product.end(up);
    let visits = visits?;
    ended?;
    report(&visits)
}

fn visit(repo: &Repo, link: &str, count: usize, stop: &Stop) -> Outcome<Vec<Visit>> {
    let pairs = u32::try_from(count + 1).unwrap_or(u32::MAX);
    let limit = START_LIMIT + PAIR_LIMIT * pairs;
    let words = |node: &mut Command| {
        node.arg(link).arg(count.to_string());
    };
    visits(repo, "page", words, limit, stop)
}

fn report(visits: &[Visit]) -> Outcome<Value> {
    let of = |name: &str| -> Vec<&Visit> {
        visits.iter().filter(|seen| seen.which == "counted" && seen.visit == name).collect()
    };
    let (first, again) = (of("first"), of("again"));
    if first.is_empty() || again.iter().any(|seen| !seen.has_worker) {
        return Err(fail("the second visit of a pair went without the service worker"));
    }
    let mut rows =
        vec![vec!["".into(), "first visit".into(), "p90".into(), "again".into(), "p90".into()]];
    for (_, words, _, read) in FIGURES {
        let cell = |seen: &[&Visit], figure: fn(Vec<f64>) -> f64| {
            format!("{:.3}", figure(seen.iter().filter_map(|one| read(one)).collect()))
        };
        let (middle, high) =
            (|values: Vec<f64>| median(values), |values: Vec<f64>| upper_tenth(values));
        let cells =
            [cell(&first, middle), cell(&first, high), cell(&again, middle), cell(&again, high)];
        rows.push([words.to_owned()].into_iter().chain(cells).collect());
    }
    table(&rows);
    for (_, words, aim, read) in FIGURES {
        let Some(aim) = aim else { continue };
        for (name, seen) in [("first visit", &first), ("again", &again)] {
            let value = median(seen.iter().filter_map(|one| read(one)));
            verdict(&format!("{words}, {name}: {value:.3} (aim {aim})"), value < aim);
        }
    }
    Ok(json!({ "first": figures(&first), "again": figures(&again) }))
}

fn figures(seen: &[&Visit]) -> Value {
    FIGURES
        .iter()
        .map(|(key, _, _, read)| {
            let values: Vec<f64> = seen.iter().filter_map(|one| read(one)).collect();
            ((*key).to_owned(), json!({ "median": median(values.clone()), "all": values }))
        })
        .collect::<serde_json::Map<_, _>>()
        .into()
}
