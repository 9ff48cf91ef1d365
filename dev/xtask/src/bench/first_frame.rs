//! `first-frame`: from opening a link to the first frame in Chromium, against the same HLS in clear, and with each
//! rendition in one file against each segment in its own.
//!
//! The visits are made by `bench/first-frame`, which writes a line of JSON for each; here the product is put up for
//! them and the figures are made. Medians of a step are over all visits of a side that have it.

use std::collections::BTreeMap;
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

/// Visits of each side where none are asked for.
const VISITS: usize = 15;

/// Median of the sealed side over that of the side in clear.
const RATIO_AIM: f64 = 1.15;

/// What the median of the sealed side may be beyond that of the side in clear, in milliseconds.
const BEYOND_AIM_MS: f64 = 60.0;

/// Median of the sealed side in single files over that of the sealed side: no slower, beyond noise.
const FILE_RATIO_AIM: f64 = 1.05;

/// What is watched: titles, and how they are imported.
const TITLES: [(&str, &[&str]); 2] = [
    ("bench", &["--ladder", "480,720"]),
    ("bench in single files", &["--ladder", "480,720", "--single-file"]),
];

/// Longest time of all visits together, apart from what each may take.
const START_LIMIT: Duration = Duration::from_secs(120);
const VISIT_LIMIT: Duration = Duration::from_secs(30);

/// The steps of a visit in order, as `steps.ts` names them, and what a person reads.
const STEPS: [(&str, &str); 11] = [
    ("page", "page loaded"),
    ("script", "its script loaded"),
    ("vault", "vault's script loaded"),
    ("grant", "grant loaded"),
    ("key", "key opened"),
    ("manifest", "manifest loaded"),
    ("index", "multivariant playlist loaded"),
    ("playlist", "media playlist loaded"),
    ("init", "initialisation loaded"),
    ("segment", "first segment loaded"),
    ("frame", "first frame shown"),
];

/// The last of the steps.
const FRAME: &str = "frame";

/// One line of the visits.
#[derive(Debug, Deserialize)]
struct Visit {
    side: Side,
    which: Which,
    picture: String,
    #[serde(rename = "loadedBytes")]
    loaded_bytes: f64,
    /// Milliseconds since the navigation began.
    steps: BTreeMap<String, f64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Side {
    Sealed,
    /// Sealed as well, each rendition in one file.
    File,
    Unsealed,
}

/// The sides in the order in which they are shown, and how a person reads them.
const SIDES: [(Side, &str); 3] =
    [(Side::Sealed, "sealed"), (Side::File, "in single files"), (Side::Unsealed, "in clear")];

/// A value of each side.
type Each<T> = [T; SIDES.len()];

/// Which of the visits: the first of a new browser, one that lets the next browser come to rest, or one that counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Which {
    First,
    Uncounted,
    Counted,
}

/// The visits of one side that count.
struct Seen<'a>(Vec<&'a Visit>);

/// Imports, serves, visits and prints the tables.
pub(super) fn run(repo: &Repo, options: &BenchOptions, stop: &Stop) -> Outcome<Value> {
    let video = named_or_usual(repo, options.video.as_deref())?;
    let count = options.runs.unwrap_or(VISITS);
    note(format_args!("{count} visits a side to {}", video.display()));
    let product = Product::new(repo, "bench")?;
    for (title, flags) in TITLES {
        let mut import = product.import(&video, title, flags)?;
        match stop.wait(&mut import)? {
            Ended::Asked => return product.end(import).and_then(|()| Err(fail("stopped"))),
            Ended::Child(status) if status.success() => {}
            Ended::Child(status) => return Err(fail(format!("the import ended with {status}"))),
        }
    }
    let up = product.up()?;
    let links: Outcome<Vec<String>> =
        TITLES.iter().map(|(title, _)| product.share(title)).collect();
    let visits = links.and_then(|links| visit(repo, &product, &links, count, stop));
    let ended = product.end(up);
    let visits = visits?;
    ended?;
    report(&visits)
}

fn visit(
    repo: &Repo,
    product: &Product<'_>,
    links: &[String],
    count: usize,
    stop: &Stop,
) -> Outcome<Vec<Visit>> {
    let words = |node: &mut Command| {
        node.args(links).arg(product.bucket());
        node.arg(repo.target.join("bench/page")).arg(count.to_string());
    };
    let each = u32::try_from(SIDES.len() * (count + 2)).unwrap_or(u32::MAX);
    visits(repo, "first-frame", words, START_LIMIT + VISIT_LIMIT * each, stop)
}

impl Seen<'_> {
    fn of(visits: &[Visit], side: Side, which: Which) -> Seen<'_> {
        Seen(visits.iter().filter(|visit| visit.side == side && visit.which == which).collect())
    }

    /// The step's values, in milliseconds.
    fn step(&self, name: &str) -> impl Iterator<Item = f64> {
        self.0.iter().filter_map(move |visit| visit.steps.get(name).copied())
    }

    fn json(&self) -> Value {
        let steps = STEPS.iter().map(|(name, _)| ((*name).to_owned(), median(self.step(name))));
        json!({
            "first_frame_ms": self.step(FRAME).collect::<Vec<_>>(),
            "median_ms": median(self.step(FRAME)),
            "p90_ms": upper_tenth(self.step(FRAME)),
            "steps_ms": steps.collect::<BTreeMap<String, f64>>(),
            "loaded_bytes": median(self.0.iter().map(|visit| visit.loaded_bytes)),
        })
    }
}

fn report(visits: &[Visit]) -> Outcome<Value> {
    let picture = same_picture(visits)?;
    let counted = SIDES.map(|(side, _)| Seen::of(visits, side, Which::Counted));
    let first = SIDES.map(|(side, _)| Seen::of(visits, side, Which::First));
    show_steps(&counted);
    show_frames(&counted, &first);
    let [sealed, file, unsealed] = counted.each_ref().map(|seen| median(seen.step(FRAME)));
    let (ratio, file_ratio) = (sealed / unsealed, file / sealed);
    verdict(&format!("sealed to in clear {ratio:.3}, aim {RATIO_AIM}"), ratio <= RATIO_AIM);
    let beyond = sealed - unsealed;
    let beyond_verdict = format!("sealed beyond in clear {beyond:.0} ms, aim {BEYOND_AIM_MS}");
    verdict(&beyond_verdict, beyond <= BEYOND_AIM_MS);
    let file_verdict = format!("single files to sealed {file_ratio:.3}, aim {FILE_RATIO_AIM}");
    verdict(&file_verdict, file_ratio <= FILE_RATIO_AIM);
    let [first_sealed, first_file, first_unsealed] =
        first.each_ref().map(|seen| median(seen.step(FRAME)));
    Ok(json!({
        "bench": "first-frame",
        "picture": picture,
        "sealed": counted[0].json(),
        "single_files": counted[1].json(),
        "unsealed": counted[2].json(),
        "first_visit_ms":
            { "sealed": first_sealed, "single_files": first_file, "unsealed": first_unsealed },
        "ratio": ratio,
        "file_ratio": file_ratio,
        "beyond_ms": beyond,
        "aim": { "ratio": RATIO_AIM, "beyond_ms": BEYOND_AIM_MS, "file_ratio": FILE_RATIO_AIM },
    }))
}

/// Returns the size of the first picture; sides that begin with different ones can't be compared.
fn same_picture(visits: &[Visit]) -> Outcome<&str> {
    let counted = || visits.iter().filter(|visit| visit.which == Which::Counted);
    let first = counted().next().ok_or_else(|| fail("there was no visit"))?;
    match counted().find(|visit| visit.picture != first.picture) {
        None => Ok(&first.picture),
        Some(other) => Err(fail(format!(
            "a visit began with {} and another with {}: they can't be compared",
            first.picture, other.picture
        ))),
    }
}

/// The head of a table: what its rows are, and the sides.
fn head(what: &str) -> Vec<String> {
    let sides = SIDES.iter().map(|(_, name)| (*name).to_owned());
    std::iter::once(what.to_owned()).chain(sides).collect()
}

fn row(name: &str, values: Each<String>) -> Vec<String> {
    std::iter::once(name.to_owned()).chain(values).collect()
}

fn show_steps(counted: &Each<Seen<'_>>) {
    let mut rows = vec![head("median time of")];
    for (name, text) in STEPS {
        let medians = counted.each_ref().map(|seen| milliseconds(median(seen.step(name))));
        rows.push(row(text, medians));
    }
    table(&rows);
}

fn show_frames(counted: &Each<Seen<'_>>, first: &Each<Seen<'_>>) {
    let of = |seen: &Each<Seen<'_>>, figure: fn(&Seen<'_>) -> f64| {
        seen.each_ref().map(|seen| milliseconds(figure(seen)))
    };
    let loaded = counted.each_ref().map(|seen| {
        let bytes = median(seen.0.iter().map(|visit| visit.loaded_bytes));
        format!("{:.0} kB", bytes / 1000.0)
    });
    table(&[
        head("first frame"),
        row("median", of(counted, |seen| median(seen.step(FRAME)))),
        row("nine of ten within", of(counted, |seen| upper_tenth(seen.step(FRAME)))),
        row("first visit of a new browser", of(first, |seen| median(seen.step(FRAME)))),
        row("loaded within 1.5 s", loaded),
    ]);
}

/// A step that a side does not have is a dash.
fn milliseconds(value: f64) -> String {
    if value.is_nan() { "–".to_owned() } else { format!("{value:.0} ms") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn visits(lines: &[(&str, &str, &str, f64)]) -> Vec<Visit> {
        let visit = |(side, which, picture, frame): &(&str, &str, &str, f64)| {
            let steps = json!({ "page": 3.5, "frame": frame });
            let line = json!({ "side": side, "which": which, "picture": picture, "steps": steps,
                "loadedBytes": 1000 });
            serde_json::from_value(line).unwrap()
        };
        lines.iter().map(visit).collect()
    }

    #[test]
    fn the_visits_that_count_are_compared_and_the_first_are_shown_apart() {
        let visits = visits(&[
            ("sealed", "first", "854x480", 900.0),
            ("file", "first", "854x480", 800.0),
            ("unsealed", "first", "854x480", 600.0),
            ("sealed", "uncounted", "854x480", 5000.0),
            ("sealed", "counted", "854x480", 220.0),
            ("file", "counted", "854x480", 231.0),
            ("unsealed", "counted", "854x480", 200.0),
        ]);
        let figures = report(&visits).unwrap();
        assert_eq!(figures["ratio"], 1.1);
        assert_eq!(figures["file_ratio"], 1.05);
        assert_eq!(figures["beyond_ms"], 20.0);
        let first = json!({ "sealed": 900.0, "single_files": 800.0, "unsealed": 600.0 });
        assert_eq!(figures["first_visit_ms"], first);
        assert_eq!(figures["sealed"]["steps_ms"]["page"], 3.5);
    }

    #[test]
    fn sides_that_begin_with_different_pictures_are_not_compared() {
        let visits = visits(&[
            ("sealed", "counted", "854x480", 200.0),
            ("unsealed", "counted", "1280x720", 300.0),
        ]);
        let error = report(&visits).unwrap_err().to_string();
        assert_eq!(
            error,
            "a visit began with 854x480 and another with 1280x720: they can't be compared"
        );
    }

    #[test]
    fn a_step_that_a_side_lacks_is_a_dash() {
        assert_eq!(milliseconds(median([])), "–");
        assert_eq!(milliseconds(17.4), "17 ms");
    }
}
