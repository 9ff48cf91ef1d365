//! What a stress test found, for programs (JSON) and for people (Markdown).
//!
//! Owns: columns and words. Refuses to know: how anything was measured.

use std::fmt::Write as _;

use serde::Serialize;

use super::{PAYLOAD_BYTES_A_FRAME, Plan, Row};

/// What the test ran on.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Machine {
    pub(crate) processors: usize,
    /// FFmpeg's version.
    pub(crate) ffmpeg: String,
}

/// All that was found.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Report {
    /// Of this document.
    pub(crate) version: u32,
    pub(crate) machine: Machine,
    pub(crate) threads: usize,
    /// What all runs shared.
    pub(crate) memory_budget_bytes: u64,
    pub(crate) core_budget: u64,
    /// Whether every bound held and every payload came out again.
    pub(crate) held: bool,
    pub(crate) rows: Vec<Row>,
}

impl Report {
    pub(crate) fn new(plan: &Plan, machine: Machine, rows: Vec<Row>) -> Self {
        Self {
            version: 1,
            machine,
            threads: plan.threads,
            memory_budget_bytes: plan.budget.memory_bytes,
            core_budget: plan.budget.cores,
            held: rows.iter().all(|row| row.failures.is_empty()),
            rows,
        }
    }

    /// The figures as a table of Markdown, which reads as text too.
    pub(crate) fn table(&self) -> String {
        let head = [
            "picture",
            "users",
            "carried",
            "hide s (longest)",
            "in line s",
            "frames/s",
            "reveal s (longest)",
            "frames/s",
            "process MB (bound)",
            "run MB (bound)",
            "all MB (budget)",
        ];
        let rows: Vec<Vec<String>> = self.rows.iter().map(cells).collect();
        let width = |at: usize| {
            let cells = rows.iter().filter_map(|row| row.get(at)).map(String::len);
            cells.chain(head.get(at).map(|head| head.len())).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..head.len()).map(width).collect();
        let line = |cells: &mut dyn Iterator<Item = &str>| {
            let padded = cells.zip(&widths).map(|(cell, width)| format!("{cell:>width$}"));
            format!("| {} |", padded.collect::<Vec<_>>().join(" | "))
        };
        let mut lines = vec![line(&mut head.into_iter())];
        let rules: Vec<String> =
            widths.iter().map(|width| format!("{}:", "-".repeat(width + 1))).collect();
        lines.push(format!("|{}|", rules.join("|")));
        lines.extend(rows.iter().map(|row| line(&mut row.iter().map(String::as_str))));
        lines.join("\n")
    }

    /// The whole report.
    pub(crate) fn markdown(&self) -> String {
        let Self { machine, threads, core_budget, .. } = self;
        let frames = self.rows.first().map_or(0, |row| row.frames);
        let mut text = format!(
            "# Stress test of hiding and revealing\n\n\
             {} processors, FFmpeg {}. Each user hides {} kB in a clip of {frames} frames with {threads} threads, has it read back, and \
             reveals it; each run is a process of its own. All runs share {} MB and {core_budget} cores and wait in line beyond that.\n\n\
             ![chart](chart.svg)\n\n{}\n\n",
            machine.processors,
            machine.ffmpeg,
            u64::from(frames) * PAYLOAD_BYTES_A_FRAME / 1000,
            megabytes(self.memory_budget_bytes),
            self.table(),
        );
        text.push_str(
            "- *carried*: users whose payload came out again, byte by byte.\n\
             - *hide*, *reveal*: what the median user waited, the start of the program and the time in line included; in brackets the longest.\n\
             - *frames/s*: of all users together. Hiding has read the message back.\n\
             - *process*: the high-water mark of our process. *run*: with its FFmpegs, resident at one moment; what they share counts for each. \
             *all*: of all runs at one moment.\n\n## Bounds\n\n",
        );
        let failures: Vec<String> = self.rows.iter().flat_map(failures).collect();
        if failures.is_empty() {
            text.push_str("Every bound held.\n");
        }
        for failure in failures {
            let _ = writeln!(text, "- {failure}");
        }
        text
    }
}

fn failures(row: &Row) -> impl Iterator<Item = String> {
    let Row { resolution, users, .. } = row;
    row.failures.iter().map(move |failure| format!("{resolution}, {users} users: {failure}"))
}

fn cells(row: &Row) -> Vec<String> {
    let (hide, reveal) = (row.hide, row.reveal);
    let bounded = |bytes: u64, most: u64| format!("{} ({})", megabytes(bytes), megabytes(most));
    vec![
        row.resolution.to_owned(),
        row.users.to_string(),
        row.carried.to_string(),
        format!("{:.1} ({:.1})", hide.median_s, hide.longest_s),
        format!("{:.1}", hide.in_line_s),
        format!("{:.1}", hide.frames_per_s),
        format!("{:.1} ({:.1})", reveal.median_s, reveal.longest_s),
        format!("{:.1}", reveal.frames_per_s),
        bounded(hide.own_bytes.max(reveal.own_bytes), row.own_bytes_max),
        bounded(hide.run_bytes.max(reveal.run_bytes), row.run_bytes_max),
        bounded(row.all_bytes, row.all_bytes_max),
    ]
}

/// Of 10⁶ bytes, rounded up.
pub(crate) fn megabytes(bytes: u64) -> u64 {
    bytes.div_ceil(1_000_000)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::stress::Side;

    /// Rows as a test might find them.
    pub(crate) fn rows() -> Vec<Row> {
        let side = |seconds: f64| Side {
            median_s: seconds,
            longest_s: seconds * 1.5,
            in_line_s: seconds / 2.0,
            frames_per_s: 100.0 / seconds,
            own_bytes: 60_000_000,
            run_bytes: 250_000_000,
        };
        let row = |resolution, users: u32| Row {
            resolution,
            width: 1280,
            height: 720,
            users,
            carried: users,
            frames: 100,
            payload_bytes: 200_000,
            hide: side(1.5 * f64::from(users)),
            reveal: side(0.7 * f64::from(users)),
            all_bytes: 300_000_000,
            own_bytes_max: 105_000_000,
            run_bytes_max: 400_000_000,
            all_bytes_max: 8_000_000_000,
            failures: Vec::new(),
        };
        vec![row("720p", 1), row("720p", 4), row("1080p", 1), row("1080p", 4)]
    }

    fn report(rows: Vec<Row>) -> Report {
        Report {
            version: 1,
            machine: Machine { processors: 2, ffmpeg: "5.1.9".to_owned() },
            threads: 2,
            memory_budget_bytes: 8_000_000_000,
            core_budget: 2,
            held: rows.iter().all(|row| row.failures.is_empty()),
            rows,
        }
    }

    #[test]
    fn all_lines_of_the_table_are_of_one_length_and_have_all_columns() {
        let table = report(rows()).table();
        let lines: Vec<&str> = table.lines().collect();
        assert_eq!(lines.len(), 2 + 4);
        for line in &lines {
            assert_eq!(line.len(), lines[0].len(), "{table}");
            assert_eq!(line.matches('|').count(), 12, "{table}");
        }
        assert!(lines[3].contains("6.0 (9.0)") && lines[3].contains("60 (105)"), "{table}");
    }

    #[test]
    fn a_bound_that_broke_is_named() {
        assert!(report(rows()).markdown().ends_with("Every bound held.\n"));
        let mut broken = rows();
        broken[2].failures.push("a process of ours had 106 MB, and the bound is 105 MB".to_owned());
        let report = report(broken);
        let text = report.markdown();
        assert!(!report.held && !text.contains("Every bound held"));
        assert!(text.ends_with(
            "- 1080p, 1 users: a process of ours had 106 MB, and the bound is 105 MB\n"
        ));
    }
}
