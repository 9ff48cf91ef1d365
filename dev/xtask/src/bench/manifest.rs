//! `manifest`: a playlist of 600 segments from the gateway, known and unknown.
//!
//! The calls are timed in a program of the gateway's own (`gateway/veil-gateway/benches/manifest.rs`), so that this crate
//! links none of the product's; here its figures are read, held against the aims and shown.

use serde_json::{Value, json};

use super::verdict;
use crate::args::BenchOptions;
use crate::console::{note, table};
use crate::failure::{During, Outcome, fail};
use crate::repo::{Repo, output_of, run as run_command};
use crate::stop::Stop;

/// A known playlist through the whole router.
const KNOWN_AIM_US: f64 = 5.0;

/// What is timed, as the program names it, and as a person reads it.
const CALLS: [(&str, &str); 7] = [
    ("known", "known, compressed, in process"),
    ("logged", "the same, with its line of the access log"),
    ("same", "known to the client as well (304)"),
    ("window", "a new window: signed and written"),
    ("window_zstd", "the same, compressed"),
    ("unknown", "nothing known: read, parsed, signed and written"),
    ("unknown_zstd", "the same, compressed"),
];

/// Times the calls and prints the table.
pub(super) fn run(repo: &Repo, _: &BenchOptions, _: &Stop) -> Outcome<Value> {
    let words = ["bench", "--locked", "--package=veil-gateway", "--bench=manifest"];
    run_command(repo.cargo(words).arg("--no-run"))?;
    let printed = output_of(repo.cargo(words).arg("--quiet"))?;
    let figures = serde_json::from_str(&printed).during("reading the figures")?;
    table(&rows(&figures)?);
    note(format_args!("{} bytes plain, {} as zstd", figures["plain_bytes"], figures["zstd_bytes"]));
    let known_us = microseconds(&figures, "known", "median_us")?;
    let what = format!("known, in process {known_us:.1} µs, aim {KNOWN_AIM_US:.0}");
    verdict(&what, known_us <= KNOWN_AIM_US);
    let aim = json!({ "known_us": KNOWN_AIM_US });
    Ok(json!({ "bench": "manifest", "figures": figures, "aim": aim }))
}

fn rows(figures: &Value) -> Outcome<Vec<Vec<String>>> {
    let mut rows = vec![["", "median", "least", "of 100, 99 within"].map(String::from).to_vec()];
    for (call, words) in CALLS {
        let mut row = vec![words.to_owned()];
        for which in ["median_us", "least_us", "p99_us"] {
            row.push(format!("{:.1} µs", microseconds(figures, call, which)?));
        }
        rows.push(row);
    }
    Ok(rows)
}

fn microseconds(figures: &Value, call: &str, which: &str) -> Outcome<f64> {
    let missing = || fail(format!("the figures have no `{which}` of `{call}`"));
    figures[call][which].as_f64().ok_or_else(missing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_call_has_its_row_and_a_figure_that_is_missing_is_named() {
        let call = json!({ "median_us": 3.25, "least_us": 3.0, "p99_us": 9.0 });
        let mut figures = json!({});
        for (name, _) in CALLS {
            figures[name] = call.clone();
        }
        let shown = rows(&figures).unwrap();
        assert_eq!(shown.len(), 1 + CALLS.len());
        assert_eq!(shown[1][1..], ["3.2 µs", "3.0 µs", "9.0 µs"]);
        figures["same"] = json!({});
        let error = rows(&figures).unwrap_err().to_string();
        assert_eq!(error, "the figures have no `median_us` of `same`");
    }
}
