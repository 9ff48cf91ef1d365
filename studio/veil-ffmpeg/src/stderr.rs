//! Keeps the end of what a child writes on standard error.
//!
//! Owns: a ring of lines with a bound on each. Refuses to know: what the lines mean, beyond the
//! severity that FFmpeg puts in them.

use std::collections::VecDeque;

/// Most lines that are kept: enough for the context of an error, whatever came before it.
const LINES_MAX: usize = 200;

/// Longest line that is kept; FFmpeg's are below 300 bytes unless a file makes them longer.
const LINE_BYTES_MAX: usize = 1024;

/// Most lines of an error message.
const TOLD_MAX: usize = 8;

/// The last lines of a child's standard error.
#[derive(Debug, Default)]
pub(crate) struct Tail {
    lines: VecDeque<String>,
    partial: Vec<u8>,
}

impl Tail {
    /// Takes the next bytes.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            let room = LINE_BYTES_MAX.saturating_sub(self.partial.len());
            self.partial.extend_from_slice(part.get(..room.min(part.len())).unwrap_or_default());
            if part.ends_with(b"\n") {
                self.end_line();
            }
        }
    }

    fn end_line(&mut self) {
        let line = clean(&String::from_utf8_lossy(&self.partial));
        self.partial.clear();
        // FFmpeg repeats itself for every damaged frame; once is enough.
        if line.is_empty() || self.lines.back() == Some(&line) {
            return;
        }
        if self.lines.len() == LINES_MAX {
            self.lines.pop_front();
        }
        self.lines.push_back(line);
    }

    /// The lines that explain a failure: the last errors, or the last lines when none is marked.
    pub(crate) fn told(&mut self) -> String {
        self.end_line();
        let grave = |line: &&String| line.contains("[error]") || line.contains("[fatal]");
        let mut told: Vec<&str> =
            self.lines.iter().rev().filter(grave).take(TOLD_MAX).map(String::as_str).collect();
        if told.is_empty() {
            told = self.lines.iter().rev().take(TOLD_MAX).map(String::as_str).collect();
        }
        told.reverse();
        told.join("\n").replace("[error] ", "").replace("[fatal] ", "")
    }

    /// The last lines, whatever they say.
    pub(crate) fn last(&self) -> Vec<String> {
        let skipped = self.lines.len().saturating_sub(TOLD_MAX);
        self.lines.iter().skip(skipped).cloned().collect()
    }

    /// The last line that begins with `prefix`, without it.
    pub(crate) fn line_after(&mut self, prefix: &str) -> Option<String> {
        self.end_line();
        self.lines.iter().rev().find_map(|line| line.strip_prefix(prefix)).map(str::to_owned)
    }
}

/// A line without control characters and without the address in `[mov @ 0x55d0c0ffee]`.
fn clean(line: &str) -> String {
    let line: String = line.trim_end().chars().filter(|c| !c.is_control()).collect();
    let Some((before, after)) = line.split_once(" @ 0x") else { return line };
    format!("{before}{}", after.trim_start_matches(|c: char| c.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> String {
        let mut tail = Tail::default();
        for chunk in text.as_bytes().chunks(3) {
            tail.push(chunk);
        }
        tail.told()
    }

    #[test]
    fn errors_are_told_without_addresses_repetitions_and_chatter() {
        let text = "[mov @ 0x55ab12] [warning] odd\n[mov @ 0x55ab12] [error] bad\x1b[0m\n\
                    [mov @ 0x77] [error] bad[0m\n[fatal] gave up";
        assert_eq!(told(text), "[mov] bad[0m\ngave up");
        assert_eq!(told("one\ntwo\n"), "one\ntwo");
        assert_eq!(told(""), "");
    }

    #[test]
    fn only_the_end_is_kept_and_no_line_is_endless() {
        let mut tail = Tail::default();
        for number in 0..LINES_MAX * 2 {
            tail.push(format!("{number}\n").as_bytes());
        }
        assert_eq!(tail.lines.len(), LINES_MAX);
        assert!(tail.told().ends_with("399"));
        tail.push(&vec![b'x'; LINE_BYTES_MAX * 4]);
        assert_eq!(tail.partial.len(), LINE_BYTES_MAX);
    }
}
