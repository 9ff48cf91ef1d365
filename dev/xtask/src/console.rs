//! What a person sees: headings, tables, durations; colours only on a terminal that wants them.

use std::fmt::Display;
use std::io::{IsTerminal, stderr, stdout};
use std::time::Duration;

/// Prints the heading of a step.
pub(crate) fn heading(text: &str) {
    println!("{}", paint(stdout().is_terminal(), BOLD, &format!("== {text}")));
}

/// Prints a line that says what is being done.
pub(crate) fn note(text: impl Display) {
    println!("   {text}");
}

/// Prints an error, its hint if it has one on a second line.
pub(crate) fn error(what: &impl Display) {
    eprintln!("{} {what}", paint(stderr().is_terminal(), RED, "error:"));
}

/// Prints rows in columns as wide as their widest cell, numbers (all columns but the first) to the right.
pub(crate) fn table(rows: &[Vec<String>]) {
    print!("{}", columns(rows));
}

/// Writes a duration as a person says it: `0.42 s`, `12.3 s`, `3 min 05 s`.
pub(crate) fn duration(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    match seconds {
        ..9.95 => format!("{seconds:.2} s"),
        ..119.5 => format!("{seconds:.1} s"),
        _ => format!("{} min {:02} s", time.as_secs() / 60, time.as_secs() % 60),
    }
}

fn columns(rows: &[Vec<String>]) -> String {
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    let cells = |column: usize| rows.iter().filter_map(move |row| row.get(column));
    let widths: Vec<usize> = (0..count)
        .map(|at| cells(at).map(|cell| cell.chars().count()).max().unwrap_or(0))
        .collect();
    let mut text = String::new();
    for row in rows {
        let line: Vec<String> = row.iter().zip(&widths).enumerate().map(pad).collect();
        text.push_str(line.join("  ").trim_end());
        text.push('\n');
    }
    text
}

fn pad((column, (cell, width)): (usize, (&String, &usize))) -> String {
    if column == 0 { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
}

const BOLD: &str = "1";
const RED: &str = "1;31";

fn paint(terminal: bool, colour: &str, text: &str) -> String {
    let wanted = terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    if wanted { format!("\x1b[{colour}m{text}\x1b[0m") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_written_as_a_person_says_it() {
        for (seconds, text) in [(0.42, "0.42 s"), (12.34, "12.3 s"), (185.9, "3 min 05 s")] {
            assert_eq!(duration(Duration::from_secs_f64(seconds)), text);
        }
    }

    #[test]
    fn a_table_has_its_numbers_to_the_right() {
        let row = |cells: [&str; 2]| cells.map(String::from).to_vec();
        let text = columns(&[row(["step", "time"]), row(["tidy", "0.42 s"])]);
        assert_eq!(text, "step    time\ntidy  0.42 s\n");
    }
}
