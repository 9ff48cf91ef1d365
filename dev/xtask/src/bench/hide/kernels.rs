//! The work on a frame by itself: costs, trellises, reading, each way that this processor has.
//!
//! It is timed in a program of the library's own (`formats/veil-stego/benches/kernels.rs`); here its figures are read and shown.

use serde_json::Value;

use crate::console::{note, table};
use crate::failure::{During, Outcome, fail};
use crate::repo::{Repo, output_of, run as run_command};

/// What is timed of each way, as the program names it, and as a person reads it.
const FIGURES: [(&str, &str); 3] = [
    ("costs_mpx_s", "costs (HILL)"),
    ("rows_7_mpx_s", "trellis, 7 rows"),
    ("rows_10_mpx_s", "trellis, 10 rows"),
];

/// Runs the program and prints the table.
pub(super) fn run(repo: &Repo) -> Outcome<Value> {
    let words = ["bench", "--locked", "--package=veil-stego", "--bench=kernels"];
    run_command(repo.cargo(words).arg("--no-run"))?;
    let printed = output_of(repo.cargo(words).arg("--quiet"))?;
    let figures: Value = serde_json::from_str(&printed).during("reading the figures")?;
    note(format_args!(
        "medians of {} calls, one core, millions of samples a second",
        figures["calls"]
    ));
    table(&rows(&figures)?);
    note(format_args!("reading: {:.0}", number(&figures, "extract_mpx_s")?));
    Ok(figures)
}

fn rows(figures: &Value) -> Outcome<Vec<Vec<String>>> {
    let ways = figures["ways"].as_object().ok_or_else(|| fail("the figures have no ways"))?;
    let head = std::iter::once(String::new()).chain(FIGURES.map(|(_, words)| words.to_owned()));
    let mut rows = vec![head.collect::<Vec<_>>()];
    for (name, way) in ways {
        let mut row = vec![name.clone()];
        for (figure, _) in FIGURES {
            row.push(format!("{:.0}", number(way, figure)?));
        }
        rows.push(row);
    }
    Ok(rows)
}

fn number(figures: &Value, name: &str) -> Outcome<f64> {
    figures[name].as_f64().ok_or_else(|| fail(format!("the figures have no `{name}`")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_way_has_its_row_and_a_missing_figure_is_named() {
        let way = json!({ "costs_mpx_s": 401.6, "rows_7_mpx_s": 90.0, "rows_10_mpx_s": 12.4 });
        let rows = rows(&json!({ "ways": { "avx2": way, "portable": way } })).unwrap();
        assert_eq!(rows[2], ["portable", "402", "90", "12"]);
        let error = super::rows(&json!({ "ways": { "avx2": {} } })).unwrap_err().to_string();
        assert_eq!(error, "the figures have no `costs_mpx_s`");
    }
}
