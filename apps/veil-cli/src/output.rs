//! What a command prints: JSON for scripts, or text for people.
//!
//! Only this file and `progress` write to the terminal.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "printing is this file's purpose")]

use serde::Serialize;

use crate::error::CliError;

/// How to answer on standard output.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Format {
    /// One JSON document.
    Json,
    /// Text.
    Text,
}

impl Format {
    /// Prints the answer of a command.
    pub(crate) fn answer(self, value: &impl Serialize, text: impl FnOnce() -> String) {
        let out = match self {
            Self::Json => serde_json::to_string(value).unwrap_or_default(),
            Self::Text => text(),
        };
        if !out.is_empty() {
            println!("{out}");
        }
    }

    /// Prints why a command failed: JSON on standard output as well, for scripts.
    pub(crate) fn failure(self, error: &CliError) {
        if self == Self::Json {
            let hint = error.hint.as_deref();
            println!("{}", serde_json::json!({ "error": error.message, "hint": hint }));
        }
        eprintln!("error: {}", error.message);
        if let Some(hint) = &error.hint {
            eprintln!("hint: {hint}");
        }
    }
}

/// Tells a person something that is not the answer.
pub(crate) fn note(text: &str) {
    eprintln!("{text}");
}

/// `1:02:03` or `2:03`.
pub(crate) fn duration(us: i64) -> String {
    let seconds = (us + 500_000) / 1_000_000;
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}")
    } else {
        format!("{minutes}:{seconds:02}")
    }
}

/// `12.3 MB`, decimal units.
pub(crate) fn bytes(count: i64) -> String {
    let mut value = count as f64;
    for unit in ["B", "kB", "MB", "GB"] {
        if value < 1000.0 {
            return if unit == "B" { format!("{count} B") } else { format!("{value:.1} {unit}") };
        }
        value /= 1000.0;
    }
    format!("{value:.1} TB")
}

/// `1 recipient`, `3 recipients and a passphrase`, `a passphrase`: who opens a file.
pub(crate) fn openers(recipients: usize, passphrase: bool) -> String {
    let recipients = match recipients {
        0 if passphrase => return "a passphrase".to_owned(),
        1 => "1 recipient".to_owned(),
        count => format!("{count} recipients"),
    };
    if passphrase { format!("{recipients} and a passphrase") } else { recipients }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_durations_read_as_people_write_them() {
        assert_eq!(bytes(999), "999 B");
        assert_eq!(bytes(12_345_678), "12.3 MB");
        assert_eq!(bytes(5_000_000_000_000), "5.0 TB");
        assert_eq!(openers(1, false), "1 recipient");
        assert_eq!(openers(2, true), "2 recipients and a passphrase");
        assert_eq!(openers(0, true), "a passphrase");
        assert_eq!(duration(52_208_333), "0:52");
        assert_eq!(duration(3_723_000_000), "1:02:03");
    }
}
