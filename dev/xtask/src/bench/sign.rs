//! `sign`: a playlist of 600 segments presigned by this project, by other people's libraries, and the hashing that nobody
//! can do without.
//!
//! What is Rust is timed in a program of its own (`apps/veil-cli/benches/sign.rs`), so that this crate links none of the
//! product's; boto3 and aws4fetch in their own runtimes (`bench/sign`). The programs take turns, all must give the same
//! signatures, and a figure is the median over all turns.

use serde_json::{Value, json};

use super::measure::median;
use super::verdict;
use crate::args::BenchOptions;
use crate::console::{note, table};
use crate::failure::{During, Outcome, fail};
use crate::repo::{Repo, output_of, run as run_command};
use crate::stop::Stop;

/// Turns of each program unless the command line says otherwise.
const TURNS: usize = 3;

/// Passes over the playlist in each turn of the slow programs.
const PASSES: usize = 8;

/// What a cold miss may cost, by the way that the processor allows, in microseconds.
const AIMS_US: [(&str, f64); 2] = [("avx512", 120.0), ("portable", 350.0)];

/// How many times slower others shall be.
const AIMS_RATIO: [(&str, f64); 3] = [("rusty-s3", 25.0), ("boto3", 400.0), ("aws4fetch", 400.0)];

/// What is timed, and how a person reads it. The first of ours that there is stands for ours.
const CALLS: [(&str, &str); 9] = [
    ("avx512", "ours: sign and emit, AVX-512, sixteen at a time"),
    ("sha-ni", "ours: sign and emit, SHA instructions, two at a time"),
    ("portable", "ours: sign and emit, one at a time"),
    ("cold", "ours, the best way, from the playlist's bytes and the secret"),
    ("floor", "floor: 5,400 compressions of SHA-256, one after the other"),
    ("rusty-s3", "rusty-s3"),
    ("aws-sigv4", "aws-sigv4"),
    ("boto3", "boto3"),
    ("aws4fetch", "aws4fetch"),
];

const OURS: [&str; 3] = ["avx512", "sha-ni", "portable"];

/// A call's name, and its figure of each turn: of all passes, and of the first alone where that is told; in microseconds.
type Turns = Vec<(String, f64, Option<f64>)>;

/// A call's name, and its median over all turns; the second as in [`Turns`].
type Figure = (&'static str, f64, Option<f64>);

/// Times everything in turns and prints the table.
pub(super) fn run(repo: &Repo, options: &BenchOptions, _: &Stop) -> Outcome<Value> {
    let words = ["bench", "--locked", "--package=veil-cli", "--bench=sign"];
    run_command(repo.cargo(words).arg("--no-run"))?;
    let mut turns = Turns::new();
    let count = options.runs.unwrap_or(TURNS);
    for turn in 1..=count {
        note(format_args!("turn {turn} of {count}"));
        let printed = output_of(repo.cargo(words).arg("--quiet"))?;
        let ours: Value = serde_json::from_str(&printed).during("reading the figures")?;
        turns.extend(medians(&ours)?);
        for (name, program) in others(repo, &ours["job"])? {
            turns.push((name.to_owned(), turn_of(name, program, &ours)?, None));
        }
    }
    let figures = over_all(&turns);
    table(&rows(&figures)?);
    verdicts(&figures)?;
    let figures: serde_json::Map<String, Value> =
        figures.iter().map(|(name, us, _)| ((*name).to_owned(), json!(us))).collect();
    Ok(json!({ "bench": "sign", "turns": count, "median_us": figures,
        "aim_us": AIMS_US.map(|(name, us)| json!({ name: us })),
        "aim_ratio": AIMS_RATIO.map(|(name, ratio)| json!({ name: ratio })) }))
}

fn medians(report: &Value) -> Outcome<Turns> {
    let calls = report["calls"].as_object().ok_or_else(|| fail("the figures have no calls"))?;
    let us = |figure: &Value| figure["median_us"].as_f64().ok_or_else(|| fail("no `median_us`"));
    calls
        .iter()
        .map(|(name, figure)| Ok((name.clone(), us(figure)?, figure["first_us"].as_f64())))
        .collect()
}

fn over_all(turns: &Turns) -> Vec<Figure> {
    let of_call = |name: &'static str| {
        let own = || turns.iter().filter(move |(call, ..)| call == name);
        let us = median(own().map(|(_, us, _)| *us));
        let first = median(own().filter_map(|(.., first)| *first));
        us.is_finite().then_some((name, us, Some(first).filter(|us| us.is_finite())))
    };
    CALLS.iter().filter_map(|(name, _)| of_call(name)).collect()
}

/// The programs in other languages; each takes its job as JSON and prints signatures and times.
fn others(repo: &Repo, job: &Value) -> Outcome<[(&'static str, std::process::Command); 2]> {
    let mut job = job.clone();
    job["passes"] = json!(PASSES);
    let job = job.to_string();
    let python = repo.target.join("tools").join(veil_testkit::PYTHON_ORACLES).join("bin/python");
    let mut boto = repo.command(python);
    boto.args(["-I", "bench/sign/boto.py", &job]);
    let mut fetch = repo.command("node");
    fetch.args(["bench/sign/aws4fetch.mjs", &job]);
    Ok([("boto3", boto), ("aws4fetch", fetch)])
}

fn turn_of(name: &str, mut program: std::process::Command, ours: &Value) -> Outcome<f64> {
    let printed = output_of(&mut program)?;
    let report: Value = serde_json::from_str(&printed).during(format_args!("reading {name}"))?;
    if report["signatures"] != ours["signatures"] {
        return Err(fail(format!("{name} gives other signatures")));
    }
    let passes = report["passes_us"].as_array().into_iter().flatten();
    Ok(median(passes.filter_map(Value::as_f64)))
}

fn figure(figures: &[Figure], name: &str) -> Outcome<f64> {
    let found = figures.iter().find(|(known, ..)| *known == name);
    found.map(|(_, us, _)| *us).ok_or_else(|| fail(format!("the figures have no `{name}`")))
}

/// The fastest of our ways that there is.
fn best(figures: &[Figure]) -> Outcome<f64> {
    let found = OURS.iter().find_map(|name| figure(figures, name).ok());
    found.ok_or_else(|| fail("the figures have none of ours"))
}

fn rows(figures: &[Figure]) -> Outcome<Vec<Vec<String>>> {
    let (ours, floor) = (best(figures)?, figure(figures, "floor")?);
    let head = ["", "600 URLs", "first of a turn", "of ours", "of the floor"];
    let mut rows = vec![head.map(String::from).to_vec()];
    for (name, words) in CALLS {
        let Ok(us) = figure(figures, name) else {
            rows.push(vec![words.to_owned(), "not on this processor".to_owned()]);
            continue;
        };
        rows.push(vec![
            words.to_owned(),
            milliseconds(us),
            first(figures, name).map(milliseconds).unwrap_or_default(),
            format!("{:.1}", us / ours),
            format!("{:.2}", us / floor),
        ]);
    }
    Ok(rows)
}

fn first(figures: &[Figure], name: &str) -> Option<f64> {
    figures.iter().find(|(known, ..)| *known == name)?.2
}

fn milliseconds(us: f64) -> String {
    format!("{:.3} ms", us / 1000.0)
}

fn verdicts(figures: &[Figure]) -> Outcome {
    for (name, aim_us) in AIMS_US {
        if let Ok(us) = figure(figures, name) {
            let what = format!("{name}: {:.3} ms, aim {:.2}", us / 1000.0, aim_us / 1000.0);
            verdict(&what, us <= aim_us);
        }
    }
    let ours = best(figures)?;
    for (name, aim) in AIMS_RATIO {
        let ratio = figure(figures, name)? / ours;
        verdict(&format!("{name}: {ratio:.0} times ours, aim {aim:.0}"), ratio >= aim);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIGURES: [Figure; 6] = [
        ("sha-ni", 200.0, None),
        ("portable", 250.0, Some(260.0)),
        ("floor", 100.0, None),
        ("rusty-s3", 4000.0, None),
        ("boto3", 130_000.0, None),
        ("aws4fetch", 60_000.0, None),
    ];

    #[test]
    fn a_figure_is_the_median_over_all_turns() {
        let turn = |us: f64, first| ("portable".to_owned(), us, first);
        let turns = vec![turn(1.0, Some(4.0)), turn(3.0, Some(6.0)), turn(2.0, Some(5.0))];
        assert_eq!(over_all(&turns), [("portable", 2.0, Some(5.0))]);
        assert_eq!(over_all(&vec![turn(1.0, None)]), [("portable", 1.0, None)]);
    }

    #[test]
    fn every_call_has_its_row_and_a_missing_way_says_so() {
        let rows = rows(&FIGURES).unwrap();
        assert_eq!(rows.len(), 1 + CALLS.len());
        assert_eq!(rows[1][1], "not on this processor");
        assert_eq!(rows[3][1..], ["0.250 ms", "0.260 ms", "1.2", "2.50"]);
        assert_eq!(rows[6][1..], ["4.000 ms", "", "20.0", "40.00"]);
        verdicts(&FIGURES).unwrap();
    }

    #[test]
    fn a_figure_that_is_missing_is_named() {
        let error = rows(&[("portable", 1.0, None)]).unwrap_err().to_string();
        assert_eq!(error, "the figures have no `floor`");
        assert_eq!(rows(&[]).unwrap_err().to_string(), "the figures have none of ours");
    }

    #[test]
    fn a_program_that_signs_otherwise_is_no_side_of_a_comparison() {
        let program = || {
            let mut echo = std::process::Command::new("echo");
            echo.arg(r#"{"signatures": ["a"], "passes_us": [3, 1, 2]}"#);
            echo
        };
        let us = turn_of("x", program(), &json!({ "signatures": ["a"] })).unwrap();
        assert!((us - 2.0).abs() < f64::EPSILON);
        let error = turn_of("x", program(), &json!({ "signatures": ["b"] })).unwrap_err();
        assert_eq!(error.to_string(), "x gives other signatures");
    }
}
