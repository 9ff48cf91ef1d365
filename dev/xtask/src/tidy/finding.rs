//! What a rule finds: where, which rule, what; and why the rule exists.

use std::fmt;

/// A rule that a person may meet.
#[derive(Debug)]
pub(super) struct Rule {
    /// One or two words.
    pub(super) name: &'static str,
    /// Why it exists, in a sentence or two.
    pub(super) why: &'static str,
}

/// One place that breaks a rule.
#[derive(Debug)]
pub(super) struct Finding {
    /// The broken rule.
    pub(super) rule: &'static Rule,
    path: String,
    line: usize,
    what: String,
}

impl Rule {
    /// Makes a finding at a line (counted from 1) of a file.
    pub(super) fn at(
        &'static self,
        path: impl Into<String>,
        line: usize,
        what: impl Into<String>,
    ) -> Finding {
        Finding { rule: self, path: path.into(), line, what: what.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}: {}", self.path, self.line, self.rule.name, self.what)
    }
}

/// Asserts, in tests of rules, that `findings` are exactly those whose text holds these parts, in order.
#[cfg(test)]
#[track_caller]
pub(super) fn assert_found(findings: &[Finding], parts: &[&str]) {
    let lines: Vec<String> = findings.iter().map(Finding::to_string).collect();
    let same = lines.len() == parts.len()
        && lines.iter().zip(parts).all(|(line, part)| line.contains(part));
    assert!(same, "found {lines:#?}\ninstead of {parts:#?}");
}
