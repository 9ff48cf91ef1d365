//! `stego-security`: what detectors tell of lossless output at several rates, beside ideal HILL and LSB replacement.
//!
//! The experiment is Python's (`bench/stego-security`), over packages that are installed for it alone; here it is started, and its
//! figures are shown and held against their aims.

use serde_json::{Value, json};

use super::verdict;
use crate::args::BenchOptions;
use crate::console::{note, table};
use crate::failure::{During, Outcome, fail};
use crate::repo::{Repo, output_of};
use crate::setup;
use crate::stop::Stop;

/// The pinned packages, relative to the root.
const REQUIREMENTS: &str = "bench/stego-security/requirements.txt";
const IMPORTS: &str = "import numpy, scipy";
const EXPERIMENT: &str = "bench/stego-security/main.py";

/// How much less often a detector may be wrong about ours than about ideal HILL at the same rate.
const HILL_AIM: f64 = 0.05;

/// The rate that hiding goes up to without being asked.
const DEFAULT_RATE: f64 = 0.01;

/// What hiding may spend to stay unseen.
const PROFILES: [&str; 2] = ["default", "careful"];

/// Columns: what a person reads, and where the figure is.
const COLUMNS: [(&str, &str); 7] = [
    ("changed", "/changed"),
    ("sample pairs", "/pairs/mean"),
    ("moved by", "/pairs/moved"),
    ("RS", "/rs/mean"),
    ("moved by", "/rs/moved"),
    ("SPAM, by frame", BY_FRAME),
    ("SPAM, by film", BY_FILM),
];

const BY_FRAME: &str = "/spam_by_frame";
const BY_FILM: &str = "/spam_by_film";

/// Runs the experiment and prints its table.
pub(super) fn run(repo: &Repo, _: &BenchOptions, _: &Stop) -> Outcome<Value> {
    let samples = veil_testkit::samples().ok_or_else(|| {
        fail("there are no samples")
            .hint("VEILCAST_SAMPLES names their folder: real films are needed")
    })?;
    let samples = samples.canonicalize().during("opening the samples")?;
    let python = setup::environment_of(repo, "stego-security", REQUIREMENTS, IMPORTS)?;
    let veilcast = repo.bin_dir("release").join("veilcast");
    let work = repo.target.join("bench/stego-security");
    note(
        "some ten minutes on a machine that does nothing else; what is stopped goes on where it was",
    );
    let mut experiment = repo.command(python);
    experiment.arg(EXPERIMENT).args([&veilcast, &samples, &work]);
    let printed = output_of(&mut experiment)?;
    let figures: Value = serde_json::from_str(&printed).during("reading the figures")?;
    note(format_args!(
        "{} crops of {} frames of {} films; wrong: 0.5 is guessing, 0 is sure",
        figures["crops"], figures["frames"], figures["films"]
    ));
    table(&rows(&figures)?);
    verdicts(&figures)?;
    Ok(json!({ "bench": "stego-security", "figures": figures,
        "aim": { "below_ideal_hill": HILL_AIM } }))
}

fn lines(figures: &Value) -> Outcome<&Vec<Value>> {
    figures["rows"].as_array().ok_or_else(|| fail("the figures have no rows"))
}

fn rows(figures: &Value) -> Outcome<Vec<Vec<String>>> {
    let head = ["", "bits a sample"].into_iter().chain(COLUMNS.map(|(words, _)| words));
    let mut rows = vec![head.map(str::to_owned).collect::<Vec<_>>()];
    for line in lines(figures)? {
        let mut row =
            vec![line["method"].as_str().unwrap_or("").to_owned(), line["rate"].to_string()];
        for (_, place) in COLUMNS {
            let figure = line.pointer(place).and_then(Value::as_f64);
            row.push(figure.map(|figure| format!("{figure:.4}")).unwrap_or_default());
        }
        rows.push(row);
    }
    Ok(rows)
}

/// A figure of a method at a rate.
fn figure(figures: &Value, (method, rate): (&str, f64), place: &str) -> Outcome<f64> {
    let is = |line: &&Value| line["method"] == method && line["rate"].as_f64() == Some(rate);
    let found = lines(figures)?.iter().find(is).and_then(|line| line.pointer(place)?.as_f64());
    found.ok_or_else(|| fail(format!("the figures have no `{place}` of {method} at {rate}")))
}

fn verdicts(figures: &Value) -> Outcome {
    for (test, name) in [("sample pairs", "pairs"), ("RS", "rs")] {
        let spread = figure(figures, ("cover", 0.0), &format!("/{name}/deviation"))?;
        let moved = figure(figures, ("default", DEFAULT_RATE), &format!("/{name}/moved"))?.abs();
        let what =
            format!("{test} at {DEFAULT_RATE}: moved by {moved:.4}, covers spread by {spread:.4}");
        verdict(&what, moved <= spread);
    }
    for profile in PROFILES {
        for (split, place) in [("by frame", BY_FRAME), ("by film", BY_FILM)] {
            let ours = figure(figures, (profile, DEFAULT_RATE), place)?;
            let ideal = figure(figures, ("ideal HILL", DEFAULT_RATE), place)?;
            let what = format!(
                "SPAM {split}, {profile} profile at {DEFAULT_RATE}: wrong {ours:.3}, about ideal HILL {ideal:.3}, aim {HILL_AIM} below at most"
            );
            verdict(&what, ideal - ours <= HILL_AIM);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures() -> Value {
        let estimate = json!({ "mean": 0.01, "deviation": 0.02, "moved": 0.001 });
        let line = |method: &str, rate: f64, spam: f64| {
            json!({ "method": method, "rate": rate, "changed": 0.002, "pairs": estimate, "rs": estimate,
                "spam_by_frame": spam, "spam_by_film": spam })
        };
        json!({ "rows": [line("cover", 0.0, 0.5), line("default", 0.01, 0.46),
            line("careful", 0.01, 0.47), line("ideal HILL", 0.01, 0.48)] })
    }

    #[test]
    fn every_method_has_its_row() {
        let rows = rows(&figures()).unwrap();
        assert_eq!(rows[2][..5], ["default", "0.01", "0.0020", "0.0100", "0.0010"]);
        assert_eq!(rows.len(), 5);
        verdicts(&figures()).unwrap();
    }

    #[test]
    fn a_figure_that_is_missing_is_named() {
        let error = figure(&figures(), ("default", 0.05), "/changed").unwrap_err().to_string();
        assert_eq!(error, "the figures have no `/changed` of default at 0.05");
        assert!(rows(&json!({})).is_err());
    }
}
