//! What the command line says when something fails: what happened, and what to do.

use std::fmt;

use veil_studio::StudioError;

/// A failure that ends the command with exit code 1.
#[derive(Debug, Clone)]
pub(crate) struct CliError {
    /// What happened, lower case, no full stop.
    pub(crate) message: String,
    /// What a person can do about it.
    pub(crate) hint: Option<String>,
}

impl CliError {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None }
    }

    pub(crate) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}

impl From<StudioError> for CliError {
    fn from(error: StudioError) -> Self {
        Self { message: error.to_string(), hint: error.hint() }
    }
}

impl fmt::Display for CliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// So that it gets through a reader unchanged.
impl std::error::Error for CliError {}
