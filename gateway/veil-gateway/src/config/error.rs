//! What is wrong with a configuration file, where, and what to write instead.
//!
//! Owns turning a parser's complaint into a line and a hint. Refuses to quote the line itself: who
//! mistook this file for the credentials' would find the secret in a log.

use std::ops::RangeInclusive;

/// Least likeness (Jaro–Winkler, 0 to 1) for a known key to be what was meant.
const LIKENESS_MIN: f64 = 0.8;

/// Why a configuration is not taken.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{}{what}", line.map(|line| format!("line {line}: ")).unwrap_or_default())]
pub struct ConfigError {
    /// The line, from 1, where it is one line's fault.
    pub line: Option<usize>,
    /// What is wrong, in lower case; names the key.
    pub what: String,
    /// What to do.
    pub hint: String,
}

impl ConfigError {
    /// A value that parses and is out of its range.
    pub(crate) fn value(key: &str, wrong: &str, hint: &str) -> Self {
        Self { line: None, what: format!("{key} {wrong}"), hint: hint.to_owned() }
    }

    pub(super) fn parse(error: &toml::de::Error, text: &str) -> Self {
        let line = error.span().and_then(|span| text.get(..span.start)).map(line_after);
        let message = error.message();
        let mut quoted = message.split('`').skip(1).step_by(2);
        if !message.starts_with("unknown field") {
            let hint = "docs/operations/gateway.toml shows every key with its form".to_owned();
            return Self { line, what: message.replace('\n', ", "), hint };
        }
        let unknown = quoted.next().unwrap_or_default();
        Self {
            line,
            what: format!("there is no key `{unknown}` here"),
            hint: meant(unknown, quoted),
        }
    }
}

fn line_after(before: &str) -> usize {
    before.matches('\n').count() + 1
}

/// Names the known key that is most like `unknown`, or all of them.
fn meant<'a>(unknown: &str, known: impl Iterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.collect();
    let like = |name: &&str| strsim::jaro_winkler(unknown, name);
    let nearest = known.iter().max_by(|a, b| like(a).total_cmp(&like(b)));
    match nearest.filter(|name| like(name) >= LIKENESS_MIN) {
        Some(name) => format!("did you mean `{name}`?"),
        None => format!("the keys here are {}", known.join(", ")),
    }
}

/// Refuses a value that is out of its range, by its key's name.
pub(crate) fn in_range(
    key: &str,
    value: u64,
    range: RangeInclusive<u64>,
) -> Result<(), ConfigError> {
    if range.contains(&value) {
        return Ok(());
    }
    let hint = format!("choose a value from {} to {}", range.start(), range.end());
    Err(ConfigError::value(key, &format!("is {value}"), &hint))
}
