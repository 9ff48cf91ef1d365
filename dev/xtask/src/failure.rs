//! How a command fails: what happened, and what a person can do about it.

use std::fmt;
use std::io;

/// The result of everything here that can fail.
pub(crate) type Outcome<T = ()> = Result<T, Failure>;

/// What happened, in one sentence without a full stop, and perhaps a hint.
#[derive(Debug)]
pub(crate) struct Failure {
    what: String,
    hint: Option<String>,
}

/// Makes a failure without a hint.
pub(crate) fn fail(what: impl Into<String>) -> Failure {
    Failure { what: what.into(), hint: None }
}

impl Failure {
    /// Adds what a person can do.
    pub(crate) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.what)?;
        match &self.hint {
            Some(hint) => write!(f, "\nhint: {hint}"),
            None => Ok(()),
        }
    }
}

/// Turns a foreign error into a failure that says what was being done.
pub(crate) trait During<T> {
    /// `what` is a phrase such as `reading Cargo.lock`.
    fn during(self, what: impl fmt::Display) -> Outcome<T>;
}

impl<T> During<T> for io::Result<T> {
    fn during(self, what: impl fmt::Display) -> Outcome<T> {
        self.map_err(|error| fail(format!("{what}: {}", error.to_string().trim_end())))
    }
}

impl<T> During<T> for serde_json::Result<T> {
    fn during(self, what: impl fmt::Display) -> Outcome<T> {
        self.map_err(|error| fail(format!("{what}: {error}")))
    }
}
