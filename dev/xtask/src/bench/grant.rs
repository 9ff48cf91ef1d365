//! `grant`: opening a grant, against the one X-Wing decapsulation that it can't do without.
//!
//! The calls are timed in a program of the seal library's own (`formats/veil-seal/benches/grant.rs`), so that this crate
//! links none of the product's; here its figures are read, held against the aim and shown.

use serde_json::{Value, json};

use super::verdict;
use crate::args::BenchOptions;
use crate::console::{note, table};
use crate::failure::{During, Outcome, fail};
use crate::repo::{Repo, output_of, run as run_command};
use crate::stop::Stop;

/// Opening a grant, from the record's bytes to the title key.
const OPEN_AIM_US: f64 = 500.0;

/// What is timed, as the program names it, and as a person reads it.
const CALLS: [(&str, &str); 3] = [
    ("open", "open a grant with an identity"),
    ("derive", "derive the identity of a link"),
    ("decapsulate", "one X-Wing decapsulation"),
];

/// Times the calls and prints the table.
pub(super) fn run(repo: &Repo, _: &BenchOptions, _: &Stop) -> Outcome<Value> {
    let words = ["bench", "--locked", "--package=veil-seal", "--bench=grant"];
    run_command(repo.cargo(words).arg("--no-run"))?;
    let printed = output_of(repo.cargo(words).arg("--quiet"))?;
    let figures = serde_json::from_str(&printed).during("reading the figures")?;
    let rows = rows(&figures)?;
    note(format_args!("{} calls of each, taking turns", figures["samples"]));
    table(&rows);
    let open_us = microseconds(&figures, "open", "median_us")?;
    verdict(
        &format!("opening a grant {open_us:.0} µs, aim {OPEN_AIM_US:.0}"),
        open_us <= OPEN_AIM_US,
    );
    Ok(json!({ "bench": "grant", "figures": figures, "aim": { "open_us": OPEN_AIM_US } }))
}

fn rows(figures: &Value) -> Outcome<Vec<Vec<String>>> {
    let floor = microseconds(figures, "decapsulate", "median_us")?;
    let mut rows = vec![["", "median", "least", "of a decapsulation"].map(String::from).to_vec()];
    for (call, words) in CALLS {
        let median = microseconds(figures, call, "median_us")?;
        let least = microseconds(figures, call, "least_us")?;
        rows.push(vec![
            words.to_owned(),
            format!("{median:.0} µs"),
            format!("{least:.0} µs"),
            format!("{:.2}", median / floor),
        ]);
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
    fn every_call_has_its_row_and_its_share_of_the_floor() {
        let call = |median: f64| json!({ "median_us": median, "least_us": 0.4 });
        let figures =
            json!({ "open": call(306.2), "derive": call(100.0), "decapsulate": call(300.0) });
        let rows = rows(&figures).unwrap();
        assert_eq!(rows[1][1..], ["306 µs", "0 µs", "1.02"]);
        assert_eq!(rows.len(), 1 + CALLS.len());
    }

    #[test]
    fn a_figure_that_is_missing_is_named() {
        let figures = json!({ "decapsulate": { "median_us": 1.0 } });
        let error = rows(&figures).unwrap_err().to_string();
        assert_eq!(error, "the figures have no `median_us` of `open`");
    }
}
